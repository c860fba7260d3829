"""The local side against real Cognee: both ways to read give Cognee's own export, and permissions are Cognee's."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cognee_dagster.errors import DatasetNotFoundError, DatasetPermissionError, LocalCogneeError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sandbox import local_environment
from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, open_dataset
from cognee_dagster.sources.cognee.through_cognee import open_through_cognee
from cognee_dagster.sources.cognee.user_reference import NameOrId
from examples.local_cognee import load_demo_graph
from tests.conftest import LocalStore

EXPORT = """
import asyncio, sys, cognee
asyncio.run(cognee.export(sys.argv[1], format="json", destination=sys.argv[2]))
asyncio.run(cognee.export(sys.argv[1], format="cogx", destination=sys.argv[3]))
"""
# Asks real Cognee, for every user and dataset, whether it would export it.
MATRIX = """
import asyncio, json, sys
from uuid import UUID
from cognee.modules.data.methods import get_authorized_existing_datasets
from cognee.modules.users.methods import get_user

async def answer(user_id, dataset):
    user = await get_user(UUID(user_id))
    try:
        key = UUID(dataset["id"]) if "id" in dataset else dataset["name"]
        found = await get_authorized_existing_datasets([key], "read", user)
    except Exception as error:
        return type(error).__name__
    return str(found[0].id) if found else "none"

async def main():
    questions = json.load(sys.stdin)
    return [await answer(user, dataset) for user, dataset in questions]

answers = asyncio.run(main())
open(sys.argv[1], "w").write(json.dumps(answers))
"""

Record = tuple[dict[str, Any], list[str]]


def run_cognee(program: str, *arguments: str, store: LocalStore, stdin: str = "") -> None:
    finished = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=stdin, env=store.environ, cwd=store.directory, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]


def records(reader: GraphReader) -> Record:
    """All that a reader gives, whatever the order: nodes by id, edges as sorted JSON."""
    nodes: dict[str, Any] = {}
    for batch in reader.nodes():
        for row in batch.to_pylist():
            columns = {key: row[key] for key in ("name", "type") if row[key] is not None}
            nodes[row["id"]] = {**columns, **json.loads(row["properties"])}
    edges = [
        edge(row["source"], row["target"], row["relationship"], json.loads(row["properties"] or "{}"))
        for batch in reader.edges()
        for row in batch.to_pylist()
    ]
    return nodes, sorted(edges)


def edge(source: str, target: str, relationship: str, properties: dict[str, Any]) -> str:
    kept = {key: value for key, value in properties.items() if key not in {"source_node_id", "target_node_id"}}
    return json.dumps([source, target, relationship, {**kept, "relationship_name": relationship}], sort_keys=True)


def exported(path: Path) -> Record:
    content = json.loads(path.read_text())
    nodes = {node.pop("id"): node for node in content["nodes"]}
    edges = [edge(e.pop("source"), e.pop("target"), e["relationship_name"], e) for e in content["edges"]]
    return nodes, sorted(edges)


@pytest.fixture(scope="module", params=["demo_store", "handbook_store"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A copy of the bundled graph, and of one that cognify made."""
    shared: LocalStore = request.getfixturevalue(request.param)
    return shared.copy_to(tmp_path_factory.mktemp("copy") / "store")


def test_files_cognee_and_cognees_export_give_the_same_records(store: LocalStore, tmp_path: Path) -> None:
    config = LocalCogneeConfig(environ=store.environ)
    with open_dataset(store.dataset, config=config) as reader:
        from_files, origin = records(reader), reader.origin
        assert origin.read_through == "files"
    with open_through_cognee(store.dataset, user=None, config=config) as reader:
        through_cognee = records(reader)
        assert (reader.origin.dataset_id, reader.origin.dataset_name) == (origin.dataset_id, origin.dataset_name)
        assert reader.origin.read_through == "cognee"
    run_cognee(EXPORT, store.dataset, str(tmp_path / "graph.json"), str(tmp_path / "cogx"), store=store)
    assert len(from_files[0]) > 10
    assert len(from_files[1]) > 10
    assert from_files == through_cognee == exported(tmp_path / "graph.json")
    manifest = json.loads((tmp_path / "cogx" / "manifest.json").read_text())
    assert (manifest.get("embedding_model"), manifest.get("migration_revision")) == (
        origin.embedding_model,
        origin.migration_revision,
    )


def test_reading_through_cognee_twice_gives_the_same_rows_in_the_same_order(
    demo_store: LocalStore, tmp_path: Path
) -> None:
    config = LocalCogneeConfig(environ=demo_store.copy_to(tmp_path / "store").environ)

    ids: set[UUID | None] = set()

    def rows(dataset: str) -> Iterator[list[dict[str, Any]]]:
        with open_through_cognee(dataset, user=None, config=config) as reader:
            ids.add(reader.origin.dataset_id)
            for batches in (reader.nodes, reader.edges, reader.nodes):
                yield [row for batch in batches() for row in batch.to_pylist()]

    first = list(rows("demo"))
    second = list(rows(NameOrId(ids.copy().pop())))  # no dataset has that name
    assert first == second
    assert first[0] == first[2]


