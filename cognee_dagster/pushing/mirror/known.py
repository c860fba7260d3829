"""What is known of a mirror before a push, and how far it can be relied on."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.pushing.mirror.contents import MirrorContents
from cognee_dagster.pushing.mirror.foreign_runs import others_since
from cognee_dagster.pushing.mirror.state import MirrorFiles, MirrorState
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a mirror before a push.

    Attributes:
        state: As it was left; None where nothing is known.
        contents: What the remote has confirmed; empty where that cannot be relied on.
        confirmed: What the remote has once confirmed, also where that cannot be relied on now; None where it was lost.
        reason: Why it cannot; empty where it can, and where nothing is known.
        others: Runs of others that this push makes good for.
        leftovers: Generations that an earlier push has left behind, to be deleted before anything is sent.
        dirty: Segments of which the remote may have something else than the contents say.
        has_history: Whether anybody has imported into the remote dataset before, of which nothing is known.
    """

    state: MirrorState | None
    contents: MirrorContents = field(repr=False)
    confirmed: MirrorContents | None = field(repr=False)
    reason: str = ""
    others: frozenset[str] = frozenset()
    leftovers: tuple[tuple[int, str], ...] = ()
    dirty: frozenset[int] = frozenset()
    has_history: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether the remote holds what was confirmed, and nothing else that this mirror may have brought."""
        return not (self.reason or self.leftovers or self.dirty or self.has_history)

    @property
    def letters(self) -> dict[int, str]:
        """The present generation by segment."""
        return {} if self.state is None else dict(self.state.letters)


def look_up(client: CogneeClient, dataset: RemoteDataset | None, files: MirrorFiles | None, *, resend: bool) -> Known:
    """What is known of a mirror, held against what the remote shows.

    Args:
        client: The remote.
        dataset: The remote dataset, if it is there.
        files: The mirror's, if there is a dataset.
        resend: Whether nothing is to be relied on.

    Raises:
        RemoteError: The remote's runs cannot be listed.
        OSError: The store does not let it be read what is known.
    """
    state = files.load() if files is not None else None
    nothing = MirrorContents.empty()
    if dataset is None or files is None:
        return Known(state=None, contents=nothing, confirmed=nothing)
    if state is None:
        history = bool(client.runs(dataset_id=dataset.id, limit=1))
        return Known(state=None, contents=nothing, confirmed=nothing, has_history=history)
    # Under another name than the present one: to be deleted. What it brought has overwritten what others share with it.
    begun = {segment: letter for segment, letter in state.begun.items() if state.letters.get(segment) != letter}
    leftovers = tuple(sorted({*begun.items(), *state.deleting}))
    contents = files.load_contents(state)
    known_runs = frozenset(state.run_ids) | (_siblings_runs(files, contents) if contents is not None else frozenset())
    others = others_since(client, dataset, began_at=state.began_at, known_runs=known_runs)
    reason = _reason(dataset, state, others, is_lost=contents is None, resend=resend)
    if reason:
        return Known(
            state=state,
            contents=nothing if contents is None else contents.distrusted(),
            confirmed=contents,
            reason=reason,
            others=others or frozenset(),
            leftovers=leftovers,
            dirty=frozenset(state.letters),
        )
    known = contents if contents is not None else nothing
    return Known(
        state=state,
        contents=known.without_texts_of(state.documents_begun),
        confirmed=known,
        leftovers=leftovers,
        dirty=frozenset((*state.dirty, *state.begun)) & frozenset(state.letters),
    )


def _reason(
    dataset: RemoteDataset, state: MirrorState, others: frozenset[str] | None, *, is_lost: bool, resend: bool
) -> str:
    """Why the remote dataset may hold something else than was confirmed; empty if nothing speaks for it."""
    if resend:
        return "that was asked for"
    made_at = None if dataset.created_at is None else dataset.created_at.timestamp()
    if None not in (made_at, state.dataset_made_at) and made_at != state.dataset_made_at:
        return "the remote dataset was made again since"
    if state.emptying:
        return "a push that was to empty the remote graph did not come to its end"
    if others is None:
        return "more was imported into the remote dataset since than can be looked at"
    if others:
        return f"somebody else has imported into the remote dataset since (run {sorted(others)[0]})"
    return "what it has confirmed was lost" if is_lost else ""


def _siblings_runs(files: MirrorFiles, contents: MirrorContents) -> frozenset[str]:
    """Runs of other mirrors in the remote dataset that have nothing in common with this one."""
    found = frozenset[str]()
    for sibling in files.siblings():
        try:
            state = sibling.load()
            theirs = None if state is None else sibling.load_contents(state)
        except OSError as error:  # such as another user's: without it more is sent
            logger.warning("%s: runs of that mirror count as somebody else's: %s", sibling.directory, error.__cause__)
            continue
        if state is not None and theirs is not None and not state.begun and not _overlap(contents, theirs):
            found |= frozenset(state.run_ids)
    return found


def _overlap(ours: MirrorContents, theirs: MirrorContents) -> bool:
    shared_nodes = np.intersect1d(ours.node_keys, theirs.node_keys)
    return bool(len(shared_nodes) or len(np.intersect1d(ours.document_keys, theirs.document_keys)))
