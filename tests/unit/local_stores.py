"""Tiny stores with the tables of Cognee 1.6.5, made by hand: SQLite for users and permissions, Ladybug for graphs."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import ladybug

from cognee_dagster.sources.cognee.config import LocalCogneeConfig

DEFAULT_EMAIL = "default_user@example.com"

_SCHEMA = """
CREATE TABLE users (id CHAR(32) NOT NULL PRIMARY KEY, tenant_id CHAR(32), parent_user_id CHAR(32),
    email VARCHAR(320) NOT NULL, hashed_password VARCHAR(1024) NOT NULL, is_active BOOLEAN NOT NULL,
    is_superuser BOOLEAN NOT NULL, is_verified BOOLEAN NOT NULL);
CREATE TABLE tenants (id CHAR(32) NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, owner_id CHAR(32));
CREATE TABLE roles (id CHAR(32) NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, tenant_id CHAR(32) NOT NULL);
CREATE TABLE user_tenants (created_at DATETIME, user_id CHAR(32) NOT NULL, tenant_id CHAR(32) NOT NULL);
CREATE TABLE user_roles (created_at DATETIME, user_id CHAR(32) NOT NULL, role_id CHAR(32) NOT NULL);
CREATE TABLE datasets (id CHAR(32) NOT NULL PRIMARY KEY, name TEXT, created_at DATETIME, updated_at DATETIME,
    owner_id CHAR(32), tenant_id CHAR(32));
