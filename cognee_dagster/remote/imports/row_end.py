"""Whether a run ended with one of its rows, and how: in two words that a server may use against each other."""

from cognee_dagster.remote.responses import PipelineRun

_OUTCOMES = ("succeeded", "failed")  # of pipeline runs; Cognee 1.6.5, api/v1/activity
_OUTCOME_OF = {"_COMPLETED": "succeeded", "_ERRORED": "failed", "_STARTED": None, "_INITIATED": None}  # by status


def has_ended(row: PipelineRun) -> bool:
    """Whether a run ended with this row. ``outcome`` exists since 1.5.4; the status alone says it before.

    An outcome that is not known here, or that the rest of its row contradicts, says nothing of an end: it is asked
    about again.
    """
    return _outcome_of(row) is not None and not strange(row)


def _outcome_of(row: PipelineRun) -> str | None:
    """How a run ended, by one row of it; None where that is not its last."""
    return row.outcome or next((outcome for end, outcome in _OUTCOME_OF.items() if _ends(row, end)), None)


def _ends(row: PipelineRun, end: str) -> bool:
    return (row.status or "").endswith(end)


def strange(row: PipelineRun) -> str:
    """What a row says that cannot be made out, in words; empty where there is nothing."""
    outcome = _outcome_of(row)
    if outcome not in (None, *_OUTCOMES):
        return f"the remote says {outcome!r:.80} of it, which is not known here"
    by_status = {_OUTCOME_OF[end] for end in _OUTCOME_OF if _ends(row, end)}
    if (by_status and outcome not in by_status) or (outcome == "succeeded" and row.error_class is not None):
        words = ", ".join(filter(None, (row.outcome, row.status, row.error_class)))
        return f"the remote contradicts itself about it ({words})"
    return ""


def has_succeeded(row: PipelineRun) -> bool:
    """Whether that end, if it is one, is a success."""
    return _outcome_of(row) == "succeeded"
