"""What can be said about how a mirror is kept."""

from dataclasses import dataclass
from typing import get_args

from cognee_dagster.pushing.options import MAX_REMOVED, OnRemoved


@dataclass(frozen=True, kw_only=True)
class MirrorOptions:
    """How a mirror is kept; checked when it is made.

    Attributes:
        on_removed: What becomes of nodes, edges and documents that are on the remote and no longer in the graph:
            ``remove`` them, ``keep`` them, ``fail`` before anything is sent, or ``replace`` the whole remote graph:
            it is emptied, of what others brought, too, and everything is sent.
        max_removed: The share of the nodes, edges or documents that may be removed in one push, from 0 to 1.
        adopt: Whether what ``cognee.push()``, a full push or another mirror that is kept in the same place has
            brought into the remote dataset is taken over: what is not in the graph is removed, whoever brought it.
        resend: Whether everything is sent again under new names, and the old ones deleted, whatever is known.
        source: What is mirrored, for its names on the remote; None: the local dataset's name.
        segment_nodes: How many nodes a new segment has; None: see ``segments.usual_segment_nodes``.

    Raises:
        ValueError: A value makes no sense.
    """

    on_removed: OnRemoved = "remove"
    max_removed: float = MAX_REMOVED
    adopt: bool = False
    resend: bool = False
    source: str | None = None
    segment_nodes: int | None = None

    def __post_init__(self) -> None:
        if self.on_removed not in get_args(OnRemoved):
            raise ValueError(f"on_removed is {self.on_removed!r}; it is one of {', '.join(get_args(OnRemoved))}.")
        is_number = isinstance(self.max_removed, int | float) and not isinstance(self.max_removed, bool)
        if not is_number or not 0 <= self.max_removed <= 1:
            raise ValueError(f"max_removed is {self.max_removed!r}; it is a share from 0 to 1, such as 0.2 for 20 %.")
        if self.segment_nodes is not None and self.segment_nodes < 2:
            raise ValueError(f"segment_nodes is {self.segment_nodes!r}; an edge has two ends, so it is at least 2.")