CREATE TABLE permissions (id CHAR(32) NOT NULL PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE acls (id CHAR(32) NOT NULL PRIMARY KEY, created_at DATETIME, updated_at DATETIME, principal_id CHAR(32),
    permission_id CHAR(32), dataset_id CHAR(32));
CREATE TABLE dataset_database (owner_id CHAR(32), dataset_id CHAR(32) NOT NULL PRIMARY KEY,
    vector_database_name VARCHAR NOT NULL, graph_database_name VARCHAR NOT NULL,
    vector_database_provider VARCHAR NOT NULL,
    graph_database_provider VARCHAR NOT NULL, graph_dataset_database_handler VARCHAR NOT NULL,
    vector_dataset_database_handler VARCHAR NOT NULL, graph_database_url VARCHAR, cognee_version VARCHAR,
    migration_revision VARCHAR);
"""
_PROVENANCE = "source_ref_keys STRING, source_dataset_ids STRING, source_run_ids STRING, source_run_refs STRING"


class TinyStore:
    """A local Cognee store in a directory, with the default user and the four permissions."""

    def __init__(self, directory: Path) -> None:
        self.system = directory / "system"
        self.database = self.system / "databases" / "cognee_db"
        self.database.parent.mkdir(parents=True)
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
        self._permissions = {
            name: self._insert("permissions", name=name) for name in ("read", "write", "delete", "share")
        }
        self.default_user = self.add_user(DEFAULT_EMAIL, is_superuser=True)

    @property
    def config(self) -> LocalCogneeConfig:
        return LocalCogneeConfig(environ={"SYSTEM_ROOT_DIRECTORY": str(self.system)})

    def add_user(
        self, email: str, *, tenant: UUID | None = None, parent: UUID | None = None, is_superuser: bool = False
    ) -> UUID:
        return self._insert(
            "users", email=email, hashed_password="!", is_active=1, is_superuser=int(is_superuser), is_verified=1,
            tenant_id=tenant and tenant.hex, parent_user_id=parent and parent.hex,
        )  # fmt: skip

    def add_tenant(self, *members: UUID) -> UUID:
        tenant = self._insert("tenants", name="tenant")
        for member in members:
            self._execute("INSERT INTO user_tenants (user_id, tenant_id) VALUES (?, ?)", member.hex, tenant.hex)
        return tenant

    def add_role(self, tenant: UUID, *members: UUID) -> UUID:
        role = self._insert("roles", name="role", tenant_id=tenant.hex)
        for member in members:
            self._execute("INSERT INTO user_roles (user_id, role_id) VALUES (?, ?)", member.hex, role.hex)
        return role

    def switch_tenant(self, user: UUID, tenant: UUID | None) -> None:
        self._execute("UPDATE users SET tenant_id = ? WHERE id = ?", tenant and tenant.hex, user.hex)

    def add_dataset(
        self, name: str, *, owner: UUID | None = None, tenant: UUID | None = None, identity: UUID | None = None
    ) -> UUID:
        owner = owner or self.default_user
        values = {"name": name, "owner_id": owner.hex, "tenant_id": tenant and tenant.hex}
        return self._insert("datasets", identity=identity, **values)

    def grant(self, dataset: UUID, principal: UUID, permission: str = "read") -> None:
        self._insert(
            "acls", principal_id=principal.hex, permission_id=self._permissions[permission].hex, dataset_id=dataset.hex
        )

    def revoke_all(self) -> None:
        self._execute("DELETE FROM acls")

    def place_graph(self, dataset: UUID, *, provider: str = "ladybug", owner: UUID | None = None) -> Path:
        """Record where the dataset's graph is kept; the file itself is the test's to make."""
        owner = owner or self.default_user
        self._execute(
            "INSERT INTO dataset_database VALUES (?, ?, 'v', ?, 'lancedb', ?, ?, 'lancedb', '', '1.6.5', 'a_revision')",
            owner.hex, dataset.hex, f"{dataset}.lbug", provider, provider,
        )  # fmt: skip
        directory = self.database.parent / str(owner)
        directory.mkdir(exist_ok=True)
        return directory / f"{dataset}.lbug"

    def _insert(self, table: str, *, identity: UUID | None = None, **values: object) -> UUID:
        identity = identity or uuid4()
        columns = {"id": identity.hex, **values}
        marks = ", ".join("?" for _ in columns)
        self._execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *columns.values())
        return identity

    def _execute(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement, values)


class TinyGraph:
    """An open, writable Ladybug file with Cognee's tables; a context manager."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._database = ladybug.Database(str(path), buffer_pool_size=64 << 20)
        self.connection: Any = ladybug.Connection(self._database)
        if create:
            self.connection.execute(
                "CREATE NODE TABLE Node(id STRING PRIMARY KEY, name STRING, type STRING, created_at TIMESTAMP, "
                f"updated_at TIMESTAMP, properties STRING, {_PROVENANCE})"
            )
            self.connection.execute(
                "CREATE REL TABLE EDGE(FROM Node TO Node, relationship_name STRING, created_at TIMESTAMP, "
                f"updated_at TIMESTAMP, properties STRING, {_PROVENANCE})"
            )
            self.connection.execute("CREATE NODE TABLE GraphMetadata(key STRING PRIMARY KEY, value STRING)")

    def add_nodes(self, rows: Iterable[Mapping[str, str | None]]) -> None:
        self.connection.execute(
            "UNWIND $rows AS row "
            "CREATE (:Node {id: row.id, name: row.name, type: row.type, properties: row.properties})",
            {"rows": [dict(row) for row in rows]},
        )

    def add_node(
        self, identity: str, name: str | None = "", type_: str | None = "Entity", **properties: object
    ) -> None:
        row = {"id": identity, "name": name, "type": type_, "properties": json.dumps(properties)}
        self.connection.execute("CREATE (:Node {id: $id, name: $name, type: $type, properties: $properties})", row)

    def add_edge(self, source: str, target: str, name: str | None = "knows", properties: str | None = "{}") -> None:
        self.connection.execute(
            "MATCH (a:Node {id: $source}), (b:Node {id: $target}) "
            "CREATE (a)-[:EDGE {relationship_name: $name, properties: $properties}]->(b)",
            {"source": source, "target": target, "name": name, "properties": properties},
        )

    def __enter__(self) -> "TinyGraph":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._database.close()
