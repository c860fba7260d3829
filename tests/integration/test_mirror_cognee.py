"""A mirror on real Cognee is after each round of edits what a fresh full push makes. ``make rounds`` does many."""

from pathlib import Path
from uuid import uuid4

from cognee_dagster.sandbox import CogneeServer
from tests.pushes import client_of
from tests.rounds.graph import WideGraph
from tests.rounds.rounds import Rounds

ROUNDS = 3


def test_after_each_round_of_edits_the_remote_is_what_a_fresh_push_makes_and_a_reader_misses_nothing(
    real_remote: CogneeServer, tmp_path: Path
) -> None:
    """Nodes, edges, documents and vectors; in the last round two pushes are under way at once."""
    graph, whole = WideGraph(7, nodes=30), []
    with client_of(real_remote.url, real_remote.api_key) as client:
        rounds = Rounds(real_remote, client, graph, tmp_path, segment_nodes=20, target=f"mirror_{uuid4().hex}")
        for number in range(ROUNDS):
            found = rounds.round(at_once=1 + (number == ROUNDS - 1))
            assert found.wrong == []
            assert rounds.verified().is_exact
            whole.append(found.sent_whole_because)
            rounds.edit(6)
    assert whole == ["nothing is known of the remote yet", *[""] * (ROUNDS - 1)]
