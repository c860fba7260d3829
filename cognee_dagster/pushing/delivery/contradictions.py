"""What in an answer that says ``completed`` says otherwise.

An answer of Cognee's (1.6.5) agrees with itself: it is about the dataset and the one archive that were asked for, names
no error, and has imported nodes where nodes were sent. One that does not is a gateway's, or hides a failure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.responses import migration_imports
from cognee_dagster.remote.wording import quoted

_COMPLETED = ImportState.SUCCEEDED.status


def contradictions(request: DeliveryRequest, answer: Mapping[str, Any]) -> list[str]:
    """What an answer says besides its ``completed`` that cannot be so, in words; none where it agrees with itself."""
    return [*_of_the_whole(request, answer), *_of_the_import(request, answer)]


def _of_the_whole(request: DeliveryRequest, answer: Mapping[str, Any]) -> Iterator[str]:
    name, dataset_id = answer.get("dataset_name"), answer.get("dataset_id")
    if name is not None and name != request.dataset.name:
        yield f"it is about dataset {quoted(str(name))}"
    elif dataset_id is not None and request.dataset.id and str(dataset_id).lower() != request.dataset.id.lower():
        yield f"it is about the dataset with the id {quoted(str(dataset_id))}"
    yield from _errors(answer)


def _of_the_import(request: DeliveryRequest, answer: Mapping[str, Any]) -> Iterator[str]:
    items = answer.get("items")
    rows = [row for row in items if isinstance(row, dict)] if isinstance(items, list) else []
    imports = [row for row in rows if row.get("kind") == "migration_import"]
    if len(imports) > 1:
        yield f"it is about {counted(len(imports), 'archive')}, and one was sent"
    for row in imports:
        for field, expected in (("graph_import", _COMPLETED), ("status", _COMPLETED), ("mode", request.mode)):
            if row.get(field) not in (None, expected):
                yield f"its import has the {field} {quoted(str(row[field]))}"
        yield from _errors(row)
    if request.mode == "re-derive":  # which imports no graph
        return
    counts = request.archive.record_counts
    nodes = counts.get("entity", 0) + counts.get("raw_node", 0)
    for found in migration_imports(answer):
        if not found.record_counts and any(counts.values()):
            yield "it does not say how many records it has read"
        elif nodes and found.graph_nodes == 0:
            yield f"it has imported none of {counted(nodes, 'node')}"


def _errors(row: Mapping[str, Any]) -> Iterator[str]:
    for field in ("error", "errors"):
        if row.get(field):
            yield f"it names an error: {quoted(str(row[field]))}"
    if row.get("success") is False:
        yield "it says that it was no success"
