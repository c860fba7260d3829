"""How long a server would take for the imports of a push, by what its own imports of the mirror have taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cognee_dagster.remote.imports.row_end import has_ended
from cognee_dagster.remote.responses import PipelineRun


@dataclass(frozen=True, kw_only=True)
class ServerTime:
    """What the server would take.

    Attributes:
        seconds: For all imports together; None where none of its own is known that tells.
        by_runs: Of how many of its imports this is known.
    """

    seconds: float | None
    by_runs: int = 0


def estimate(rows: Iterable[PipelineRun], run_nodes: Mapping[str, int], planned: Sequence[int]) -> ServerTime:
    """What imports would take.

    Args:
        rows: The remote's runs.
        run_nodes: How many nodes each of the mirror's runs brought.
        planned: How many nodes each archive would bring.
    """
    if not planned:
        return ServerTime(seconds=0.0)
    known = [(run_nodes[run_id], seconds) for run_id, seconds in _seconds(rows).items() if run_nodes.get(run_id)]
    if not known:
        return ServerTime(seconds=None)
    each, per_node = _line(known)
    return ServerTime(seconds=each * len(planned) + per_node * sum(planned), by_runs=len(known))


def _seconds(rows: Iterable[PipelineRun]) -> dict[str, float]:
    """How long the runs took that have ended well; a run has a row for its beginning and one for its end."""
    began: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for row in rows:
        if row.pipeline_run_id is None or row.error_class is not None:
            continue
        if (start := row.started_at or row.created_at) is not None:
            began[row.pipeline_run_id] = min(start, began.get(row.pipeline_run_id, start))
        if has_ended(row) and (end := row.ended_at or row.created_at) is not None:
            ended[row.pipeline_run_id] = end
    return {run_id: max((end - began[run_id]).total_seconds(), 0.0) for run_id, end in ended.items() if run_id in began}


def _line(known: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Seconds for an import, and for each of its nodes."""
    nodes, seconds = (np.array(values, float) for values in zip(*known, strict=True))
    if len(set(nodes.tolist())) > 1:
        per_node, each = np.polyfit(nodes, seconds, 1).tolist()
        if per_node > 0 and each >= 0:
            return each, per_node
    return 0.0, float(seconds.sum() / nodes.sum())
