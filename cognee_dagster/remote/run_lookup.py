"""Find the import run that one upload of ours started; the server does not say before the import is over."""

from cognee_dagster.remote.client import CogneeClient


class RunLookup:
    """Looks for the run of one upload among a dataset's runs.

    Only what appears after our whole body was sent can be ours. That is decided by looking twice, not by comparing
    clocks: a run that is visible at the moment the body is complete belongs to somebody else (the server has not even
    parsed ours). Where more than one new run fits, none is taken: reporting another push's run as ours would be worse
    than waiting for the answer.
    """

    def __init__(self, client: CogneeClient, dataset_id: str) -> None:
        self._client = client
        self._dataset_id = dataset_id
        self._others: set[str] = set()

    def body_sent(self) -> None:
        """Note that the whole body is out now; every run visible at this moment is not ours."""
        self._others |= self._visible()

    def find(self) -> str | None:
        """The ``pipeline_run_id`` of our run; None while it is not there, or while several fit."""
        fitting = self._visible() - self._others
        return fitting.pop() if len(fitting) == 1 else None

    def _visible(self) -> set[str]:
        rows = self._client.runs(dataset_id=self._dataset_id)
        return {row.pipeline_run_id for row in rows if row.pipeline_run_id is not None}
