"""The routes of the fake server: Cognee 1.6.5, ``api/v1/*/routers``."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cognee_dagster.testing.answers import (
    Answer,
    AnswerError,
    bad_request,
    denied,
    inaccessible,
    not_a_uuid,
    number_out_of_range,
)
from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.graph import is_uuid
from cognee_dagster.testing.importing import Importer
from cognee_dagster.testing.multipart import Form
from cognee_dagster.testing.pace import Pace
from cognee_dagster.testing.runs import Operation
from cognee_dagster.testing.searching import SEARCH_TYPES, found_in
from cognee_dagster.testing.state import OLD_ROW_KEYS, Dataset, State, User
from cognee_dagster.testing.versions import Release

MODES = ("re-derive", "preserve", "hybrid")


@dataclass(kw_only=True)
class Call:
    """One request, read and authenticated, with the server that it came to."""

    state: State
    release: Release
    pace: Pace
    limits: Limits
    user: User
    query: dict[str, str] = field(default_factory=dict)
    json: Any = None
    form: Form | None = None

    def number(self, name: str, *, default: int, low: int, high: int | None = None) -> int:
        text = self.query.get(name, str(default))
        value = int(text)
        if value < low:
            raise number_out_of_range(name, text, ("ge", low))
        if high is not None and value > high:
            raise number_out_of_range(name, text, ("le", high))
        return value

    def dataset(self, dataset_id: str, permission: str, *, said: Sequence[str] = ("path", "dataset_id")) -> Dataset:
        """403 for an unknown dataset as for a forbidden one."""
        if not is_uuid(dataset_id):
            raise not_a_uuid(list(said), dataset_id)
        dataset = self.state.datasets.get(dataset_id)
        if dataset is None or not dataset.allows(self.user, permission):
            raise denied(permission)
        return dataset

    def recorded(self, name: str, dataset: Dataset) -> AbstractContextManager[None]:
        """Something that leaves a row in the feed."""
        return Operation(state=self.state, name=name, dataset=dataset, user=self.user).recorded()


def health(release: Release) -> Answer:
    return Answer(200, {"status": "ready", "health": "healthy", "version": release.version})


def openapi(release: Release) -> Answer:
    """The document's skeleton: what tells whether the server takes COGX archives stands where the real one has it."""
    name = "Body_remember_api_v1_remember_post"
    fields = ["data", "datasetName", "datasetId", "node_set", "run_in_background"]
    fields += ["content_type"] if release.has_content_type else []
    fields += ["import_mode"] if release.has_cogx else []
    filters = ("dataset_id", "pipeline_name", "limit", "offset") if release.has_filtered_run_feed else ()
    parameters = [{"name": key, "in": "query", "required": False} for key in filters]
    content = {"multipart/form-data": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return Answer(
        200,
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Cognee API",
                "description": "Cognee API with Bearer token and Cookie auth",
                "version": "1.0.0",
            },
            "paths": {
                "/api/v1/remember": {"post": {"requestBody": {"content": content}}},
                "/api/v1/activity/pipeline-runs": {"get": {"parameters": parameters}},
            },
            "components": {
                "schemas": {name: {"properties": {key: {"title": key} for key in fields}, "type": "object"}}
            },
        },
    )


def me(call: Call) -> Answer:
    return Answer(
        200,
        {
            "id": call.user.id,
            "email": call.user.email,
            "is_active": True,
            "is_superuser": call.user.is_superuser,
            "is_verified": True,
            "tenant_id": None,
            "parent_user_id": None,
        },
    )


def list_datasets(call: Call) -> Answer:
    return Answer(200, [dataset.shown() for dataset in call.state.readable(call.user)])


def create_dataset(call: Call) -> Answer:
    name = call.json.get("name") if isinstance(call.json, dict) else None
    if not isinstance(name, str):
        missing = {"type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": call.json}
        raise bad_request([missing], body=call.json)
    return Answer(200, call.state.ensure_dataset(name, call.user, before_rights=call.pace.give_rights).shown())


def delete_dataset(call: Call, dataset_id: str) -> Answer:
    dataset = call.dataset(dataset_id, "delete")
    del call.state.datasets[dataset.id]
    return Answer(200, None)


def graph(call: Call, dataset_id: str) -> Answer:
    return Answer(200, call.dataset(dataset_id, "read").graph.shown())


def list_documents(call: Call, dataset_id: str) -> Answer:
    dataset = call.dataset(dataset_id, "read")
    limit = call.number("limit", default=100, low=1, high=1000)
    offset = call.number("offset", default=0, low=0, high=1_000_000)
    newest_last = sorted(dataset.documents.values(), key=lambda document: document.created_at)
    return Answer(200, [document.shown(dataset.id) for document in newest_last[offset : offset + limit]])


