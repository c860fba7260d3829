"""Who may read which dataset, asked of Cognee's SQLite file by Cognee's own rule, without importing Cognee.

The rule of Cognee 1.6.5 (``get_dataset_ids``, ``get_specific_user_permission_datasets``,
``get_all_user_permission_datasets``): a name is looked up only among the datasets that the user *owns* in the current
tenant, a UUID among all; then a ``read`` grant must exist for the user, for an agent of the user, for one of the user's
tenants or, if there is a tenant, for one of the user's roles. Ownership alone and superuser rights grant nothing.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cognee_dagster.errors import DatasetNotFoundError, DatasetPermissionError, LocalCogneeError, StoreBusyError

BUSY_SECONDS = 15.0  # how long SQLite waits for a writer
_MAX_VALUE_BYTES = 1 << 20  # of a name, an id; whatever is in a row is held several times

_READABLE = """
WITH principal(id) AS (
    SELECT :user
    UNION SELECT id FROM users WHERE parent_user_id = :user
    UNION SELECT t.id FROM user_tenants ut JOIN tenants t ON t.id = ut.tenant_id WHERE ut.user_id = :user
    UNION SELECT r.id FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = :user
          AND EXISTS (SELECT 1 FROM user_tenants ut JOIN tenants t ON t.id = ut.tenant_id WHERE ut.user_id = :user)
)
SELECT EXISTS (
    SELECT 1 FROM datasets d
    JOIN acls a ON a.dataset_id = d.id
    JOIN permissions p ON p.id = a.permission_id
    WHERE d.id = :dataset AND d.tenant_id IS :tenant AND p.name = 'read'
    AND a.principal_id IN (SELECT id FROM principal)
)
"""
_STORE = """
SELECT owner_id, graph_database_provider, graph_dataset_database_handler, graph_database_name, migration_revision
FROM dataset_database WHERE dataset_id = ?
"""


class UnknownStoreSchemaError(Exception):
    """The SQLite file is not in the layout of the Cognee release that these queries were written for."""


@dataclass(frozen=True)
class LocalDataset:
    """One dataset of the local Cognee."""

    id: UUID
    name: str
    owner_id: UUID


@dataclass(frozen=True, kw_only=True)
class LocalUser:
    """One user of the local Cognee; ``tenant_id`` is the current tenant, as it is stored."""

    id: UUID
    label: str
    tenant_id: str | None


@dataclass(frozen=True, kw_only=True)
class GraphStore:
    """Where Cognee keeps one dataset's graph: its ``dataset_database`` row."""

    owner_id: UUID
    provider: str
    handler: str
    database_name: str
    migration_revision: str | None


@contextmanager
def open_catalog(path: Path) -> Iterator["Catalog"]:
    """Open Cognee's SQLite file read-only.

    Raises:
        UnknownStoreSchemaError: A table or column that the queries need is not there.
        StoreBusyError: Another process kept it locked.
        LocalCogneeError: It is no SQLite file, or cannot be read.
    """
    try:
        with closing(_connect(path)) as connection:
            yield Catalog(connection)
    except sqlite3.Error as error:
        reason = str(error)
        if "no such table" in reason or "no such column" in reason:
            raise UnknownStoreSchemaError(reason) from error
        if "locked" in reason or "busy" in reason:
            raise StoreBusyError(
                f"Cognee's database {path} is locked by another process: {reason}. Try again."
            ) from error
        raise LocalCogneeError(f"Cognee's database {path} cannot be read: {reason}.") from error


def _connect(path: Path) -> sqlite3.Connection:
    uri = path.as_uri() + "?mode=ro"
    connection = _bounded(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS))
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        _require_no_changes_beside(path, error)
        connection = _bounded(sqlite3.connect(uri + "&immutable=1", uri=True, timeout=BUSY_SECONDS))
    return connection


