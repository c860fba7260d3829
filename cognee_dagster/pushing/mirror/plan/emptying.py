"""What of others goes with a push that empties the remote graph first (``on_removed="replace"``)."""

from dataclasses import dataclass

import numpy as np

from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey


@dataclass(frozen=True, kw_only=True)
class Emptying:
    """What is there that the graph does not have, and that others have brought.

    Attributes:
        of_mirrors: How many nodes and edges of other mirrors that are kept beside this one.
        unowned: How many nodes and edges that nobody here owns; None where nobody can tell.
        there: How many nodes and edges there are in all, as far as it is known.
    """

    of_mirrors: tuple[int, int]
    unowned: tuple[int, int] | None
    there: tuple[int, int]

    @property
    def share(self) -> float | None:
        """The share of the nodes or edges there that it is, from 0 to 1; None where nobody can tell."""
        if self.unowned is None:
            return None
        return max(
            (mirrors + nobodys) / max(there, 1)
            for mirrors, nobodys, there in zip(self.of_mirrors, self.unowned, self.there, strict=True)
        )

    @property
    def in_words(self) -> str:
        """How many of whom; empty where there is nothing."""
        whose = [f"{_counted(self.of_mirrors)} of other mirrors"] if any(self.of_mirrors) else []
        if self.unowned is None:
            whose.append("records that nobody here owns, it cannot be told how many")
        elif any(self.unowned):
            whose.append(f"{_counted(self.unowned)} that nobody here owns")
        return " and ".join(whose)


def would_empty(found: MirrorSurvey) -> Emptying:
    """What of others would go if the remote graph were emptied; their documents stay."""
    ours = found.known.confirmed or MirrorContents.empty()
    graph = found.fingerprints
    their_nodes, their_edges, _ = found.beside.owned
    unowned: tuple[int, int] | None = (0, 0)
    if found.unowned is not None:
        nodes, edges = found.unowned.nodes, found.unowned.edges
        unowned = None if nodes is None or edges is None else (nodes, edges)
    nodes_there, edges_there = unowned or (0, 0)
    return Emptying(
        of_mirrors=(
            len(np.setdiff1d(their_nodes, graph.node_keys)),
            len(np.setdiff1d(their_edges, graph.edge_keys)),
        ),
        unowned=unowned,
        there=(
            nodes_there + len(np.union1d(ours.node_keys, their_nodes)),
            edges_there + len(np.union1d(ours.edge_keys, their_edges)),
        ),
    )


def _counted(counts: tuple[int, int]) -> str:
    return ", ".join(counted(count, kind) for kind, count in zip(("node", "edge"), counts, strict=True) if count)