@pytest.fixture(scope="module")
def shared(demo_store: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with users, a tenant and a role around datasets that they may read for different reasons, or not."""
    return demo_store.copy_to(tmp_path_factory.mktemp("permissions") / "store")


@pytest.fixture(scope="module")
def people(shared: LocalStore) -> dict[str, UUID]:
    """The ids of users and datasets in ``shared``."""
    database = shared.directory / "system" / "databases" / "cognee_db"
    with closing(sqlite3.connect(database)) as connection, connection:
        return _populate(connection)


def test_every_user_and_dataset_gets_cognees_answer_on_permission(
    shared: LocalStore, people: dict[str, UUID], tmp_path: Path
) -> None:
    users = [people[name] for name in ("owner", "maker", "agent", "member", "stranger")]
    keys = ["own", "ungranted", "to_agent", "to_tenant", "to_role", "in_tenant"]
    datasets: list[str | UUID] = [*(people[key] for key in keys), *keys, "nothing"]
    questions = [(user, dataset) for user in users for dataset in datasets]
    asked = [[str(user), {"id" if isinstance(dataset, UUID) else "name": str(dataset)}] for user, dataset in questions]
    run_cognee(MATRIX, str(tmp_path / "answers.json"), store=shared, stdin=json.dumps(asked))
    theirs = json.loads((tmp_path / "answers.json").read_text())
    ours = [_our_answer(dataset, user, shared) for user, dataset in questions]
    assert dict(enumerate(ours)) == dict(enumerate(theirs))
    assert {"PermissionDeniedError", "none"} < set(theirs)  # all kinds of answers were asked for
    assert sum(len(answer) == 36 for answer in theirs) >= 6


@pytest.mark.parametrize(
    ("dataset", "user", "error"),
    [
        ("nothing", None, DatasetNotFoundError),
        ("ungranted", "owner@example.com", DatasetPermissionError),
        ("demo", "nobody@example.com", DatasetPermissionError),
    ],
)
def test_refusals_through_cognee_are_the_same_errors_as_from_files(
    shared: LocalStore, people: dict[str, UUID], dataset: str, user: str | None, error: type[Exception]
) -> None:
    config = LocalCogneeConfig(environ=shared.environ)
    for opened in (
        open_dataset(dataset, user=user, config=config),
        open_through_cognee(dataset, user=user, config=config),
    ):
        with pytest.raises(error), opened:
            pytest.fail("must not be readable")


def test_a_store_that_does_not_exist_is_a_clear_error_through_cognee_too(
    demo_store: LocalStore, tmp_path: Path
) -> None:
    environ = {**demo_store.environ, "SYSTEM_ROOT_DIRECTORY": str(tmp_path / "nowhere")}
    with (
        pytest.raises(LocalCogneeError, match=r"no Cognee store in .*nowhere"),
        open_through_cognee("demo", user=None, config=LocalCogneeConfig(environ=environ)),
    ):
        pytest.fail("there is nothing to read")


def _our_answer(dataset: str | UUID, user: UUID, store: LocalStore) -> str:
    try:
        with open_dataset(dataset, user=user, config=LocalCogneeConfig(environ=store.environ)) as reader:
            return str(reader.origin.dataset_id)
    except DatasetPermissionError:
        return "PermissionDeniedError"
    except DatasetNotFoundError:
        return "none"


def _populate(connection: sqlite3.Connection) -> dict[str, UUID]:
    read = connection.execute("SELECT id FROM permissions WHERE name = 'read'").fetchone()[0]

    def insert(table: str, **values: object) -> UUID:
        identity = uuid4()
        columns = {"id": identity.hex, **values}
        marks = ", ".join("?" for _ in columns)
        connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))
        return identity

    def principal(kind: str, **values: object) -> UUID:
        identity = insert(f"{kind}s", **values)
        connection.execute("INSERT INTO principals (id, type) VALUES (?, ?)", (identity.hex, kind))
        return identity

    def user(name: str, parent: UUID | None = None) -> UUID:
        return principal(
            "user", email=f"{name}@example.com", hashed_password="!", is_active=1, is_superuser=1, is_verified=1,
            parent_user_id=parent and parent.hex,
        )  # fmt: skip

    def dataset(name: str, owner: UUID, reader: UUID | None, tenant: UUID | None = None) -> UUID:
        identity = insert("datasets", name=name, owner_id=owner.hex, tenant_id=tenant and tenant.hex)
        if reader is not None:
            insert("acls", principal_id=reader.hex, permission_id=read, dataset_id=identity.hex)
        return identity

    owner, maker, member, stranger = (user(name) for name in ("owner", "maker", "member", "stranger"))
    agent = user("agent", parent=maker)
    tenant = principal("tenant", name="t", owner_id=owner.hex)
    role = principal("role", name="r", tenant_id=tenant.hex)
    connection.execute("INSERT INTO user_tenants (user_id, tenant_id) VALUES (?, ?)", (member.hex, tenant.hex))
    for user_id in (member, stranger):
        connection.execute("INSERT INTO user_roles (user_id, role_id) VALUES (?, ?)", (user_id.hex, role.hex))
    return {
        "owner": owner, "maker": maker, "agent": agent, "member": member, "stranger": stranger,
        "own": dataset("own", owner, owner),
        "ungranted": dataset("ungranted", owner, None),
        "to_agent": dataset("to_agent", owner, agent),
        "to_tenant": dataset("to_tenant", owner, tenant),
        "to_role": dataset("to_role", owner, role),
        "in_tenant": dataset("in_tenant", owner, owner, tenant),
    }  # fmt: skip


def test_a_store_that_is_not_the_default_one_is_read_through_cognee(real_cognee: None, tmp_path: Path) -> None:
    """Without access control one graph file holds all datasets, where the files' reader would not look."""
    environ = {**local_environment(tmp_path / "store"), "ENABLE_BACKEND_ACCESS_CONTROL": "false"}
    load_demo_graph(environ)
    with open_dataset("demo", config=LocalCogneeConfig(environ=environ)) as reader:
        nodes, edges = records(reader)
        assert (reader.origin.read_through, len(nodes), len(edges)) == ("cognee", 47, 86)
