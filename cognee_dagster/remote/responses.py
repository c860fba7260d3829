"""What a Cognee server answers, as typed values.

Fields are those of Cognee 1.6.5; what older servers leave out is None, what newer ones add is ignored (see ``rows``).
A parser raises ``ValueError`` with the reason when the answer is not Cognee's; the client turns that into an
``UnexpectedAnswerError``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from cognee_dagster.remote.moments import in_utc
from cognee_dagster.remote.rows import Id, Rows, Text, row_of, rows_of, tolerant
from cognee_dagster.remote.wording import safe

_MAX_LEVELS = 64
_MAX_NAME = 300  # characters; thousands of rows are held at a time
_Body = bytes | bytearray
_WORD = re.compile(r"[\w.:-]{1,100}")  # a name in a program; anything else would be a stranger's sentence on our pages


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /health``.

    Attributes:
        version: Cognee's version as the server spells it; empty when it does not say.
        status: ``ready`` or ``not ready``.
    """

    version: str = ""
    status: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "version", safe(self.version)[:40])


class RemoteUser(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /api/v1/users/me``: whose key it is."""

    id: Id
    email: str | None = None


class RemoteDataset(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset that the key's user may read; other owners' shared ones are listed too, so names can repeat.

    A dataset that is deleted and made again has its old id, and a new ``created_at`` (UTC).
    """

    id: Id
    name: Text
    owner_id: Id | None = msgspec.field(name="ownerId", default=None)
    created_at: datetime | None = msgspec.field(name="createdAt", default=None)

    def __post_init__(self) -> None:
        force_setattr(self, "created_at", in_utc(self.created_at))


class RemoteDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a dataset (``GET /api/v1/datasets/{id}/data``).

    Attributes:
        id: Cognee's data id.
        name: The stored file's name.
        external_system: Where an imported document came from; None for others.
        external_id: Its id there: the archive's ``external_id``.
        data_size: Bytes of the stored text.
    """

    id: str
    name: str | None = None
    external_system: str | None = None
    external_id: str | None = None
    data_size: int | None = None


class _External(msgspec.Struct, frozen=True):
    external_system: str | None = None
    external_id: str | None = None


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    """A document as the server nests it."""

    id: Id
    name: str | None = None
    data_size: int | None = None
    external_metadata: _External | None = None


class PipelineRun(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``GET /api/v1/activity/pipeline-runs``. A run has several rows that share ``pipeline_run_id``.

    Attributes:
        row_id: Id of this row.
        kind: ``pipeline`` or ``operation``; servers before 1.5.4 do not say, and have pipelines only.
        pipeline_name: None for operations.
        operation_name: ``delete``, ``forget``, ``search``, …; of a pipeline its name (1.5.4).
        pipeline_run_id: The run; the id that an import's answer names.
        status: ``DATASET_PROCESSING_STARTED``, ``…_COMPLETED`` or ``…_ERRORED``; None for operations.
        outcome: ``succeeded`` or ``failed`` on a run's last row; None before that, and on servers before 1.5.4.
        error_class: Exception class name of a failed run (1.5.4).
        dataset_id: The dataset; it stays when the dataset is deleted.
        dataset_name: None when the dataset is deleted or not readable; empty where the server does not say.
        created_at: When this row was written (UTC).
        started_at: When the run started (UTC; 1.5.4).
        ended_at: When the run ended (UTC; 1.5.4).
    """

    row_id: Id = msgspec.field(name="id")
    kind: str = "pipeline"
    pipeline_name: str | None = None
    operation_name: str | None = None
    pipeline_run_id: Id | None = None
    status: str | None = None
    outcome: str | None = None
    error_class: str | None = None
    dataset_id: Id | None = None
    dataset_name: str | None = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("created_at", "started_at", "ended_at"):
            force_setattr(self, name, in_utc(getattr(self, name)))
        for name in ("pipeline_name", "operation_name", "dataset_name"):
            if (text := getattr(self, name)) is not None and len(text) > _MAX_NAME:
                force_setattr(self, name, text[:_MAX_NAME])
        for name in ("status", "outcome", "error_class"):
            word = getattr(self, name)
            if word is not None and not _WORD.fullmatch(word):
                force_setattr(self, name, None)


class MigrationImport(msgspec.Struct, frozen=True, kw_only=True):
    """The ``migration_import`` item of an import's answer: what the server did with one archive.

    Attributes:
        record_counts: Records read from the archive, by kind.
        graph_nodes: Nodes that were imported; None where the server does not say.
        skipped_facts: Facts that were dropped because an end was not in the archive.
        deduped_edges: Facts that repeated another; None for hybrid and re-derive.
        pipeline_run_id: The import's run; None when there was no graph to import.
    """

    record_counts: dict[str, int] = {}
    graph_nodes: int | None = None
    skipped_facts: int = 0
    deduped_edges: int | None = None
    pipeline_run_id: Id | None = None


class _Done(msgspec.Struct):
    """Of what was deleted nothing is needed."""


def parse_health(body: _Body) -> Health:
    """``{"status", "health", "version"}``."""
    health = row_of(body, Health, what="a health report")
    if health == Health():
        raise ValueError("a health report without status and version")
    return health


def parse_done(body: _Body) -> None:
    """Of a deletion: null, or an object with whatever a release says of it. A gateway's page deletes nothing."""
    if body.strip() != b"null":
        row_of(body, _Done, what="the end of a deletion")


def parse_user(body: _Body) -> RemoteUser:
    """``{"id", "email", …}``."""
    return row_of(body, RemoteUser, what="a user")


def parse_dataset(body: _Body) -> RemoteDataset:
    """``{"id", "name", "ownerId", …}``."""
    return row_of(body, RemoteDataset, what="a dataset")


def parse_datasets(body: _Body) -> Rows[RemoteDataset]:
    """A list of datasets. One in which no row is a dataset is some other service's."""
    datasets = rows_of(body, RemoteDataset, what="a dataset")
    if datasets.sent and not datasets:
        raise ValueError(datasets.problem)
    return datasets


def parse_documents(body: _Body) -> Rows[RemoteDocument]:
    """A page of documents."""
    page = rows_of(body, _Document, what="a document")
    documents: Rows[RemoteDocument] = Rows(_document(row) for row in page)
    documents.sent, documents.problem = page.sent, page.problem
    return documents


def _document(row: _Document) -> RemoteDocument:
    external = row.external_metadata or _External()
    return RemoteDocument(
        id=row.id,
        name=row.name or None,
        external_system=external.external_system or None,
        external_id=external.external_id or None,
        data_size=row.data_size,
    )


def parse_runs(body: _Body) -> Rows[PipelineRun]:
    """A page of pipeline-run rows."""
    return rows_of(body, PipelineRun, what="a pipeline run")


def is_asked_for(row: PipelineRun, *, pipeline_name: str | None, dataset_id: str | None) -> bool:
    """Whether a row is of what was asked for; None: of any. Servers before 1.5.4 send all that they have."""
    return pipeline_name in (None, row.pipeline_name) and (dataset_id is None or row.dataset_id in (None, dataset_id))


def parse_import_answer(body: _Body) -> dict[str, Any]:
    """The answer to ``POST /api/v1/remember``, as it is: ``PushResult`` hands it on.

    What is nested deeper than anything that Cognee says is cut off: those to whom it is handed on may not follow it.
    """
    answer = msgspec.json.decode(body)
    if not isinstance(answer, dict):
        raise ValueError(f"{type(answer).__name__} instead of an object")
    return {name: _cut_off(value, levels=_MAX_LEVELS) for name, value in answer.items()}


def _cut_off(value: Any, *, levels: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return "…"
    if isinstance(value, list):
        return [_cut_off(item, levels=levels - 1) for item in value]
    return {name: _cut_off(item, levels=levels - 1) for name, item in value.items()}


def import_run_id(answer: Mapping[str, Any]) -> str | None:
    """The run that an answer to ``POST /api/v1/remember`` names; None where that is not an id, or there is no run."""
    try:
        return msgspec.convert(answer.get("pipeline_run_id"), Id)
    except msgspec.ValidationError:
        return next((found.pipeline_run_id for found in reversed(migration_imports(answer))), None)


def migration_imports(answer: Mapping[str, Any]) -> list[MigrationImport]:
    """The ``migration_import`` items of an answer to ``POST /api/v1/remember``; none: no archive was imported."""
    items = answer.get("items")
    rows = items if isinstance(items, list) else []
    imports = [row for row in rows if isinstance(row, dict) and row.get("kind") == "migration_import"]
    return [tolerant(row, MigrationImport, what="an import") for row in imports]
