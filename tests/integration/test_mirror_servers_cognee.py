"""A mirror on a real server with other settings. ``python -m tests.rounds --on KIND`` does more, and more kinds."""

from pathlib import Path

from cognee_dagster.sandbox import CogneeServer
from tests.pushes import client_of
from tests.rounds.graph import WideGraph
from tests.rounds.rounds import Rounds
from tests.rounds.servers import KINDS, server_of

TARGET = "mirrored"


def test_a_mirror_is_exact_on_a_server_without_access_control(real_remote: CogneeServer, tmp_path: Path) -> None:
    """All its datasets are one graph, so that what it is held against is on another server."""
    with (
        server_of(KINDS["no-access-control"], tmp_path / "server", target=TARGET) as server,
        client_of(server.url, server.api_key) as client,
        client_of(real_remote.url, real_remote.api_key) as other_client,
    ):
        rounds = Rounds(
            server,
            client,
            WideGraph(5, nodes=20),
            tmp_path,
            segment_nodes=10,
            target=TARGET,
            compared_on=(real_remote, other_client),
        )
        for edits in (8, 0):
            found = rounds.round()
            assert found.wrong == []
            assert rounds.verified().is_exact
            rounds.edit(edits)
