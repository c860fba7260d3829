"""``python cognee_child.py``: what only Cognee itself can do, for a parent that does not want to import it.

Needs Cognee (1.6) and the standard library, nothing of this package: the interpreter may be another environment's.
Standard input brings one JSON line, the request, and then stays open for as long as the parent lives. The answers go to
the standard output that the process was started with, one JSON object a line; whatever Cognee prints goes to standard
error. Reading applies the steps of Cognee's own export (``modules/migration/export.py``).
"""

import asyncio
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

# Modules beside this script are named like the packages they are about, and must not shadow them.
_HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != _HERE]

ROWS_PER_LINE = 500
_REFUSALS = {
    "DatasetNotFoundError": "dataset_not_found",
    "PermissionDeniedError": "permission_denied",
    "UnauthorizedDataAccessError": "permission_denied",
    "DatabaseNotCreatedError": "no_store",
}

Request = Mapping[str, Any]
Send = Callable[..., None]


class RefusedError(Exception):
    """The request cannot be fulfilled, for a reason that the parent has an error class for."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def read_graph(request: Request, send: Send) -> None:
    """Stream one dataset's origin, nodes and edges, in an order that depends on the content only."""
    from cognee.context_global_variables import set_database_global_context_variables
    from cognee.infrastructure.databases.graph import get_graph_engine
    from cognee.infrastructure.databases.vector.embeddings.config import get_embedding_context_config
    from cognee.modules.data.methods import get_authorized_existing_datasets
    from cognee.modules.migration.export import _stored_migration_revision

    user = await find_user(request["user"])
    datasets = await get_authorized_existing_datasets([dataset_key(request)], "read", user)
    if not datasets and request.get("or_dataset_id"):
        datasets = await get_authorized_existing_datasets([UUID(request["dataset"])], "read", user)
    if not datasets:
        raise RefusedError("dataset_not_found", f"no dataset of that name is owned by {user.email}")
    dataset = datasets[0]
    async with set_database_global_context_variables(dataset.id, dataset.owner_id):
        engine = await get_graph_engine()
        nodes, edges = await engine.get_graph_data()
    send(
        "origin",
        dataset_id=str(dataset.id),
        dataset_name=dataset.name,
        embedding_model=get_embedding_context_config().embedding_model,
        migration_revision=await _stored_migration_revision(dataset.id),
    )
    for batch in batches(sorted(node_row(str(key), properties or {}) for key, properties in nodes)):
        send("nodes", rows=batch)
    real_edges = (edge for edge in edges if not (edge[2] == "SELF" and edge[0] == edge[1]))
    for batch in batches(sorted([str(a), str(b), str(name), as_json(rest or {})] for a, b, name, rest in real_edges)):
        send("edges", rows=batch)


async def add_documents(request: Request, send: Send) -> None:
    """Add the documents that the dataset does not hold, replace those that changed, cognify what is not yet."""
    import cognee
    from cognee.low_level import setup
    from cognee.modules.migrations.startup import run_migrations_and_block

    await setup()
    user = await find_user(request["user"])
    await run_migrations_and_block(dataset_key(request), user)
    stored = await stored_documents(request, user)
    kinds = {path: stored.kind_of(path) for path in request["documents"]}
    added = [path for path, kind in kinds.items() if kind == "added"]
    if added:
        where = (
            {"dataset_id": UUID(request["dataset_id"])}
            if request["dataset_id"]
            else {"dataset_name": request["dataset"]}
        )
        await cognee.add(added, user=user, **where)
    for path in (path for path, kind in kinds.items() if kind == "changed"):
        result = await cognee.update(stored.ids[file_uri(path)], path, stored.dataset_id, user=user)
        if result["status"] == "failed":
            raise RuntimeError(f"Cognee could not replace {path}: {result['error']}")
    stored = await stored_documents(request, user)
    if refused := [path for path in kinds if stored.kind_of(path) != "unchanged"]:
        raise RuntimeError(
            f"Cognee did not store {', '.join(refused)}: look at COGNEE_ALLOWED_LOCAL_FILE_ROOTS and at the file types"
        )
    for batch in batches(stored.rows()):
        send("held", rows=batch)
    pending = await cognify_what_is_pending(stored.dataset_id, user)
    send("documents", kinds=kinds, cognified=pending or "changed" in kinds.values())


async def forget_documents(request: Request, send: Send) -> None:
    """Delete documents from the dataset, with what the graph has from them alone."""
    import cognee
    from cognee.low_level import setup
    from cognee.modules.migrations.startup import run_migrations_and_block

    await setup()
    user = await find_user(request["user"])
    await run_migrations_and_block(dataset_key(request), user)
    wanted = set(request["forget"])
    stored = await stored_documents(request, user)
    for data_id in (data_id for data_id in stored.ids.values() if str(data_id) in wanted):
        await cognee.forget(data_id=data_id, dataset_id=stored.dataset_id, user=user)
    left = wanted & {str(data_id) for data_id in (await stored_documents(request, user)).ids.values()}
    if left:
        raise RuntimeError(f"Cognee did not forget {', '.join(sorted(left))}")
    send("forgotten", count=len(wanted))


