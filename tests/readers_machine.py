"""A machine on which a reader tries out what the documentation prints: its files, its local Cognee, its remote.

The examples name ``~/…``, ``https://cognee.example.com`` and ``s3://…``; here the environment decides what those are.
"""

import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import networkx as nx
import pytest
from fsspec.registry import _registry as loaded_file_systems

from cognee_dagster.cogx import write_archive
from cognee_dagster.sources import from_networkx
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people
from tests.named_hosts import named_hosts
from tests.printed import Block
from tests.unit.local_stores import TinyGraph, TinyStore

ADAS_DATASET = UUID("82cf9ac2-2414-54df-b775-fa2a443a3be4")

# s3fs, for who has no bucket: fsspec loads it by this name.
S3_STAND_IN = """
import os
from fsspec.implementations.local import LocalFileSystem

__version__ = "2026.1"

class S3FileSystem(LocalFileSystem):
    protocol = ("s3", "s3a")

    def __init__(self, **options):
        super().__init__(auto_mkdir=True)

    @classmethod
    def _strip_protocol(cls, path):
        bucket = str(path).removeprefix("s3://").rstrip("/")
        return bucket if bucket.startswith("/") else os.path.expanduser("~/s3/") + bucket
"""


@contextmanager
def readers_machine(directory: Path, remote: FakeRemote, *, cognee: Path) -> Iterator[dict[str, str]]:
    """Puts the reader's files into ``directory`` and ``directory/home``; gives the variables that lead to all of it.

    Args:
        directory: Where the reader works; empty.
        remote: The remote Cognee.
        cognee: The local one, as ``make_local_cognee`` leaves it; its data is copied.
    """
    home = directory / "home"
    home.mkdir()
    (directory / "empty.env").touch()
    (home / "stand_ins").mkdir()
    (home / "stand_ins" / "s3fs.py").write_text(S3_STAND_IN)
    (home / "dagster_home").mkdir()
    (home / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    _graph_files(directory, home)
    shutil.copytree(cognee, home / "cognee")
    with named_hosts("example.com", url=remote.url, directory=home) as https:
        yield {
            **https,
            "COGNEE_SERVICE_URL": remote.url,
            **{f"{whose}_API_KEY": remote.api_key for whose in ("COGNEE", "STAGING", "PRODUCTION")},
            "COGNEE_ENV_FILE": str(directory / "empty.env"),
            "SYSTEM_ROOT_DIRECTORY": str(home / "cognee" / "system"),
            "DAGSTER_HOME": str(home / "dagster_home"),
            "OPENLINEAGE_DISABLED": "true",  # its package is here for other tests, and dg loads and hears every one
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": f"{home / 'stand_ins'}:{Path(__file__).parent.parent}",
        }


@contextmanager
def dg_machine(directory: Path, remote: FakeRemote) -> Iterator[dict[str, str]]:
    """``readers_machine`` for projects that ``dg`` makes in ``directory/here``, with a local Cognee of its own."""
    cognee = make_local_cognee(directory / "cognee")
    here = directory / "here"
    here.mkdir()
    with readers_machine(here, remote, cognee=cognee) as variables:
        yield variables


@contextmanager
def in_this_process(environ: Mapping[str, str]) -> Iterator[dg.DagsterInstance]:
    """Makes this process the reader's: these variables, and Dagster's instance as they say."""
    with pytest.MonkeyPatch.context() as patch:
        for name in {"COGNEE_DAGSTER_CA_BUNDLE", "NO_PROXY", "no_proxy", "https_proxy"} & set(os.environ):
            patch.delenv(name)
        for name in environ.keys() - {"PATH", "PYTHONPATH"}:
            patch.setenv(name, environ[name])
        patch.syspath_prepend(str(Path(environ["HOME"]) / "stand_ins"))
        with dg.DagsterInstance.get() as instance:
            yield instance
    loaded_file_systems.pop("s3", None)
    sys.modules.pop("s3fs", None)


def run_example(block: Block) -> tuple[dict[str, Any], str]:
    """What an example defines, and what it prints."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(block.text, str(block), "exec"), names)
    return names, printed.getvalue()


def push_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Runs the job that brings every dataset of these definitions to the remote."""
    return defs.resolve_job_def("push_all_datasets").execute_in_process(instance=instance, raise_on_error=False)


def _graph_files(directory: Path, home: Path) -> None:
    (home / "graphs").mkdir()
    nx.write_graphml(people(), home / "graphs" / "parts.graphml")
    birds = nx.DiGraph()
    birds.add_node("b1", species="owl", called="Strix", title="The owl", internal_id="1")
    birds.add_node("b2", species="mouse", called="Mus", title="The mouse", internal_id="2")
    birds.add_edge("b1", "b2", does="eats", note="at night")
    for place in (home, directory):
        nx.write_graphml(birds, place / "birds.graphml")
    output = home / "graphrag" / "output"
    output.mkdir(parents=True)
    (output / "nodes.csv").write_text("id,name,category\n1,Mira,person\n2,Lyon,town\n")
    (output / "edges.csv").write_text("source,target,relation\n1,2,lives in\n")
    backup = write_archive(from_networkx(people(), dataset_name="research"), directory / "backup.cogx.tar.gz")
    (home / "s3" / "backups").mkdir(parents=True)
    unpacked = directory / "export_of_mem0"
    shutil.unpack_archive(backup.path, unpacked, format="gztar")
    shutil.make_archive(str(home / "s3" / "backups" / "research.cogx"), "xztar", unpacked)
    (home / "backups").mkdir()
    shutil.copy(backup.path, home / "backups" / "mem0.cogx.tar.gz")


def make_local_cognee(directory: Path) -> Path:
    """Makes the local Cognee's data, with every dataset that the examples name; gives ``directory``."""
    store = TinyStore(directory)
    ada = store.add_user("ada@example.com")
    for name, owner, num_nodes, num_edges in (
        ("research", store.default_user, 3, 2),
        ("drafts", store.default_user, 3, 2),
        ("handbook", store.default_user, 3, 2),
        ("demo", store.default_user, 47, 86),  # as many as Cognee's own demo has
        ("adas", ada, 3, 2),
        ("tenant_acme", store.default_user, 3, 2),
        ("tenant_globex", store.default_user, 4, 3),
    ):
        identity = ADAS_DATASET if name == "adas" else None
        dataset = store.add_dataset(name, owner=owner, identity=identity)
        store.grant(dataset, owner)
        with TinyGraph(store.place_graph(dataset, owner=owner)) as graph:
            for number in range(num_nodes):
                graph.add_node(f"00000000-0000-4000-8000-{number:012}", f"{name} {number}")
            ends = [(n, (n + step) % num_nodes) for step in (1, 2) for n in range(num_nodes)][:num_edges]
            for source, target in ends:
                graph.add_edge(f"00000000-0000-4000-8000-{source:012}", f"00000000-0000-4000-8000-{target:012}")
    return directory