def _require_no_changes_beside(path: Path, error: sqlite3.OperationalError) -> None:
    """In WAL mode even a reader writes beside the database, unless a process has it open already.

    Where it may not, and no changes are beside the file, the file is all there is.
    """
    if not any(reason in str(error) for reason in ("unable to open", "readonly database")):
        raise error
    for left in (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")):
        if left.exists() and left.stat().st_size:
            raise LocalCogneeError(
                f"Cognee's database {path} cannot be read by this system user: {left.name} beside it holds its last "
                f"changes, and only who may write in {path.parent} can take them in. Let Cognee use the store once, or "
                f"run this as a user who may write there. SQLite says: {error}."
            ) from error


def _bounded(connection: sqlite3.Connection) -> sqlite3.Connection:
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    return connection


class Catalog:
    """Cognee's users, datasets and permissions. Made by ``open_catalog``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def user_by_email(self, email: str) -> LocalUser:
        """Raises DatasetPermissionError if there is no such user."""
        return self._user("email", email, label=email)

    def user_by_id(self, user_id: UUID) -> LocalUser:
        """Raises DatasetPermissionError if there is no such user."""
        return self._user("id", user_id.hex, label=str(user_id))

    def find_dataset(self, dataset: str | UUID, *, user: LocalUser) -> LocalDataset:
        """The dataset, if ``user`` may read it. A ``str`` is a name, a ``UUID`` an id.

        Raises:
            DatasetNotFoundError: The user owns no dataset of that name in the current tenant.
            DatasetPermissionError: The user may not read it. Cognee tells an unknown id no other way.
        """
        candidates = [dataset] if isinstance(dataset, UUID) else self._owned_by_name(dataset, user=user)
        if not all(self._is_readable(candidate, user=user) for candidate in candidates):
            raise DatasetPermissionError(
                f"User {user.label} may not read dataset {str(dataset)!r} (or there is none). Cognee wants an explicit "
                "'read' grant, even of its owner and of superusers: have it shared, or read it as another user."
            )
        return self._dataset(candidates[0])

    def owned(self, *, user: LocalUser, on_odd: Callable[[str], None] = lambda _: None) -> list[LocalDataset]:
        """All datasets that the user owns in the current tenant, by their names, whether they may be read or not.

        Args:
            user: The user.
            on_odd: Told of each row that is no dataset which anybody could name, and why.
        """
        rows = self._rows(
            "SELECT id, name FROM datasets WHERE owner_id = ? AND tenant_id IS ?", user.id.hex, user.tenant_id
        )
        found: list[LocalDataset] = []
        for dataset_id, name in rows:
            try:
                if not isinstance(name, str):
                    raise ValueError("its name is no text")
                found.append(LocalDataset(id=UUID(dataset_id), name=name, owner_id=user.id))
            except (ValueError, TypeError, AttributeError) as error:
                on_odd(f"The local dataset {name!r:.100} with the id {dataset_id!r:.100} cannot be used: {error}.")
        return sorted(found, key=lambda dataset: dataset.name)

    def graph_store(self, dataset_id: UUID) -> GraphStore | None:
        """Where the graph is; None for a dataset that never had one."""
        row = self._connection.execute(_STORE, (dataset_id.hex,)).fetchone()
        if row is None:
            return None
        owner, provider, handler, name, revision = row
        if not isinstance(name, str) or name in ("", ".", "..") or not {"/", "\0"}.isdisjoint(name):
            raise LocalCogneeError(
                f"Cognee's database has {name!r:.100} for the graph file of dataset {dataset_id}, which is no file's "
                "name. Restore the store from a backup."
            )
        return GraphStore(
            owner_id=_uuid(owner, of=f"the owner of the graph of dataset {dataset_id}"),
            provider=provider,
            handler=handler,
            database_name=name,
            migration_revision=revision,
        )

    def _user(self, column: str, value: str, *, label: str) -> LocalUser:
        row = self._connection.execute(f"SELECT id, tenant_id FROM users WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        if row is None:
            raise DatasetPermissionError(
                f"The local Cognee has no user {label}, so nothing can be read as that user. Check the user, or the "
                "store that is looked at (SYSTEM_ROOT_DIRECTORY)."
            )
        return LocalUser(id=_uuid(row[0], of=f"user {label}"), label=label, tenant_id=row[1])

    def _owned_by_name(self, name: str, *, user: LocalUser) -> list[UUID]:
        datasets = self.owned(user=user)
        found = [dataset.id for dataset in datasets if dataset.name == name]
        if not found:
            owned = ", ".join([repr(dataset.name) for dataset in datasets][:10]) or "none"
            raise DatasetNotFoundError(
                f"User {user.label} owns no dataset named {name!r} (owned: {owned}). A dataset shared by another user "
                "is found by its UUID only; a dataset of one's own is made by cognee.add() and cognee.cognify()."
            )
        return found

    def _is_readable(self, dataset_id: UUID, *, user: LocalUser) -> bool:
        parameters = {"user": user.id.hex, "tenant": user.tenant_id, "dataset": dataset_id.hex}
        return bool(self._connection.execute(_READABLE, parameters).fetchone()[0])

    def _dataset(self, dataset_id: UUID) -> LocalDataset:
        [(name, owner)] = self._rows("SELECT name, owner_id FROM datasets WHERE id = ?", dataset_id.hex)
        return LocalDataset(id=dataset_id, name=name, owner_id=_uuid(owner, of=f"the owner of dataset {dataset_id}"))

    def _rows(self, query: str, *parameters: str | None) -> list[Any]:
        return self._connection.execute(query, parameters).fetchall()


def _uuid(value: object, *, of: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise LocalCogneeError(
            f"Cognee's database has {value!r:.100} for the id of {of}, which is no UUID. Restore the store from a "
            "backup."
        ) from error