def count_documents(call: Call, dataset_id: str) -> Answer:
    if not call.release.has_data_count:
        raise AnswerError(405, {"detail": "Method Not Allowed"})
    return Answer(200, {"count": len(call.dataset(dataset_id, "read").documents)})


def delete_data(call: Call, dataset_id: str, document_id: str) -> Answer:
    """Frees a document's id, or takes away what an import of that id brought; an id that nothing has is no error."""
    found = call.state.datasets.get(dataset_id)
    if found is not None and not found.allows(call.user, "delete"):
        with call.recorded("delete", found):
            raise inaccessible(dataset_id)
    dataset = call.dataset(dataset_id, "delete")
    call.pace.acquire(dataset.lock)
    try:
        with call.recorded("delete", dataset):
            dataset.documents.pop(document_id, None)
            dataset.graph.forget(document_id)
    finally:
        dataset.lock.release()
    return Answer(200, None)


def forget(call: Call) -> Answer:
    """Deletes a dataset's graph and leaves the rest; whatever else the server's own endpoint does, this does not."""
    asked = call.json if isinstance(call.json, dict) else {}
    if not asked.get("memoryOnly") or asked.get("dataId") or not asked.get("datasetId"):
        raise AnswerError(422, {"error": "The fake server only empties whole datasets (datasetId, memoryOnly)."})
    dataset = call.dataset(str(asked["datasetId"]), "delete")
    call.pace.acquire(dataset.lock)
    try:
        with call.recorded("forget", dataset):
            dataset.graph.empty()
    finally:
        dataset.lock.release()
    return Answer(200, {"dataset_id": dataset.id, "status": "success"})


def search(call: Call) -> Answer:
    """What would be found by meaning is found by the words that question and text have in common."""
    asked = call.json if isinstance(call.json, dict) else {}
    kind, dataset_ids, question = asked.get("searchType"), asked.get("datasetIds") or [], asked.get("query")
    if kind not in SEARCH_TYPES:
        raise bad_request([{"type": "enum", "loc": ["body", "searchType"], "msg": "Input should be 'SUMMARIES', …"}])
    if not asked.get("onlyContext") or not asked.get("verbose") or len(dataset_ids) != 1:
        raise AnswerError(422, {"error": "The fake server only searches one dataset (onlyContext, verbose)."})
    if not isinstance(question, str) or not question.strip():
        raise AnswerError(422, {"detail": "The query must be a non-empty string. [QueryValidationError]"})
    dataset = call.dataset(str(dataset_ids[0]), "read", said=["body", "datasetIds", "0"])
    with call.recorded("search", dataset):
        context = found_in(dataset, kind, question, top_k=int(asked.get("topK", 15)))
    result = {"dataset_id": dataset.id, "dataset_name": dataset.name, "dataset_tenant_id": None}
    return Answer(200, [{**result, "text_result": None, "context_result": context, "objects_result": []}])


def pipeline_runs(call: Call) -> Answer:
    dataset_id = call.query.get("dataset_id")
    if dataset_id is not None and not is_uuid(dataset_id):
        raise not_a_uuid(["query", "dataset_id"], dataset_id)
    if not call.release.has_filtered_run_feed:
        return Answer(200, _old_rows(call, dataset_id))
    limit, offset = call.number("limit", default=50, low=1, high=500), call.number("offset", default=0, low=0)
    if dataset_id is not None:
        call.dataset(dataset_id, "read")
    rows = call.state.feed(call.user, dataset_id=dataset_id, pipeline_name=call.query.get("pipeline_name"))
    return Answer(200, list(islice(rows, offset, offset + limit)))


def _old_rows(call: Call, dataset_id: str | None) -> list[dict[str, Any]]:
    """The 50 newest rows of readable datasets, whatever else the query says."""
    if dataset_id is not None:
        call.dataset(dataset_id, "read")
    rows = call.state.feed(call.user, dataset_id=dataset_id, pipeline_name=None)
    readable = ({key: row[key] for key in OLD_ROW_KEYS} for row in rows if row["owner_id"] and row["pipeline_name"])
    return list(islice(readable, 50))


def status(call: Call) -> Answer:
    """The *latest row's* status of each dataset: a late row of an older run hides a newer success."""
    dataset_id = call.query.get("dataset", "")
    pipeline = call.query.get("pipeline", "cognify_pipeline")
    call.dataset(dataset_id, "read")
    newest = next(call.state.feed(call.user, dataset_id=dataset_id, pipeline_name=pipeline), None)
    return Answer(200, {dataset_id: newest["status"]} if newest else {})


