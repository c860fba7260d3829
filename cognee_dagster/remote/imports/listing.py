"""The imports that a remote knows, newest first, each with what has become of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from cognee_dagster.remote.imports.feed import ROWS_PER_PAGE, Look, RunFeed, rows_sent
from cognee_dagster.remote.imports.following import cognify_has_followed
from cognee_dagster.remote.imports.run_times import RunTimes, run_times
from cognee_dagster.remote.imports.verdict import ImportVerdict, judge_import
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, COGNIFY_PIPELINE, IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun

_MAX_PAGES = 4


@dataclass(frozen=True, kw_only=True)
class ListedImport:
    """One import.

    Attributes:
        run_id: Its run.
        dataset_id: The remote dataset's id.
        dataset_name: Its name; None where it was deleted.
        verdict: What has become of it, and of the cognify run that followed it, if one did.
        cognified: Whether one did: then the verdict is on that.
    """

    run_id: str
    dataset_id: str | None
    dataset_name: str | None
    verdict: ImportVerdict
    cognified: bool


def list_imports(feed: RunFeed, *, dataset_id: str | None = None, limit: int) -> list[ListedImport]:
    """The newest imports.

    Args:
        feed: The remote.
        dataset_id: Only those into this dataset.
        limit: How many at most; a run whose later rows alone are among the newest 2,000 is listed, too.

    Raises:
        RemoteError: The remote gave no answer, or none of Cognee's.
    """
    imports = _newest_rows(feed, IMPORT_PIPELINE, dataset_id=dataset_id, limit=limit)
    newest = sorted(run_times(imports), key=lambda run: run.began or _LONG_AGO, reverse=True)[:limit]
    ended = [run.ended for run in newest if run.ended is not None]
    following = [
        row
        for pipeline in (ADD_PIPELINE, COGNIFY_PIPELINE)
        if ended
        for row in _newest_rows(feed, pipeline, dataset_id=dataset_id, since=min(ended))
    ]
    by_dataset: dict[str | None, list[PipelineRun]] = {}
    for row in [*imports, *following]:
        by_dataset.setdefault(row.dataset_id, []).append(row)
    times = {dataset: run_times(rows) for dataset, rows in by_dataset.items()}
    now = datetime.now(timezone.utc) + feed.clock_offset
    return [_listed(run, rows=by_dataset[run.dataset_id], others=times[run.dataset_id], now=now) for run in newest]


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


def _newest_rows(
    feed: RunFeed, pipeline: str, *, dataset_id: str | None, limit: int | None = None, since: datetime = _LONG_AGO
) -> list[PipelineRun]:
    """A pipeline's rows, page after page, until they are of more than ``limit`` runs or older than ``since``."""
    rows: list[PipelineRun] = []
    look = Look()
    for number in range(_MAX_PAGES):
        look.heed()
        page = feed.runs(
            pipeline_name=pipeline, dataset_id=dataset_id, limit=ROWS_PER_PAGE, offset=number * ROWS_PER_PAGE
        )
        rows += page
        runs = {row.pipeline_run_id for row in rows}
        last = page[-1].created_at if page else None
        if (
            rows_sent(page) < ROWS_PER_PAGE
            or (limit is not None and len(runs) > limit)
            or (last is not None and last < since)
        ):
            break
    return rows


def _listed(run: RunTimes, *, rows: Sequence[PipelineRun], others: Sequence[RunTimes], now: datetime) -> ListedImport:
    """The listed import, from all that is known of its dataset."""
    cognified = cognify_has_followed(run, others)
    return ListedImport(
        run_id=run.id,
        dataset_id=run.dataset_id,
        dataset_name=next((row.dataset_name for row in rows if row.dataset_name), None),
        verdict=judge_import(rows, run_id=run.id, cognifies=cognified, now=now),
        cognified=cognified,
    )
