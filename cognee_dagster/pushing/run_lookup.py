"""Find the import run that one upload of ours started; the server does not say before the import is over."""

from datetime import datetime, timedelta

from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import PipelineRun

# The server's clock is known to the second, from the Date of its answers.
_CLOCK_MARGIN = timedelta(seconds=2)


class RunLookup:
    """Looks for the run of one upload among a dataset's runs.

    Ours can only be one that was not there before, and that began after our whole body was sent. Where more than one
    fits, none is taken: reporting another push's run as ours would be worse than waiting for the answer.
    """

    def __init__(self, client: CogneeClient, dataset_id: str) -> None:
        self._client = client
        self._dataset_id = dataset_id
        self._others = {row.pipeline_run_id for row in self._rows()}

    def find(self, *, body_sent_at: datetime) -> str | None:
        """The ``pipeline_run_id`` of our run; None while it is not there, or while several fit.

        Args:
            body_sent_at: When the whole body was out, by our clock.
        """
        earliest = body_sent_at + self._client.clock_offset - _CLOCK_MARGIN
        fitting = {row.pipeline_run_id for row in self._rows() if _began_by(row, earliest)} - self._others
        return fitting.pop() if len(fitting) == 1 else None

    def _rows(self) -> list[PipelineRun]:
        return self._client.runs(dataset_id=self._dataset_id)


def _began_by(row: PipelineRun, earliest: datetime) -> bool:
    began = row.started_at or row.created_at
    return began is None or began >= earliest