def remember(call: Call) -> Answer:
    form = call.form or Form(fields={}, uploads=())
    _check_fields(form)
    if not call.release.has_content_type:
        return _remember_as_a_file(call, form)
    content_type = form.fields.get("content_type", "")
    if not call.release.has_cogx and content_type:
        raise AnswerError(409, {"error": "Invalid request data for remember operation."})
    if content_type not in ("cogx-archive", ""):
        raise bad_request(
            f"Unsupported content_type '{content_type}'. Use 'skills', 'code', 'cogx-archive', or leave it empty "
            "for normal ingestion."
        )
    if content_type != "cogx-archive":
        return _remember_as_a_file(call, form)
    uploads = [upload for upload in form.uploads if upload.field == "data"]
    if not uploads:
        raise bad_request("content_type 'cogx-archive' requires an uploaded archive file.")
    mode = form.fields.get("import_mode") or "preserve"
    if mode not in MODES:
        raise bad_request(f"Unknown import_mode {mode!r}. Expected one of {MODES}.")
    importer = Importer(
        state=call.state,
        release=call.release,
        pace=call.pace,
        limits=call.limits,
        user=call.user,
        dataset_name=form.fields.get("datasetName") or _writable(call, form.fields["datasetId"]).name,
        mode=mode,
        in_background=form.fields.get("run_in_background", "").lower() in ("true", "1", "yes", "on"),
    )
    return Answer(200, importer.run(uploads))


def _check_fields(form: Form) -> None:
    dataset_id = form.fields.get("datasetId", "")
    if dataset_id and not is_uuid(dataset_id):
        refused = not_a_uuid(["body", "datasetId", "uuid"], dataset_id).answer.body["detail"]
        literal = {
            "type": "literal_error",
            "loc": ["body", "datasetId", "literal['']"],
            "msg": "Input should be ''",
            "input": dataset_id,
            "ctx": {"expected": "''"},
        }
        raise bad_request([*refused, literal], body=dict(form.fields))
    if not dataset_id and not form.fields.get("datasetName"):
        raise bad_request("Either datasetId or datasetName must be provided.")
    if form.fields.get("raw_data") and form.fields.get("content_type"):
        raise bad_request(
            "raw_data is only supported for normal ingestion and content_type='code' (repository paths or git URLs) "
            "— 'skills' and 'cogx-archive' take file uploads."
        )


def _writable(call: Call, dataset_id: str) -> Dataset:
    return call.dataset(dataset_id, "write")


def _remember_as_a_file(call: Call, form: Form) -> Answer:
    """Plain ingestion, which takes an archive for a document and says nothing of an import."""
    dataset = call.state.ensure_dataset(form.fields["datasetName"], call.user)
    items = [{"id": None, "name": upload.filename, "mime_type": "application/gzip"} for upload in form.uploads]
    return Answer(
        200,
        {
            "status": "completed",
            "dataset_name": dataset.name,
            "dataset_id": dataset.id,
            "pipeline_run_id": None,
            "items_processed": len(items),
            "elapsed_seconds": 0.0,
            "items": items,
        },
    )


Endpoint = Callable[..., Answer]
_SEGMENT = "([^/]+)"
ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/api/v1/users/me", me),
    ("GET", "/api/v1/datasets", list_datasets),
    ("POST", "/api/v1/datasets", create_dataset),
    ("GET", "/api/v1/datasets/status", status),
    ("DELETE", f"/api/v1/datasets/{_SEGMENT}", delete_dataset),
    ("GET", f"/api/v1/datasets/{_SEGMENT}/graph", graph),
    ("GET", f"/api/v1/datasets/{_SEGMENT}/data", list_documents),
    ("GET", f"/api/v1/datasets/{_SEGMENT}/data/count", count_documents),
    ("DELETE", f"/api/v1/datasets/{_SEGMENT}/data/{_SEGMENT}", delete_data),
    ("GET", "/api/v1/activity/pipeline-runs", pipeline_runs),
    ("POST", "/api/v1/forget", forget),
    ("POST", "/api/v1/search", search),
    ("POST", "/api/v1/remember", remember),
)


def route(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
    """The endpoint and what the path says to it.

    Raises:
        AnswerError: 404 for an unknown path, 405 for a known one with another method.
    """
    matches = [(m, endpoint, found) for m, pattern, endpoint in ROUTES if (found := re.fullmatch(pattern, path))]
    for known_method, endpoint, found in matches:
        if known_method == method:
            return endpoint, found.groups()
    raise AnswerError(405, {"detail": "Method Not Allowed"}) if matches else AnswerError(404, {"detail": "Not Found"})
