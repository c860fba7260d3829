"""What is known of a mirror before a push, and how far it can be relied on."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cognee_dagster.pushing.changes import changes_since
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.documents import missing_documents
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.renamed import was_renamed, without_names
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.plan.happened import RESTORED, runs_of_mirrors, what_happened_since
from cognee_dagster.pushing.mirror.seen.foreign_runs import is_of
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.row_end import has_ended
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN, DEAD_AFTER
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

_CLOCK_WAS_AHEAD = "the remote's clock was ahead at the last push, so that it cannot be told what came after"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a mirror before a push.

    Attributes:
        state: As it was left; None where nothing is known, or the remote dataset is another one by now.
        contents: What the remote has confirmed; empty where that cannot be relied on.
        confirmed: What the remote has once confirmed, also where that cannot be relied on now; None where it was lost.
            Empty where the remote dataset was made again since: nothing of it can be there.
        reason: Why it cannot; empty where it can, and where nothing was ever known.
        others: Runs and operations of others that this push makes good for.
        seen: All runs and operations that were there when it was looked.
        unfinished_since: Since when something of others goes on that may change again what this push sends.
        leftovers: Generations that an earlier push has left behind, to be deleted before anything is sent.
        dirty: Segments of which the remote may have something else than the contents say.
        unowned: What the remote dataset may have besides, as it was last counted, if it was.
        overfull: Segments of which it has all that the contents say, and may have more.
        has_history: Whether anybody has imported into the remote dataset before, of which nothing is known.
        missing_documents: What those are known by that were confirmed and are no longer listed.
    """

    state: MirrorState | None
    contents: MirrorContents = field(repr=False)
    confirmed: MirrorContents | None = field(repr=False)
    reason: str = ""
    others: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    unfinished_since: float | None = None
    leftovers: tuple[tuple[int, str], ...] = ()
    dirty: frozenset[int] = frozenset()
    unowned: Unowned | None = None
    overfull: frozenset[int] = frozenset()
    has_history: bool = False
    missing_documents: frozenset[int] = frozenset()

    @property
    def is_certain(self) -> bool:
        """Whether the remote holds what was confirmed, and nothing else that this mirror may have brought."""
        return not (self.reason or self.leftovers or self.dirty or self.overfull or self.has_history)

    @property
    def is_counted_anew(self) -> bool:
        """Whether nobody can tell without counting how much the remote dataset has besides."""
        return self.unowned is not None and (self.state is None or bool(self.reason) or self.has_unseen_edges)

    @property
    def has_unseen_edges(self) -> bool:
        """Whether edges were deleted by a push that ended before it had looked whether they are gone."""
        return self.state is not None and self.state.single_edges == "unseen"

    @property
    def letters(self) -> dict[int, str]:
        """The present generation by segment."""
        return {} if self.state is None else dict(self.state.letters)


def look_up(
    client: CogneeClient,
    dataset: RemoteDataset | None,
    files: MirrorFiles | None,
    *,
    resend: bool,
    is_new: bool = False,
) -> Known:
    """What is known of a mirror, held against what the remote shows.

    Args:
        client: The remote.
        dataset: The remote dataset, if it is there.
        files: The mirror's, if there is a dataset.
        resend: Whether nothing is to be relied on.
        is_new: Whether the dataset has only just been made.

    Raises:
        RemoteError: The remote's runs cannot be listed.
        OSError: The store does not let it be read what is known.
        InvalidPushError: A later release has written it.
    """
    state = files.load() if files is not None else None
    nothing = MirrorContents.empty()
    if dataset is None or files is None:
        return Known(state=None, contents=nothing, confirmed=nothing)
    now = time.time() + client.clock_offset.total_seconds()
    if state is None or is_new or was_made_again(dataset, state):
        return _unknown(client, dataset, state, now=now, is_new=is_new)
    state = _with_others_of_before(state)
    renamed = was_renamed(dataset, state)
    if renamed:
        state = without_names(state, owner=files.owner)
    # Under another name than the present one: to be deleted. What it brought has overwritten what others share with it.
    begun = {segment: letter for segment, letter in state.begun.items() if state.letters.get(segment) != letter}
    leftovers = tuple(sorted({*begun.items(), *state.deleting}))
    begun_documents = (*state.documents_begun, *state.documents_deleting)
    contents = files.load_contents(state)
    known_runs = runs_of_mirrors(files, state, contents)
    others, happened = what_happened_since(client, dataset, state, contents, known_runs=known_runs, now=now)
    reason = _reason(state, now=now, resend=resend) or renamed or happened
    if reason or contents is None:
        is_behind = reason == _CLOCK_WAS_AHEAD or happened.startswith(RESTORED)
        return Known(
            state=state,
            contents=(nothing if contents is None else contents.distrusted()).without_texts_of(begun_documents),
            confirmed=contents,
            reason=reason or "what it has confirmed was lost",
            others=_made_good(others or {}),
            seen=known_runs | frozenset(others or {}),
            unfinished_since=_unfinished_since(others or {}, now=now),
            leftovers=leftovers,
            dirty=frozenset(state.letters),
            unowned=_unowned(state, may_be_more=is_behind, others=others),
        )
    missing = missing_documents(client, dataset, contents.document_keys)
    return Known(
        state=state,
        contents=contents.without_documents(missing).without_texts_of(begun_documents),
        confirmed=contents,
        seen=known_runs,
        leftovers=leftovers,
        dirty=frozenset((*state.dirty, *state.begun)) & frozenset(state.letters),
        unowned=state.unowned or (Unowned() if state.single_edges == "unseen" else None),
        overfull=frozenset(state.overfull) & frozenset(state.letters),
        missing_documents=missing,
    )


