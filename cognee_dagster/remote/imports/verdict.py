"""The state of a remote import, read off the rows of the server's run feed. Pure: rows in, verdict out.

A run writes a STARTED row and, when it ends, one more with the same ``pipeline_run_id``; a server that dies leaves the
first alone for ever. What must not be trusted, measured on Cognee 1.6.5: the dataset's latest status (a recovery sweep
closes a dead *older* run an hour later and so overturns a newer success), "operation" rows (their "succeeded" means
accepted), and the answer "started" itself. Hence everything here goes by the run's own id.

Ages are differences between two times of the *server's* clock: a row's own time and ``now``, which callers know from
the ``Date`` of its answers, or from what has passed since it took the import over. Without it the newest time in the
rows stands in. That can only be too early: a healthy import never looks stalled, but a dead one may be noticed late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cognee_dagster.remote.imports.row_end import has_ended, has_succeeded, strange
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, COGNIFY_PIPELINE, ImportState
from cognee_dagster.remote.meanings import ABANDONED, ERROR_CLASS_MEANS
from cognee_dagster.remote.responses import PipelineRun

# Only its age tells a dead run from a slow one, until Cognee's recovery sweep closes it after an hour at the earliest.
# Longer than an import of a million nodes takes (11 to 16 ms a node on Cognee 1.6.5, growing with the graph).
STALLED_AFTER = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class ImportVerdict:
    """What the rows say.

    Attributes:
        state: The state.
        reason: It in words, with what to do next where something is to be done.
        error_class: The class of the error that the server names, for FAILED.
        started_at: When the import began, by the server's clock.
        finished_at: When the last of its runs ended, by the server's clock.
        progress: Which part is under way, for RUNNING and STALLED.
    """

    state: ImportState
    reason: str
    error_class: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: str | None = None


GONE = ImportVerdict(
    state=ImportState.GONE,
    reason="the remote dataset was deleted, or the key may no longer read it. Push again to create it.",
)
"""For who asks about one dataset and gets 403 (``RemotePermissionError``)."""


def judge_import(
    rows: Iterable[PipelineRun],
    *,
    run_id: str,
    cognifies: bool = False,
    now: datetime | None = None,
    stalled_after: timedelta = STALLED_AFTER,
) -> ImportVerdict:
    """What has become of the import with that run.

    Args:
        rows: Rows of ``migration_import_pipeline``, in any order, other runs' among them; with ``cognifies`` also those
            of ``cognify_pipeline`` and ``add_pipeline``.
        run_id: The import's ``pipeline_run_id``.
        cognifies: The import (hybrid with documents, in the background) is finished only when the cognify run that
            follows it is. That run's id is told nowhere: it is the dataset's first that started after the import's end.
        now: The time by the server's clock; None: the newest time in ``rows``.
        stalled_after: Age from which a run without an end is given up.
    """
    rows = [row for row in rows if row.kind == "pipeline"]
    clock = _Clock(now or _newest(rows), stalled_after)
    run = _Run.of(rows, run_id)
    if run is None:
        return _UNKNOWN
    verdict = run.verdict(clock, "the graph is being imported")
    if not cognifies or verdict.state is not ImportState.SUCCEEDED:
        return verdict
    return _after_documents(rows, run.dataset_id, since=run.ended_at, verdict=verdict, clock=clock)


def judge_rederive(
    rows: Iterable[PipelineRun],
    *,
    dataset_id: str,
    since: datetime,
    now: datetime | None = None,
    stalled_after: timedelta = STALLED_AFTER,
) -> ImportVerdict:
    """What has become of a background ``re-derive``, of which the server names no run at all.

    Args:
        rows: Rows of ``add_pipeline`` and ``cognify_pipeline``, other datasets' among them.
        dataset_id: The dataset, which the answer to the upload names.
        since: When the server had accepted the upload, by its own clock; its first runs after that are taken for ours.
        now: As for ``judge_import``.
        stalled_after: As for ``judge_import``.
    """
    rows = [row for row in rows if row.kind == "pipeline"]
    clock = _Clock(now or _newest(rows), stalled_after)
    accepted = ImportVerdict(state=ImportState.SUCCEEDED, reason="", started_at=since, finished_at=since)
    return _after_documents(rows, dataset_id, since=since, verdict=accepted, clock=clock)


@dataclass(frozen=True)
class _Clock:
    """The server's time, and how long a run may take."""

    now: datetime | None
    stalled_after: timedelta

    def age(self, started: datetime | None) -> timedelta:
        return self.now - started if self.now is not None and started is not None else timedelta(0)


