"""What became of a delivery, and how that is known."""

from dataclasses import dataclass
from typing import Any

from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.remote.imports.vocabulary import ImportState


@dataclass(frozen=True, kw_only=True)
class DeliveryResult:
    """What became of an upload.

    Attributes:
        status: ``completed``, ``started`` or ``running``.
        response: The server's answer, or one of the same shape where ours was not waited for or was lost.
        pipeline_run_id: The import's run on the remote; None where that cannot be known.
        known_by: Where this comes from.
    """

    status: str
    response: dict[str, Any]
    pipeline_run_id: str | None
    known_by: KnownBy


def going_on(request: DeliveryRequest, run_id: str, **how: bool) -> DeliveryResult:
    """The result of a delivery whose import goes on without us."""
    state = ImportState.RUNNING if request.cognifies else ImportState.STARTED
    response = _stand_in_answer(request, run_id, status=state.status, graph_import="running", **how)
    return DeliveryResult(status=state.status, response=response, pipeline_run_id=run_id, known_by=KnownBy.RUN)


def read_back(request: DeliveryRequest, run_id: str | None, *, repeated_edges: int) -> DeliveryResult:
    """The result of a delivery without a usable answer, whose archive was found in the remote graph."""
    status = ImportState.SUCCEEDED.status
    response = _stand_in_answer(request, run_id, status=status, graph_import=status, recovered=True)
    response["items"][0] |= {"skipped_facts": 0, "deduped_edges": repeated_edges}
    return DeliveryResult(status=status, response=response, pipeline_run_id=run_id, known_by=KnownBy.REMOTE_GRAPH)


def _stand_in_answer(
    request: DeliveryRequest, run_id: str | None, *, status: str, graph_import: str, **how: bool
) -> dict[str, Any]:
    """An answer in the shape of the server's own."""
    return {
        "status": status,
        "dataset_name": request.dataset.name,
        "dataset_id": request.dataset.id or None,
        "pipeline_run_id": run_id,
        "items": [
            {
                "kind": "migration_import",
                "source_system": request.archive.source_system,
                "mode": request.mode,
                "record_counts": dict(request.archive.record_counts),
                "pipeline_run_id": run_id,
                "graph_import": graph_import,
            }
        ],
        **how,
    }
