"""What a push to a mirror does, once it is known what there is to do."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import RemoteError, RemotePermissionError, RemoteRejectedError
from cognee_dagster.pushing.archives import PushResult, announce
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.mirror.done.afterwards import Afterwards, looked_at, single_edges_confirmed
from cognee_dagster.pushing.mirror.done.deletions import Deletions
from cognee_dagster.pushing.mirror.done.noted_runs import NotedRuns
from cognee_dagster.pushing.mirror.done.result import mirror_result
from cognee_dagster.pushing.mirror.done.sending import Sending, Sent
from cognee_dagster.pushing.mirror.done.tidying import strays
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.kept.beside import tell_of_mirrors_beside
from cognee_dagster.pushing.mirror.kept.renamed import was_renamed
from cognee_dagster.pushing.mirror.kept.state import MirrorState, latest
from cognee_dagster.pushing.mirror.kept.turn import Turn
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.foreign_runs import wait_until_quiet
from cognee_dagster.pushing.mirror.seen.single_edges import unremovable
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MirrorPush:
    """One push, with all that it goes by.

    Attributes:
        archives: The graph's.
        client: The remote.
        turn: Its turn at the mirror; that it has ended ends the push.
        found: What there is, and what is to be done.
        mirror: How the mirror is kept.
        options: Where to.
        progress: Who is told.
        began_at: When it began to look, by the server's clock: imports that were begun later are not in ``found``.
        was_finished: Whether it has deleted by now what a push before had left to be deleted.
    """

    archives: Sequence[Archive]
    client: CogneeClient
    turn: Turn
    found: MirrorSurvey
    mirror: MirrorOptions
    options: PushOptions
    progress: PushProgress
    began_at: float
    was_finished: bool = False

    def run(self) -> PushResult:
        """Do what the plan says."""
        known = self.found.known
        if known.reason:
            stays = ". What others brought stays" if known.state is not None and not self.found.empties else ""
            logger.warning("The mirror %r is sent whole: %s%s", self.turn.dataset.name, known.reason, stays)
        if self.found.beside.num_nodes and not self.found.empties and not self.mirror.adopt:
            tell_of_mirrors_beside(self.found.beside, target=self.turn.dataset.name, is_first=known.state is None)
        if self.found.is_in_sync and known.state is not None:
            state = looked_at(self.found, known.state)
            if state != known.state:
                self._save(state)
            return self._result((), state=state)
        announce(
            self.archives, target=self.turn.dataset.name, connection=self.client.connection, progress=self.progress
        )
        try:
            return self._carry_out()
        except Exception:
            self._note_deletions()
            raise

    def _carry_out(self) -> PushResult:
        state = self._begin()
        if self.found.empties:
            self._empty()
        sent = self._send(state)
        state = self._confirm(sent)
        self._deletions.documents(self.found.documents.removed_keys)
        self._deletions.generations(state.deleting)
        self._deletions.references(self.found.references_left)
        if self.mirror.adopt:
            self._deletions.others(self.found.documents, self.found.beside.files)
        elif self.found.tidies and self.found.unowned is not None and self.found.unowned.whole:
            self._deletions.whole()
        if self._deletions.are_told_apart:
            state = msgspec.structs.replace(state, deleting=(), documents_deleting=())
        left = () if self.found.references_left or self.found.empties else state.left
        unowned = self._afterwards.unowned(state, has_sent=bool(sent.results), has_deleted=self._deletions.were_sent)
        state = self._end(msgspec.structs.replace(state, unowned=unowned, left=left))
        return self._result(sent.results, state=state, num_incomplete=len(sent.incomplete))

    @cached_property
    def _deletions(self) -> Deletions:
        return Deletions(
            self.client,
            self.turn,
            seen=self.found.known.seen,
            is_shared=self.found.beside.share,
            began_at=self.began_at,
            progress=self.progress,
        )

    def _note_deletions(self) -> None:
        """What a push has deleted that failed then is not somebody else's doing for the next one."""
        with contextlib.suppress(RemoteError, OSError):
            state = self.turn.files.load() if self._deletions.are_known else None
            if state is not None:
                self._save(state)

    def _save(self, state: MirrorState) -> None:
        """Note the state, unless it is another host's to note by now; what was done until a stop is noted."""
        self.turn.note(self._deletions.noted(state))

    def _begin(self) -> MirrorState:
        """Clear away what an earlier push left, and note what is about to be sent."""
        known, plan = self.found.known, self.found.plan
        empties = self.found.empties
        if empties or known.reason or known.leftovers or (known.state is not None and known.state.begun):
            wait_until_quiet(self.client, self.turn.dataset, stop=self.turn.lock.ended)
        if not empties:
            self._deletions.generations(known.leftovers)
        before = known.state or MirrorState(
            remote_url=self.client.connection.url,
            contents=self.turn.files.save_contents(known.contents),
            letters={},
            began_at=0.0,
            dataset_made_at=self._made_at,
        )
        # The contents are what was confirmed, whether that can be relied on or not: the push after a kill judges again.
        state = msgspec.structs.replace(
            before,
            begun={upload.segment: upload.letter for upload in plan.uploads},
            documents_begun=self._documents_begun(),
            dirty=tuple(sorted(known.dirty)),
            deleting=known.leftovers if empties else (),
            emptying=empties,
            unowned=self.found.unowned,
            dataset_name=self.turn.dataset.name,
            distrusted=known.reason if was_renamed(self.turn.dataset, before) else before.distrusted,
        )
        self._save(state)
        return state

    def _empty(self) -> None:
        """Only now, when it is noted: a push that is killed here is made good by the next one."""
        try:
            self._deletions.everything()
        except (RemotePermissionError, RemoteRejectedError) as error:
            if error.retryable:  # the server failed in the midst of it, and may have emptied some of it
                raise
            self._undo_begin()
            raise type(error)(
                f"{error} Nothing was sent. Push with on_removed remove, which needs no emptying.", status=error.status
            ) from error
        for beside in self.found.beside.files:  # nothing of theirs is there any more
            beside.remove()

    def _undo_begin(self) -> None:
        """Nothing has happened: what is known is what was known before."""
        if self.found.known.state is not None:
            self._save(self.found.known.state)
        else:
            self.turn.heed()
            self.turn.files.remove()

    @property
    def _made_at(self) -> float | None:
        made_at = self.turn.dataset.created_at
        return None if made_at is None else made_at.timestamp()

    def _documents_begun(self) -> tuple[int, ...]:
        """Documents of this push, and of one before that never came to its end."""
        state = self.found.known.state
        earlier = () if state is None else state.documents_begun
        return tuple(sorted({*earlier, *self.found.documents.sent_keys}))

    def _send(self, state: MirrorState) -> Sent:
        sending = Sending(
            archives=self.archives,
            client=self.client,
            turn=self.turn,
            found=self.found,
            options=self.options,
            progress=self.progress,
            runs=NotedRuns(state, is_shared=self.found.beside.share, save=self._save),
        )
        return sending.run(self._deletions)

    def _confirm(self, sent: Sent) -> MirrorState:
        """Everything has arrived: note that, and what is to be deleted now; what has not in full is sent once more."""
        known, plan, state = self.found.known, self.found.plan, sent.state
        again = {segment for segment in sent.incomplete if segment is not None}
        confirmed = msgspec.structs.replace(
            state,
            contents=self.turn.files.save_contents(self._contents_after),
            distrusted="",
            letters=dict(plan.letters),
            last_import=state.run_ids[-1] if state.run_ids != self._runs_before else "",
            began_at=min(self.began_at, known.unfinished_since or self.began_at),
            dataset_made_at=self._made_at,
            accounted=latest((*sorted(known.others), *state.accounted)),
            dirty=tuple(sorted(again)),
            overfull=tuple(sorted(plan.overfull)),
            begun={},
            documents_begun=self.found.documents.sent_keys if None in sent.incomplete else (),
            emptying=False,
            deleting=(*plan.deleted, *strays(self.found)),
            documents_deleting=tuple(sorted(self.found.documents.removed_keys)),
        )
        confirmed = single_edges_confirmed(self.found, confirmed)
        self._save(confirmed)
        return confirmed

    def _end(self, state: MirrorState) -> MirrorState:
        """Note that everything is done.

        Raises:
            UnremovableEdgesError: But for edges that the server has left.
        """
        state, left = self._afterwards.single_edges_left(state)
        if len(left.keys):
            contents = self.turn.files.save_contents(self._afterwards.contents_with(left))
            state = msgspec.structs.replace(state, contents=contents)
        self._save(state)
        if len(left.keys):
            raise unremovable(
                left,
                source=self.archives[0].dataset_name,
                where=f"{self.turn.dataset.name!r} on {self.client.connection.url}",
                happened="Everything else was sent, and removed.",
            )
        return state

    @cached_property
    def _afterwards(self) -> Afterwards:
        return Afterwards(
            client=self.client,
            dataset=self.turn.dataset,
            found=self.found,
            contents=self._contents_after,
            adopts=self.mirror.adopt,
        )

    @property
    def _runs_before(self) -> tuple[str, ...]:
        return () if self.found.known.state is None else self.found.known.state.run_ids

    @cached_property
    def _contents_after(self) -> MirrorContents:
        known, plan = self.found.known, self.found.plan
        once = known.contents if known.confirmed is None else known.confirmed
        contents = plan.contents_after(self.found.fingerprints, known.contents, confirmed=once)
        return self.found.documents.contents_after(contents)

    def _result(self, results: Sequence[DeliveryResult], *, state: MirrorState, num_incomplete: int = 0) -> PushResult:
        return mirror_result(
            results,
            found=self.found,
            state=state,
            dataset=self.turn.dataset,
            source=self.archives[0].dataset_name,
            changed=bool(results) or self._deletions.were_sent or self.was_finished,
            num_incomplete=num_incomplete,
        )
