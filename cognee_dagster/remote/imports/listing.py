"""The imports that a remote knows, newest first, each with what has become of it."""

from dataclasses import dataclass
from datetime import datetime, timezone

from cognee_dagster.remote.imports.feed import ROWS_PER_PAGE, RunFeed
from cognee_dagster.remote.imports.verdict import IMPORT_PIPELINE, ImportVerdict, judge_import
from cognee_dagster.remote.responses import PipelineRun

_MAX_PAGES = 4


@dataclass(frozen=True, kw_only=True)
class ListedImport:
    """One import. ``dataset_name`` is None where the dataset was deleted."""

    run_id: str
    dataset_id: str | None
    dataset_name: str | None
    verdict: ImportVerdict


def list_imports(feed: RunFeed, *, dataset_id: str | None = None, limit: int) -> list[ListedImport]:
    """The newest imports.

    Args:
        feed: The remote.
        dataset_id: Only those into this dataset.
        limit: How many at most; a run whose later rows alone are among the newest 2,000 is listed, too.

    Raises:
        RemoteError: The remote gave no answer, or none of Cognee's.
    """
    by_run: dict[str, list[PipelineRun]] = {}
    for number in range(_MAX_PAGES):
        page = feed.runs(
            pipeline_name=IMPORT_PIPELINE, dataset_id=dataset_id, limit=ROWS_PER_PAGE, offset=number * ROWS_PER_PAGE
        )
        for row in page:
            if row.pipeline_run_id:
                by_run.setdefault(row.pipeline_run_id, []).append(row)
        if len(page) < ROWS_PER_PAGE or len(by_run) > limit:
            break
    newest = sorted(by_run.items(), key=lambda item: _begun(item[1]), reverse=True)
    return [_listed(run_id, rows) for run_id, rows in newest[:limit]]


def _listed(run_id: str, rows: list[PipelineRun]) -> ListedImport:
    return ListedImport(
        run_id=run_id,
        dataset_id=next((row.dataset_id for row in rows if row.dataset_id), None),
        dataset_name=next((row.dataset_name for row in rows if row.dataset_name), None),
        verdict=judge_import(rows, run_id=run_id, now=datetime.now(timezone.utc)),
    )


def _begun(rows: list[PipelineRun]) -> datetime:
    moments = [moment for row in rows if (moment := row.started_at or row.created_at)]
    return min(moments, default=datetime.min.replace(tzinfo=timezone.utc))
