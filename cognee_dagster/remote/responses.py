"""What a Cognee server answers, as typed values.

Fields are those of Cognee 1.6.5; what older servers leave out is None, what newer ones add is ignored. A parser raises
``ValueError`` with the reason when the answer is not Cognee's; the client turns that into an ``UnexpectedAnswerError``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Health:
    """``GET /health``.

    Attributes:
        version: Cognee's version as the server spells it; empty when it does not say.
        status: ``ready`` or ``not ready``.
    """

    version: str
    status: str


@dataclass(frozen=True, kw_only=True)
class RemoteUser:
    """``GET /api/v1/users/me``: whose key it is."""

    id: str
    email: str | None


@dataclass(frozen=True, kw_only=True)
class RemoteDataset:
    """One dataset that the key's user may read; other owners' shared ones are listed too, so names can repeat.

    A dataset that is deleted and made again has its old id, and a new ``created_at`` (UTC).
    """

    id: str
    name: str
    owner_id: str | None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteDocument:
    """One document of a dataset (``GET /api/v1/datasets/{id}/data``).

    Attributes:
        id: Cognee's data id.
        name: The stored file's name.
        external_system: Where an imported document came from; None for others.
        external_id: Its id there: the archive's ``external_id``.
        data_size: Bytes of the stored text.
    """

    id: str
    name: str | None
    external_system: str | None
    external_id: str | None
    data_size: int | None


class RemoteNode(NamedTuple):
    """A node as the remote shows it; ``label`` is its name, or ``<type>_<id>`` without one."""

    id: str
    label: str
    type: str
    properties: dict[str, Any]


class RemoteEdge(NamedTuple):
    """An edge as the remote shows it: ``label`` is the relationship."""

    source: str
    target: str
    label: str


@dataclass(frozen=True)
class RemoteGraph:
    """A dataset's whole graph (``GET /api/v1/datasets/{id}/graph``), the only correct count over HTTP."""

    nodes: tuple[RemoteNode, ...]
    edges: tuple[RemoteEdge, ...]

    def node_ids(self) -> set[str]:
        """The ids of all nodes."""
        return {node.id for node in self.nodes}

    def triples(self) -> set[tuple[str, str, str]]:
        """All edges as (source, label, target)."""
        return {(edge.source, edge.label, edge.target) for edge in self.edges}


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """One row of ``GET /api/v1/activity/pipeline-runs``. A run has several rows that share ``pipeline_run_id``.

    Attributes:
        row_id: Id of this row.
        kind: ``pipeline`` or ``operation``; servers before 1.5.4 do not say, and have pipelines only.
        pipeline_name: None for operations.
        pipeline_run_id: The run; the id that an import's answer names.
        status: ``DATASET_PROCESSING_STARTED``, ``…_COMPLETED`` or ``…_ERRORED``; None for operations.
        outcome: ``succeeded`` or ``failed`` on a run's last row; None before that, and on servers before 1.5.4.
        error_class: Exception class name of a failed run (1.5.4).
        background: On operations: True means that a ``succeeded`` outcome is only an acceptance.
        dataset_id: The dataset; it stays when the dataset is deleted.
        dataset_name: None when the dataset is deleted or not readable.
        user_id: Who started the run (1.5.4).
        created_at: When this row was written (UTC).
        started_at: When the run started (UTC; 1.5.4).
        ended_at: When the run ended (UTC; 1.5.4).
    """

    row_id: str
    kind: str
    pipeline_name: str | None
    pipeline_run_id: str | None
    status: str | None
    outcome: str | None
    error_class: str | None
    background: bool | None
    dataset_id: str | None
    dataset_name: str | None
    user_id: str | None
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MigrationImport:
    """The ``migration_import`` item of an import's answer: what the server did with one archive.

    Attributes:
        mode: The import mode that was applied.
        record_counts: Records read from the archive, by kind.
        graph_nodes: Exact for a foreground preserve, 0 for a background one, too high for hybrid (COGX import 1.6.5).
        graph_edges: Likewise.
        skipped_facts: Facts that were dropped because an end was not in the archive.
        deduped_edges: Facts that repeated another; None for hybrid and re-derive.
        pipeline_run_id: The import's run; None when there was no graph to import.
        graph_import: ``running`` while a background import goes on.
    """

    mode: str | None
    record_counts: dict[str, int]
    graph_nodes: int
    graph_edges: int
    skipped_facts: int
    deduped_edges: int | None
    pipeline_run_id: str | None
    graph_import: str | None


def parse_health(answer: object) -> Health:
    """``{"status", "health", "version"}``."""
    row = _object(answer, "a health report")
    if "status" not in row and "version" not in row:
        raise ValueError("a health report without status and version")
    return Health(version=str(row.get("version") or ""), status=str(row.get("status") or ""))


def parse_user(answer: object) -> RemoteUser:
    """``{"id", "email", …}``."""
    row = _object(answer, "a user")
    return RemoteUser(id=_required(row, "id", "a user"), email=_text(row, "email"))


def parse_dataset(answer: object) -> RemoteDataset:
    """``{"id", "name", "ownerId", …}``."""
    row = _object(answer, "a dataset")
    return RemoteDataset(
        id=_required(row, "id", "a dataset"),
        name=_required(row, "name", "a dataset"),
        owner_id=_text(row, "ownerId") or _text(row, "owner_id"),
        created_at=_moment(row, "createdAt"),
    )


