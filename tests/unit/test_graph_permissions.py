"""Who may read a dataset: Cognee 1.6.5's own rule, case by case (``get_all_user_permission_datasets``)."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from cognee_dagster.errors import DatasetNotFoundError, DatasetPermissionError, LocalCogneeError
from cognee_dagster.sources.cognee.datasets import UserRef, find_dataset, list_datasets, open_dataset
from cognee_dagster.sources.cognee.permissions import open_catalog
from tests.unit.local_stores import DEFAULT_EMAIL, TinyStore


@pytest.mark.parametrize("reason", ["unable to open database file", "attempt to write a readonly database"])
@pytest.mark.parametrize("is_written", [False, True])
def test_a_database_in_a_directory_that_may_not_be_written_to_is_read_unless_somebody_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool, reason: str
) -> None:
    """In WAL mode even a reader makes files beside the database; releases of SQLite differ in what they say then."""

    class Unreadable:
        def execute(self, query: str) -> None:
            raise sqlite3.OperationalError(reason)

        def setlimit(self, *_: int) -> None: ...

        def close(self) -> None: ...

    database = TinyStore(tmp_path).database
    for path in database.parent.iterdir():
        if path != database:
            path.unlink()
    if is_written:
        database.with_name("cognee_db-wal").write_bytes(b"changes")

    def connect(place: str, **options: Any) -> Any:
        return sqlite3.connect(place, **options) if "immutable" in place else Unreadable()

    stand_in = SimpleNamespace(**{**vars(sqlite3), "connect": connect})  # others need the real one meanwhile
    monkeypatch.setattr("cognee_dagster.sources.cognee.permissions.sqlite3", stand_in)
    if is_written:
        with (
            pytest.raises(LocalCogneeError, match=r"cognee_db-wal beside it holds .* Let Cognee use .*" + reason),
            open_catalog(database),
        ):
            pass
    else:
        with open_catalog(database) as catalog:
            assert catalog.user_by_email(DEFAULT_EMAIL)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            "users SET id = 'x' WHERE email = 'default_user@example.com'",
            r"'x' for the id of user default_user@example\.com, which is no UUID",
        ),
        ("dataset_database SET owner_id = NULL", "None for the id of the owner of the graph of dataset"),
        ("dataset_database SET owner_id = x'00'", r"b'\\x00' for the id of the owner of the graph"),
        *(
            (f"dataset_database SET graph_database_name = {name}", f"{shown} for the graph file of dataset")
            for name, shown in (
                ("'../../x'", r"'\.\./\.\./x'"),
                ("x'00'", "b.*"),
                ("'a' || char(0)", "'a.*"),
                ("''", "''"),
            )
        ),
    ],
)
def test_what_cannot_be_in_a_row_is_told_with_what_it_is_of(
    store: TinyStore, alice: UUID, change: str, what: str
) -> None:
    dataset = store.add_dataset("odd")
    store.grant(dataset, store.default_user)
    store.place_graph(dataset)
    with closing(sqlite3.connect(store.database)) as connection, connection:
        connection.execute(f"UPDATE {change}")
    with pytest.raises(LocalCogneeError, match=what):
        find_dataset("odd", config=store.config)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot set SQLite's limits")
def test_a_value_of_megabytes_is_not_held(store: TinyStore) -> None:
    store.add_dataset("long")
    with closing(sqlite3.connect(store.database)) as connection, connection:
        connection.execute("UPDATE datasets SET name = printf('%.*c', 2000000, 'a')")
    with pytest.raises(LocalCogneeError, match="too big"):
        list_datasets(config=store.config)


@pytest.fixture
def store(tmp_path: Path) -> TinyStore:
    return TinyStore(tmp_path)


@pytest.fixture
def alice(store: TinyStore) -> UUID:
    return store.add_user("alice@example.com")


@pytest.fixture
def bob(store: TinyStore) -> UUID:
    return store.add_user("bob@example.com")


def name_read_by(store: TinyStore, dataset: str | UUID, user: UserRef) -> str:
    with open_dataset(dataset, user=user, config=store.config) as reader:
        return reader.origin.dataset_name


def may_read(store: TinyStore, dataset: str | UUID, user: UserRef) -> bool:
    try:
        name_read_by(store, dataset, user)
    except DatasetPermissionError:
        return False
    return True


def test_an_owner_with_a_read_grant_reads_by_name_and_by_id(store: TinyStore, alice: UUID) -> None:
    dataset = store.add_dataset("notes", owner=alice)
    store.grant(dataset, alice)
    assert name_read_by(store, "notes", alice) == name_read_by(store, dataset, alice) == "notes"


def test_ownership_alone_is_no_permission(store: TinyStore, alice: UUID) -> None:
    dataset = store.add_dataset("notes", owner=alice)
    assert not may_read(store, "notes", alice)
    assert not may_read(store, dataset, alice)


def test_a_superuser_is_refused_like_anybody(store: TinyStore, alice: UUID) -> None:
    dataset = store.add_dataset("notes", owner=alice)
    store.grant(dataset, alice)
    assert not may_read(store, dataset, store.default_user)


@pytest.mark.parametrize("permission", ["write", "delete", "share"])
def test_other_permissions_do_not_include_reading(store: TinyStore, alice: UUID, permission: str) -> None:
    dataset = store.add_dataset("notes", owner=alice)
    store.grant(dataset, alice, permission)
    assert not may_read(store, dataset, alice)


def test_a_grantee_reads_by_id_but_does_not_find_the_name(store: TinyStore, alice: UUID, bob: UUID) -> None:
    dataset = store.add_dataset("notes", owner=alice)
    store.grant(dataset, bob)
    assert may_read(store, dataset, bob)
    with pytest.raises(DatasetNotFoundError, match="by its UUID"):
        name_read_by(store, "notes", bob)


def test_what_an_agent_may_read_its_maker_may_too_but_not_the_reverse(store: TinyStore, alice: UUID, bob: UUID) -> None:
    agent = store.add_user("agent@example.com", parent=alice)
    by_agent, by_maker = store.add_dataset("a", owner=bob), store.add_dataset("b", owner=bob)
    store.grant(by_agent, agent)
    store.grant(by_maker, alice)
    assert may_read(store, by_agent, alice)
    assert not may_read(store, by_maker, agent)


def test_an_agents_tenants_and_roles_do_not_count_for_its_maker(store: TinyStore, alice: UUID, bob: UUID) -> None:
    agent = store.add_user("agent@example.com", parent=alice)
    tenant = store.add_tenant(agent)
    dataset = store.add_dataset("a", owner=bob)
    store.grant(dataset, tenant)
    assert not may_read(store, dataset, alice)


def test_a_grant_to_a_tenant_reaches_its_members(store: TinyStore, alice: UUID, bob: UUID) -> None:
    tenant = store.add_tenant(alice)
    dataset = store.add_dataset("a", owner=bob)
    store.grant(dataset, tenant)
    assert may_read(store, dataset, alice)
    assert not may_read(store, dataset, store.default_user)


def test_a_grant_to_a_role_counts_only_for_members_of_some_tenant(store: TinyStore, alice: UUID, bob: UUID) -> None:
    tenant = store.add_tenant(alice)
    role = store.add_role(tenant, alice, bob)
    dataset = store.add_dataset("a")
    store.grant(dataset, role)
    assert may_read(store, dataset, alice)
    assert not may_read(store, dataset, bob)


def test_datasets_of_another_tenant_than_the_users_current_one_are_out_of_reach(store: TinyStore, alice: UUID) -> None:
    tenant = store.add_tenant(alice)
    inside = store.add_dataset("same name", owner=alice, tenant=tenant)
    outside = store.add_dataset("same name", owner=alice)
    store.grant(inside, alice)
    store.grant(outside, alice)
    assert (may_read(store, inside, alice), may_read(store, outside, alice)) == (False, True)
    store.switch_tenant(alice, tenant)
    assert (may_read(store, inside, alice), may_read(store, outside, alice)) == (True, False)
    with open_dataset("same name", user=alice, config=store.config) as reader:
        assert reader.origin.dataset_id == inside


def test_an_unknown_id_looks_like_a_denied_one(store: TinyStore, alice: UUID) -> None:
    with pytest.raises(DatasetPermissionError):
        name_read_by(store, uuid4(), alice)


def test_an_unknown_name_is_not_found_and_the_error_lists_the_users_own(store: TinyStore, alice: UUID) -> None:
    store.add_dataset("notes", owner=alice)
    with pytest.raises(
        DatasetNotFoundError, match=r"alice@example\.com owns no dataset named 'nots' \(owned: 'notes'\)"
    ):
        name_read_by(store, "nots", "alice@example.com")


def test_a_text_that_is_a_uuid_is_still_a_name(store: TinyStore) -> None:
    dataset = store.add_dataset("notes")
    store.grant(dataset, store.default_user)
    with pytest.raises(DatasetNotFoundError):
        name_read_by(store, str(dataset), None)


def test_a_name_is_matched_exactly_whatever_it_contains(store: TinyStore) -> None:
    for name in ("it's", "NOTES", "a%", "ü\n", "x' OR '1'='1"):
        store.grant(store.add_dataset(name), store.default_user)
        assert name_read_by(store, name, None) == name
    with pytest.raises(DatasetNotFoundError):
        name_read_by(store, "notes", None)


class TestWaysToNameAUser:
    """None, e-mail, UUID, UUID as text, object with an id."""

    @pytest.fixture
    def dataset(self, store: TinyStore, alice: UUID) -> UUID:
        dataset = store.add_dataset("notes", owner=alice)
        store.grant(dataset, alice)
        return dataset

    def test_all_of_them_name_the_same_user(self, store: TinyStore, alice: UUID, dataset: UUID) -> None:
        class CogneeUser:
            id = alice

        for user in (alice, str(alice), alice.hex, "alice@example.com", CogneeUser()):
            assert may_read(store, dataset, user), user

    def test_none_is_the_default_user(self, store: TinyStore, dataset: UUID) -> None:
        assert not may_read(store, dataset, None)
        store.grant(dataset, store.default_user)
        assert may_read(store, dataset, None)
        assert may_read(store, dataset, DEFAULT_EMAIL)

    @pytest.mark.parametrize("user", ["nobody@example.com", uuid4(), "", object()])
    def test_an_unknown_user_may_read_nothing_and_is_named(
        self, store: TinyStore, dataset: UUID, user: UserRef
    ) -> None:
        with pytest.raises(DatasetPermissionError, match=r"no user"):
            name_read_by(store, dataset, user)
