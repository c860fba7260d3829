"""A client in a process of its own, whose peak memory can be measured.

``python -m tests.unit.limited_client URL METHOD SECONDS`` asks once and writes how that ended, as JSON.
"""

import json
import os
import resource
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from cognee_dagster.errors import CogneeDagsterError
from cognee_dagster.pushing.comparison.difference import GraphComparison
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.transport import Timeouts
from tests.peak_memory import peak_mebibytes

ID = "011a0f69-ce99-5a5e-acf4-81e800cfd2fc"
ADDRESS_SPACE = 3 * 2**30  # no test fills the machine


def compare(client: CogneeClient) -> object:
    """Hold the graph against the archive that the environment names."""
    from cognee_dagster.cogx.read.inspect import inspect_archive  # Arrow comes with it, which takes memory

    return compare_graph(client, ID, [inspect_archive(Path(os.environ["ARCHIVE"]))])


def upload(client: CogneeClient) -> object:
    """Upload an archive, whatever is in it."""
    with tempfile.NamedTemporaryFile(suffix=".cogx.tar.gz") as archive:
        archive.write(bytes(1000))
        archive.flush()
        with client.upload(Path(archive.name), dataset_name="abc", mode="preserve") as begun:
            begun.wait()
    return None


ASK: dict[str, Callable[[CogneeClient], object]] = {
    "health": CogneeClient.health,
    "datasets": CogneeClient.datasets,
    "runs": CogneeClient.runs,
    "documents": lambda client: deque(client.data(ID), maxlen=0),
    "documents that are held": lambda client: len(list(client.data(ID))) and None,
    "graph": lambda client: client.graph(ID),
    "size": lambda client: client.graph_size(ID),
    "comparison": compare,
    "openapi": CogneeClient.require_cogx,
    "upload": upload,
}


def as_json(value: object) -> object:
    """What a test wants to know of what was asked."""
    if isinstance(value, GraphComparison):
        return {"problems": value.problems, "remarks": value.remarks, "sizes": (value.num_nodes, value.num_edges)}
    return value if isinstance(value, tuple) else None


def main(url: str, method: str, seconds: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    timeouts = Timeouts(connect=5, read=20, write=20, answer=float(seconds), graph_read=20, graph_answer=float(seconds))
    connection = Connection(url=url, api_key=SecretStr("ck_marker_0123456789"))
    ended, words, value = "value", "", None
    with CogneeClient(connection, timeouts=timeouts, retry=RetryPolicy(attempts=1)) as client:
        try:
            value = ASK[method](client)
        except CogneeDagsterError as error:
            ended, words = type(error).__name__, str(error)
    peak = peak_mebibytes()
    sys.stdout.write(json.dumps({"ended": ended, "words": words, "peak_mib": peak, "value": as_json(value)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