async def cognify_what_is_pending(dataset_id: UUID, user: Any) -> bool:
    """Cognify documents that never were, and all of them where the graph is gone; whether there was anything to do."""
    import cognee
    from cognee.context_global_variables import set_database_global_context_variables
    from cognee.infrastructure.databases.graph import get_graph_engine
    from cognee.modules.data.methods.get_dataset_processing_status import get_dataset_processing_status

    status = await get_dataset_processing_status(dataset_id)
    incremental = status["pending"] > 0
    if not incremental:
        async with set_database_global_context_variables(dataset_id):
            engine = await get_graph_engine()
            if status["total"] == 0 or not await engine.is_empty():
                return False
    await cognee.cognify(datasets=[dataset_id], user=user, incremental_loading=incremental, data_cache=incremental)
    return True


class StoredDocuments:
    """What a dataset already holds of a user: ids and content hashes by file, as Cognee's add() tells them apart."""

    def __init__(self, dataset_id: Any, rows: Iterable[Any]) -> None:
        self.dataset_id = dataset_id
        self.ids: dict[str, UUID] = {}
        self._hashes: dict[str, str] = {}
        self._contents: set[str] = set()
        for row in rows:
            self.ids[row.original_data_location] = row.id
            self._hashes[row.original_data_location] = row.content_hash
            self._contents.add(row.content_hash)

    def rows(self) -> list[list[str]]:
        """Id, location and content hash of each, for the parent."""
        return [[str(self.ids[place]), place, self._hashes[place]] for place in sorted(self.ids)]

    def kind_of(self, path: str) -> str:
        """``added``, ``changed`` or ``unchanged``; equal content under another file name is held already."""
        with open(path, "rb") as file:
            digest = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
        known = self._hashes.get(file_uri(path))
        if known == digest or (known is None and digest in self._contents):
            return "unchanged"
        return "added" if known is None else "changed"


async def stored_documents(request: Request, user: Any) -> StoredDocuments:
    from cognee.modules.data.methods import get_authorized_existing_datasets
    from cognee.modules.data.methods.get_dataset_data import get_dataset_data

    datasets = await get_authorized_existing_datasets([dataset_key(request)], "write", user)
    if not datasets:
        return StoredDocuments(None, ())
    rows = await get_dataset_data(datasets[0].id)
    return StoredDocuments(datasets[0].id, [row for row in rows if row.owner_id == user.id])


async def find_user(key: Mapping[str, str] | None) -> Any:
    from cognee.modules.users.methods import get_default_user, get_user
    from cognee.modules.users.methods.get_user_by_email import get_user_by_email

    if key is None:
        return await get_default_user()
    if "email" in key:
        user = await get_user_by_email(key["email"])
        if user is None:
            raise RefusedError("no_user", f"there is no user {key['email']}")
        return user
    try:
        return await get_user(UUID(key["id"]))
    except Exception as error:
        if type(error).__name__ == "EntityNotFoundError":
            raise RefusedError("no_user", f"there is no user {key['id']}") from error
        raise


def dataset_key(request: Request) -> str | UUID:
    return UUID(request["dataset_id"]) if request["dataset_id"] else str(request["dataset"])


def node_row(node_id: str, properties: Mapping[str, Any]) -> list[Any]:
    """A row in which a null column means: no such property. Others than strings stay among the properties."""
    columns = {key: properties[key] for key in ("name", "type") if isinstance(properties.get(key), str)}
    rest = {key: value for key, value in properties.items() if key not in columns}
    return [node_id, columns.get("name"), columns.get("type"), as_json(rest)]


def as_json(value: Any) -> str:
    return json.dumps(value, default=str)  # what the export's writer does with values that are no JSON


def file_uri(path: str) -> str:
    from pathlib import Path

    return Path(os.path.realpath(path)).as_uri()


def batches(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + ROWS_PER_LINE] for start in range(0, len(rows), ROWS_PER_LINE))


OPERATIONS: dict[str, Callable[[Request, Send], Awaitable[None]]] = {
    "read_graph": read_graph,
    "add_documents": add_documents,
    "forget_documents": forget_documents,
}


def main() -> int:
    request = json.loads(read_line(0))
    threading.Thread(target=end_with_parent, daemon=True).start()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)

        def send(event: str, **content: Any) -> None:
            channel.write(json.dumps({"event": event, **content}) + "\n")
            channel.flush()

        try:
            import cognee

            send("ready", version=cognee.__version__)
            asyncio.run(OPERATIONS[request["operation"]](request, send))  # type: ignore[arg-type]
        except Exception as error:
            text = str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
            send("refused", reason=reason_of(error), message=text[:4000])
            return 1
        send("done")
    return 0


def reason_of(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return error.reason
    if isinstance(error, ModuleNotFoundError) and error.name == "cognee":
        return "not_installed"
    return _REFUSALS.get(type(error).__name__, "failed")


def read_line(descriptor: int) -> bytes:
    """The first line, and not a byte more: what follows is read by another thread."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            raise SystemExit("the parent ended before it sent a request")
        line += byte
    return line


def end_with_parent() -> None:
    """Standard input closes when the parent ends, however it ends; then this whole process group goes, at once.

    Not by SIGTERM: it would end this process first, and leave what Cognee started.
    """
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # nothing that Cognee left running may hold the answer up
