"""Cognee's own ``cognee.push()`` into a mirror's dataset on real Cognee: it is noticed, said, and made good."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from upath import UPath

from cognee_dagster.errors import RemovedRecordsError
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.verify import compare_archives
from cognee_dagster.sandbox import CogneeServer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of, push_archive
from tests.pushing_child import PATIENT
from tests.rounds.by_cognee import push_by_cognee
from tests.rounds.contents import differences, read_contents
from tests.rounds.graph import FormerEntries


def others_graph(graph: ChangingGraph) -> tuple[ChangingGraph, set[str], str]:
    """What somebody else pushes: three nodes of the graph with other values, and two of its own, of which one is a
    document; the ids of these two, and which of the graph's he has, too."""
    other = ChangingGraph(2, nodes=0, ids="other")
    for node_id in [node_id for node_id, row in graph.nodes.items() if row[2] != "DocumentChunk"][:3]:
        other.nodes[node_id] = graph.nodes[node_id]
        row = other._row(node_id, str(graph.nodes[node_id][2]))
        other.nodes[node_id] = (row[0], "Theirs", *row[2:])
    shared = next(iter(other.nodes))
    other.add_node("Planet")
    other.add_node("DocumentChunk")
    return other, other.nodes.keys() - graph.nodes.keys(), shared


def test_a_push_of_cognees_own_is_made_good_and_what_it_brought_stays_until_it_is_adopted(
    real_remote: CogneeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph, target = ChangingGraph(1, nodes=24), f"foreign_{uuid4().hex}"
    former = FormerEntries(graph)
    with client_of(real_remote.url, real_remote.api_key) as client:

        def options(**more: Any) -> dict[str, Any]:
            former.look()
            return {
                "client": client,
                "base": UPath(tmp_path / "mirrors"),
                "options": PushOptions(target_dataset=target, delivery=PATIENT),
                "mirror": MirrorOptions(segment_nodes=12, **{"max_removed": 1.0, **more}),
            }

        def archive() -> Any:
            return graph.archive(tmp_path / "graph.cogx.tar.gz")

        def push(**more: Any) -> tuple[str, str]:
            result = push_mirror([archive()], **options(**more))
            return result.status, result.remote_response["mirror"]["sent_whole_because"]

        def extra() -> set[str]:
            """Nodes that only the remote has, where it has everything else as it should be."""
            found = compare_archives([archive()], client=client, target_dataset=target)
            assert {row.what for row in found.differences} <= {"extra"}
            return {record for row in found.differences if row.kind == "node" for record in row.records}

        push()
        others, theirs, shared = others_graph(graph)
        push_by_cognee(others, server=real_remote, directory=tmp_path / "local", target=target)

        graph.remove_node()  # of those that are left, one that he does not have goes, and one that he has
        del graph.nodes[shared]
        graph.edges = {ends: text for ends, text in graph.edges.items() if shared not in ends[:2]}
        planned = plan_mirror([archive()], **options()).as_json()
        assert planned["sent_whole_because"].startswith("somebody else has imported into the remote dataset since (run")
        status, because = push()
        assert (status, because) == ("completed", planned["sent_whole_because"])
        assert f"is sent whole: {because}. What others brought stays" in caplog.text
        theirs |= {shared} | (others.nodes.keys() - graph.nodes.keys())
        assert extra() == theirs
        assert push() == ("unchanged", "")

        graph.change_node()  # it is a mirror as before
        graph.remove_chunk()
        assert push() == ("completed", "")
        assert extra() == theirs

        with pytest.raises(RemovedRecordsError, match="push with adopt would remove up to"):
            push(adopt=True, max_removed=0.0)
        assert extra() == theirs
        push(adopt=True)
        assert extra() == set()
        fresh = f"{target}_fresh"
        push_archive(archive(), client=client, target_dataset=fresh, settings=PATIENT)
        found, wanted = (read_contents(real_remote, client, client.ensure_dataset(name).id) for name in (target, fresh))
        assert differences(found, wanted, former=former) == []
        assert push() == ("unchanged", "")
