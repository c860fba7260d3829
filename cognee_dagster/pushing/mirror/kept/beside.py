"""Other mirrors in a remote dataset that are kept in the same place: this one, too, before it was renamed."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.errors import InvalidPushError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

logger = logging.getLogger(__name__)


def _nothing() -> "tuple[Integers, Integers, Integers]":
    return (np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.uint64))


@dataclass(frozen=True, kw_only=True)
class MirrorsBeside:
    """Mirrors in the same remote dataset.

    Attributes:
        files: Theirs.
        num_nodes: How many nodes they have brought that the graph does not have.
        common: Numbers of the graph's nodes that they have brought, too.
        owned: What nodes, edges and documents are known by that they have brought, each uint64.
        share: Whether one of them has, or may have, a node or a document of the graph: what is sent now changes what
            it has brought, so that it cannot rely on these imports, even when nothing is shared any more.
    """

    files: tuple[MirrorFiles, ...] = ()
    num_nodes: int = 0
    common: "Integers" = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    owned: "tuple[Integers, Integers, Integers]" = field(default_factory=_nothing, repr=False)
    share: bool = False


def look_beside(files: MirrorFiles, graph: GraphFingerprints, document_keys: "Integers") -> MirrorsBeside:
    """What they have brought besides a graph and its documents, as far as what is known of them can be read."""
    found, owned, share = [], [_nothing()], False
    for sibling in files.siblings():
        try:
            state = sibling.load()
            contents = sibling.load_contents(state) if state is not None else None
        except (OSError, InvalidPushError):  # another user's, or a later release's
            share = True
            continue
        if state is not None:
            found.append(sibling)
            share |= bool(contents is None or state.begun or np.isin(document_keys, contents.document_keys).any())
            if contents is not None:
                owned.append((contents.node_keys, contents.edge_keys, contents.document_keys))
    nodes, edges, documents = (np.unique(np.concatenate(keys)) for keys in zip(*owned, strict=True))
    common = np.flatnonzero(np.isin(graph.node_keys, nodes))
    return MirrorsBeside(
        files=tuple(found),
        num_nodes=len(np.setdiff1d(nodes, graph.node_keys)),
        common=common,
        owned=(nodes, edges, documents),
        share=share or bool(len(common)),
    )


def tell_of_mirrors_beside(beside: MirrorsBeside, *, target: str, is_first: bool) -> None:
    """Say in the log what stays: the first time as a warning, since it may be this mirror under another name.

    Args:
        beside: They.
        target: The remote dataset.
        is_first: Whether nothing is known of this mirror so far.
    """
    logger.log(
        logging.WARNING if is_first else logging.INFO,
        "Another mirror has brought %s into %r that this graph does not have; they stay. If it is this one under an "
        "earlier name, push once with adopt (--adopt), which removes them",
        counted(beside.num_nodes, "node"),
        target,
    )