def parse_datasets(answer: object) -> list[RemoteDataset]:
    """A list of datasets."""
    return _list_of(answer, parse_dataset, "datasets")


def parse_documents(answer: object) -> list[RemoteDocument]:
    """A page of documents."""
    return _list_of(answer, _document, "documents")


def parse_runs(answer: object) -> list[PipelineRun]:
    """A page of pipeline-run rows."""
    return _list_of(answer, _run, "pipeline runs")


def parse_graph(answer: object) -> RemoteGraph:
    """``{"nodes": […], "edges": […]}``."""
    row = _object(answer, "a graph")
    return RemoteGraph(
        nodes=tuple(_list_of(row.get("nodes"), _node, "nodes")),
        edges=tuple(_list_of(row.get("edges"), _edge, "edges")),
    )


def parse_import_mode_support(answer: object) -> bool:
    """Whether an OpenAPI description has ``import_mode`` in the body of ``POST /api/v1/remember``."""
    description = _object(answer, "an OpenAPI description")
    form = _dig(description, "paths", "/api/v1/remember", "post", "requestBody", "content", "multipart/form-data")
    body = _dig(form, "schema")
    composed = body.get("allOf")
    parts = [body, *(part for part in composed if isinstance(part, dict))] if isinstance(composed, list) else [body]
    referred = [str(part.get("$ref", "")).rpartition("/")[2] for part in parts]
    schemas = [*parts, *(_dig(description, "components", "schemas", name) for name in referred)]
    return any("import_mode" in _dig(schema, "properties") for schema in schemas)


def migration_imports(answer: Mapping[str, Any]) -> list[MigrationImport]:
    """The ``migration_import`` items of an answer to ``POST /api/v1/remember``; none: no archive was imported."""
    items = answer.get("items")
    rows = items if isinstance(items, list) else []
    return [_import(row) for row in rows if isinstance(row, dict) and row.get("kind") == "migration_import"]


def _import(row: Mapping[str, Any]) -> MigrationImport:
    counts = _dig(row, "record_counts")
    return MigrationImport(
        mode=_text(row, "mode"),
        record_counts={kind: _number(counts, kind) or 0 for kind in counts},
        graph_nodes=_number(row, "graph_nodes") or 0,
        graph_edges=_number(row, "graph_edges") or 0,
        skipped_facts=_number(row, "skipped_facts") or 0,
        deduped_edges=_number(row, "deduped_edges"),
        pipeline_run_id=_text(row, "pipeline_run_id"),
        graph_import=_text(row, "graph_import"),
    )


def _document(answer: object) -> RemoteDocument:
    row = _object(answer, "a document")
    metadata = row.get("externalMetadata")
    external = metadata if isinstance(metadata, dict) else {}
    return RemoteDocument(
        id=_required(row, "id", "a document"),
        name=_text(row, "name"),
        external_system=_text(external, "external_system"),
        external_id=_text(external, "external_id"),
        data_size=_number(row, "dataSize"),
    )


def _run(answer: object) -> PipelineRun:
    row = _object(answer, "a pipeline run")
    return PipelineRun(
        row_id=_required(row, "id", "a pipeline run"),
        kind=_text(row, "kind") or "pipeline",
        pipeline_name=_text(row, "pipeline_name"),
        pipeline_run_id=_text(row, "pipeline_run_id"),
        status=_text(row, "status"),
        outcome=_text(row, "outcome"),
        error_class=_text(row, "error_class"),
        background=row["background"] if isinstance(row.get("background"), bool) else None,
        dataset_id=_text(row, "dataset_id"),
        dataset_name=_text(row, "dataset_name"),
        user_id=_text(row, "user_id"),
        created_at=_moment(row, "created_at"),
        started_at=_moment(row, "started_at"),
        ended_at=_moment(row, "ended_at"),
    )


def _node(answer: object) -> RemoteNode:
    row = _object(answer, "a node")
    properties = row.get("properties")
    return RemoteNode(
        id=_required(row, "id", "a node"),
        label=str(row.get("label") or ""),
        type=str(row.get("type") or ""),
        properties=properties if isinstance(properties, dict) else {},
    )


def _edge(answer: object) -> RemoteEdge:
    row = _object(answer, "an edge")
    return RemoteEdge(
        source=_required(row, "source", "an edge"),
        target=_required(row, "target", "an edge"),
        label=str(row.get("label") or ""),
    )


def _object(answer: object, what: str) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ValueError(f"{type(answer).__name__} instead of {what}")
    return answer


def _list_of(answer: object, parse: Callable[[object], _T], what: str) -> list[_T]:
    if not isinstance(answer, list):
        raise ValueError(f"{type(answer).__name__} instead of a list of {what}")
    return [parse(row) for row in answer]


def _dig(tree: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The object at ``path``; an empty one where the path ends early."""
    found: Any = tree
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _required(row: Mapping[str, Any], key: str, what: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} without {key}")
    return value


def _text(row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    return value if isinstance(value, str) and value else None


def _number(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(row: Mapping[str, Any], key: str) -> datetime | None:
    """An ISO 8601 time; Cognee writes UTC without saying so. What cannot be read is None: no verdict hangs on it."""
    text = _text(row, key)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