def _unknown(
    client: CogneeClient, dataset: RemoteDataset, state: MirrorState | None, *, now: float, is_new: bool
) -> Known:
    """Of a remote dataset of which nothing is known, or one that was made again since: what a mirror had is gone.

    What has happened there by now, was before the first push; what happened to a dataset before it, is no matter.
    """
    others = changes_since(client, dataset, began_at=now - DEAD_AFTER.total_seconds()) or {}
    imports = [row for row in others.values() if row.pipeline_name == IMPORT_PIPELINE]
    nothing = MirrorContents.empty()
    has_history = not is_new and any(
        is_of(dataset, row) for row in (*imports, *client.runs(dataset_id=dataset.id, limit=1))
    )
    return Known(
        state=None,
        contents=nothing,
        confirmed=nothing,
        reason="" if state is None else "the remote dataset was made again since",
        others=frozenset(number for number, row in others.items() if has_ended(row)),
        seen=frozenset(others),
        unfinished_since=_unfinished_since(others, now=now),
        unowned=Unowned(strays=state is None, others=True) if has_history else None,
        has_history=has_history,
    )


def _reason(state: MirrorState, *, now: float, resend: bool) -> str:
    """Why what was confirmed is not to be relied on, whatever others did since; empty if nothing speaks for it."""
    if resend:
        return "that was asked for"
    if state.distrusted:
        return state.distrusted
    if state.emptying:
        return "a push that was to empty the remote graph did not come to its end"
    if state.began_at > now + CLOCK_MARGIN.total_seconds():
        return _CLOCK_WAS_AHEAD
    return ""


def _unowned(state: MirrorState, *, may_be_more: bool, others: Mapping[str, PipelineRun] | None) -> Unowned | None:
    """What the remote may have besides, where what was confirmed cannot be relied on; who deletes brings nothing."""
    if not may_be_more and others is not None and all(row.pipeline_name is None for row in others.values()):
        return state.unowned
    return msgspec.structs.replace(state.unowned or Unowned(), whole=False, others=True)


def _with_others_of_before(state: MirrorState) -> MirrorState:
    """A state that notes what nobody owns; one without the dataset's name is older than such notes, and knows nothing
    of others. They are told once they are counted."""
    if state.dataset_name or state.unowned is not None:
        return state
    return msgspec.structs.replace(state, unowned=Unowned(nodes=0, edges=0, documents=0, others=True))


def was_made_again(dataset: RemoteDataset, state: MirrorState) -> bool:
    """Whether a remote dataset is known to be another one than that which a state speaks of."""
    made_at = None if dataset.created_at is None else dataset.created_at.timestamp()
    return None not in (made_at, state.dataset_made_at) and made_at != state.dataset_made_at


def _made_good(others: Mapping[str, PipelineRun]) -> frozenset[str]:
    """What has ended, and imports, which are waited for."""
    return frozenset(number for number, row in others.items() if row.pipeline_name == IMPORT_PIPELINE or has_ended(row))


def _unfinished_since(others: Mapping[str, PipelineRun], *, now: float) -> float | None:
    """When the first of the others began that have not ended; those are dead that are too old."""
    begun = [row.created_at.timestamp() for row in others.values() if row.created_at and not has_ended(row)]
    return min((moment for moment in begun if moment > now - DEAD_AFTER.total_seconds()), default=None)