@dataclass(frozen=True)
class _Run:
    """All rows of one run."""

    rows: Sequence[PipelineRun]

    @classmethod
    def of(cls, rows: Iterable[PipelineRun], run_id: str) -> "_Run | None":
        own = [row for row in rows if row.pipeline_run_id == run_id]
        return cls(own) if own else None

    @property
    def dataset_id(self) -> str | None:
        return self.rows[0].dataset_id

    @property
    def started_at(self) -> datetime | None:
        return min((moment for row in self.rows if (moment := row.started_at or row.created_at)), default=None)

    @property
    def last_row(self) -> PipelineRun | None:
        """The row that ended the run. A success counts before a sweep's word that the run was abandoned."""
        ended = [row for row in self.rows if has_ended(row)]
        return max(ended, key=lambda row: (row.error_class != ABANDONED, _moment(row)), default=None)

    @property
    def ended_at(self) -> datetime | None:
        return (self.last_row.ended_at or self.last_row.created_at) if self.last_row else None

    def verdict(self, clock: _Clock, doing: str) -> ImportVerdict:
        if all(row.dataset_name is None for row in self.rows):  # rows outlive their dataset, its name does not
            return GONE
        last = self.last_row
        if last is None:
            said = next((problem for row in self.rows if (problem := strange(row))), doing)
            return _unfinished(clock.age(self.started_at), clock, said, started_at=self.started_at)
        if has_succeeded(last):
            state, reason = ImportState.SUCCEEDED, "the import has finished."
        else:
            state, reason = ImportState.FAILED, _failure(last)
        return ImportVerdict(
            state=state,
            reason=reason,
            error_class=last.error_class,
            started_at=self.started_at,
            finished_at=self.ended_at,
        )


def _after_documents(
    rows: Sequence[PipelineRun],
    dataset_id: str | None,
    *,
    since: datetime | None,
    verdict: ImportVerdict,
    clock: _Clock,
) -> ImportVerdict:
    """The verdict on what follows an import's graph: its documents are added, then cognified."""
    started = verdict.started_at
    added = _first_run(rows, ADD_PIPELINE, dataset_id, since)
    if added is not None and added.verdict(clock, "").state in (ImportState.FAILED, ImportState.GONE):
        return added.verdict(clock, "")
    cognify = _first_run(rows, COGNIFY_PIPELINE, dataset_id, since)
    if cognify is None:
        return _unfinished(clock.age(since), clock, "the documents are being stored", started_at=started)
    result = cognify.verdict(clock, "the documents are being cognified")
    return ImportVerdict(
        state=result.state,
        reason=result.reason,
        error_class=result.error_class,
        started_at=started,
        finished_at=result.finished_at,
        progress=result.progress,
    )


def _first_run(
    rows: Sequence[PipelineRun], pipeline: str, dataset_id: str | None, since: datetime | None
) -> _Run | None:
    begun = {
        row.pipeline_run_id: row
        for row in sorted(rows, key=_moment, reverse=True)
        if row.pipeline_name == pipeline and row.dataset_id == dataset_id and row.pipeline_run_id
    }
    later = [row for row in begun.values() if since is None or (row.started_at or _moment(row)) >= since]
    first = min(later, key=_moment, default=None)
    return _Run.of(rows, first.pipeline_run_id) if first is not None and first.pipeline_run_id else None


def _unfinished(age: timedelta, clock: _Clock, doing: str, *, started_at: datetime | None) -> ImportVerdict:
    if age < clock.stalled_after:
        return ImportVerdict(
            state=ImportState.RUNNING, reason=f"{doing}, since {_spelled(age)}.", started_at=started_at, progress=doing
        )
    return ImportVerdict(
        state=ImportState.STALLED,
        reason=(
            f"begun {_spelled(age)} ago and without an end ({doing}): the server most likely died or was restarted. "
            "Push again: what is there already is kept. Allow more time where imports really take that long."
        ),
        started_at=started_at,
        progress=doing,
    )


_UNKNOWN = ImportVerdict(
    state=ImportState.UNKNOWN,
    reason=(
        "the remote shows no such run: the id is mistyped, it is another server or user than the one that was pushed "
        "to, or its database was reset. `cognee-dagster runs` lists the imports that it knows."
    ),
)


def _failure(row: PipelineRun) -> str:
    if row.error_class is None:
        return "the import failed; the server does not say why. See its log, then push again."
    why = ERROR_CLASS_MEANS.get(row.error_class, "the server's log says why. Mend that, then push again")
    return f"the import failed with {row.error_class}: {why}."


def _moment(row: PipelineRun) -> datetime:
    return row.created_at or datetime.min.replace(tzinfo=timezone.utc)


def _newest(rows: Iterable[PipelineRun]) -> datetime | None:
    return max((moment for row in rows for moment in (row.created_at, row.ended_at) if moment), default=None)


def _spelled(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
