"""A mirror on a real server with other settings. ``python -m tests.rounds --on KIND`` does more, and more kinds."""

from pathlib import Path

import pytest
from upath import UPath

from cognee_dagster.errors import UnremovableEdgesError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import OnRemoved, PushOptions
from cognee_dagster.pushing.verify import compare_archives
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


def test_a_server_that_leaves_single_edges_is_found_out_and_replace_mends_it(tmp_path: Path) -> None:
    """A graph that a release before the newer way has begun: an edge is deleted there only with one of its nodes."""
    graph = WideGraph(5, nodes=20)
    with (
        server_of(KINDS["unmarked"], tmp_path / "server", target=TARGET) as server,
        client_of(server.url, server.api_key) as client,
    ):

        def push(on_removed: OnRemoved = "remove", *, adopt: bool = False) -> PushResult:
            return push_mirror(
                [graph.archive(tmp_path / "graph.cogx.tar.gz")],
                client=client,
                base=UPath(tmp_path / "mirrors"),
                options=PushOptions(target_dataset=TARGET),
                mirror=MirrorOptions(on_removed=on_removed, max_removed=1.0, adopt=adopt),
            )

        push(adopt=True)
        graph.remove_edge()
        with pytest.raises(UnremovableEdgesError, match="lacks 1 edge between nodes that stay"):
            push()
        with pytest.raises(UnremovableEdgesError, match="Nothing was sent"):
            push()
        push("replace")
        graph.remove_edge()
        push()
        archive = graph.archive(tmp_path / "graph.cogx.tar.gz")
        assert compare_archives([archive], client=client, target_dataset=TARGET).is_exact
