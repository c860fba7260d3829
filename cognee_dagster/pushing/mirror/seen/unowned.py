"""What a remote dataset has that neither a mirror nor those kept beside it have brought, as far as can be told.

Three things leave it there: a mirror whose state was lost, full pushes, and other tools. It cannot be told which
records are whose, but how many there are can be counted: at most so many go with whatever is deleted of it.
"""

import logging
import math
from typing import Annotated, Any

import msgspec

from cognee_dagster.graph.counting import counted

_Count = Annotated[int, msgspec.Meta(ge=0)]

_REPLACE = "on_removed replace and max_removed 1"
# A mirror whose state was lost twice, or another machine's, has left names that nobody can guess.
_STAYS = f"what stays after that goes with {_REPLACE}"

logger = logging.getLogger(__name__)


class Unowned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a remote dataset may have that neither this mirror nor one beside it has brought.

    Attributes:
        nodes: How many nodes of that kind it had when they were last counted; None where nobody can tell.
        edges: How many edges, likewise.
        documents: How many documents, likewise.
        of_nodes: How many nodes it had in all.
        of_edges: How many edges it had in all.
        strays: Whether a mirror of this owner whose state was lost may have left some of it.
        whole: Whether all that it has under the name ``cognee`` is this owner's, from pushes of a graph that could not
            be mirrored.
        others: Whether others may have brought some of it, or may have brought what this mirror has, too.
    """

    nodes: _Count | None = None
    edges: _Count | None = None
    documents: _Count | None = None
    of_nodes: _Count = 0
    of_edges: _Count = 0
    strays: bool = False
    whole: bool = False
    others: bool = False

    @property
    def counts(self) -> tuple[int | None, int | None, int | None]:
        """How many nodes, edges and documents."""
        return self.nodes, self.edges, self.documents

    @property
    def is_there(self) -> bool:
        """Whether there is anything, as far as it is known."""
        return self.counts != (0, 0, 0)

    @property
    def is_in_graph(self) -> bool:
        """Whether there are nodes or edges, as far as it is known."""
        return (self.nodes, self.edges) != (0, 0)

    @property
    def is_ours(self) -> bool:
        """Whether some of it may go with a push, since this owner has left it."""
        return self.strays or self.whole

    @property
    def share(self) -> float | None:
        """The share of the remote's nodes or edges that may go with it, from 0 to 1; None where nobody can tell."""
        if self.nodes is None or self.edges is None:
            return None
        return max(self.nodes / max(self.of_nodes, 1), self.edges / max(self.of_edges, 1))

    def is_within(self, max_removed: float) -> bool:
        """Whether no more than that share of the nodes and edges there can go with it."""
        return max_removed >= 1 or (self.share is not None and self.share <= max_removed)


def unowned_as_json(found: Unowned | None) -> dict[str, Any] | None:
    """As JSON values; None where nothing is there."""
    if found is None or not found.is_there:
        return None
    counts = {"nodes": found.nodes, "edges": found.edges, "documents": found.documents}
    return {**counts, "in_words": f"{in_words(found)}: {how_it_goes(found)}"}


def in_words(found: Unowned) -> str:
    """How much there is."""
    if found.nodes is None or found.edges is None or found.documents is None:
        return "records that nobody here owns, it cannot be told how many"
    counts = {"node": found.nodes, "edge": found.edges, "document": found.documents}
    return f"{', '.join(counted(count, kind) for kind, count in counts.items() if count)} that nobody here owns"


def how_it_goes(found: Unowned) -> str:
    """What to do about it."""
    share = found.share
    if not found.is_in_graph:
        return "a push with adopt (--adopt) removes documents that are not in the graph"
    if found.is_ours and share is not None:
        what = "an earlier mirror of this graph" if found.strays else "a push of this graph as a whole"
        return (
            f"{what} may have left them; a push with on_removed remove and max_removed {math.ceil(share * 100)}% "
            f"or more removes those, one with adopt (--adopt) what full pushes have brought, too; {_STAYS}"
        )
    if found.is_ours or found.others:
        brought = "what full pushes and earlier mirrors of this graph have brought"
        return f"a push with adopt (--adopt) removes {brought}; {_STAYS}"
    return f"they go with {_REPLACE} only, which empties the graph before it is sent"


def tell_of_unowned(found: Unowned | None, before: Unowned | None, *, target: str) -> None:
    """Say in the log what is there besides: as a warning where it is news.

    Args:
        found: What is there now.
        before: What a push before has noted, if there was one.
        target: The remote dataset.
    """
    if found is not None and found.is_there:
        level = logging.INFO if before is not None and found.counts == before.counts else logging.WARNING
        logger.log(level, "%r has %s: %s", target, in_words(found), how_it_goes(found))
