"""One odd answer, to any one of a push's requests: the push fails, or what it calls done is so; and so the next one."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import RemoteError
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import Fault, answer, drop_answer, html, server_failed
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Mirror

ODD = {
    "500": server_failed(),
    "500 after": answer(500, "x", deliver=True),
    "page": html(),
    "page after": Fault(answer=html().answer, deliver=True),
    "403": answer(403, '{"detail": "no"}'),
    "404": answer(404, "{}"),
    "lost": drop_answer(),
}


def a_text_changes(mirror: Mirror) -> None:
    chunk = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "DocumentChunk")
    mirror.graph.nodes[chunk] = mirror.graph._row(chunk, "DocumentChunk")


def all_kinds_of_things_change(mirror: Mirror) -> None:
    mirror.graph.remove_chunk()
    mirror.graph.change(4)


PUSHES: dict[str, tuple[Callable[[Mirror], None], dict[str, Any]]] = {
    "a changed text": (a_text_changes, {}),
    "changes, whole": (all_kinds_of_things_change, {"resend": True, "segment_nodes": 20}),
    "changes, emptied first": (all_kinds_of_things_change, {"on_removed": "replace"}),
}


def meet(faults: Any, place: int, fault: Fault) -> list[str]:
    """Let the fault meet the request at that place, from now on; which one it was."""
    requests, met = count(), list[str]()

    def next_fault(method: str, path: str) -> Fault | None:
        if next(requests) != place:
            return None
        met.append(f"{method} {path}")
        return fault

    faults.next_fault = next_fault
    return met


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("push", PUSHES)
def test_one_odd_answer_makes_nothing_done_that_is_not(push: str, odd: str, tmp_path: Path) -> None:
    edit, options = PUSHES[push]
    for place in count():
        directory = tmp_path / str(place)
        directory.mkdir()
        with FakeRemote() as remote:
            mirror = Mirror(remote, directory, ChangingGraph(5, nodes=10))
            mirror.push()
            edit(mirror)
            met = meet(remote.faults, place, ODD[odd])
            try:
                said = mirror.push(**options).status
            except RemoteError:
                said = "failed"
            meet(remote.faults, -1, ODD[odd])
            if said == "completed":
                mirror.assert_exact()
            mirror.push()
            mirror.assert_exact()
            assert mirror.push().status == "unchanged", met
        if not met:
            return
