"""Which store is opened, how, and what is said where there is none."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import pytest

import cognee_dagster.sources.cognee.through_cognee as worker
from cognee_dagster.errors import DatasetNotFoundError, LocalCogneeError, StoreBusyError, StoreNotFoundError
from cognee_dagster.graph.reader import GraphOrigin, GraphReader
from cognee_dagster.sources.cognee import datasets, permissions
from cognee_dagster.sources.cognee.child.process import dataset_request
from cognee_dagster.sources.cognee.datasets import (
    EmptyReader,
    LocalCogneeConfig,
    find_dataset,
    list_datasets,
    open_dataset,
    parse_dataset,
)
from tests.unit.local_stores import TinyGraph, TinyStore


@pytest.fixture
def store(tmp_path: Path) -> TinyStore:
    return TinyStore(tmp_path)


@pytest.fixture
def dataset(store: TinyStore) -> UUID:
    dataset = store.add_dataset("notes")
    store.grant(dataset, store.default_user)
    return dataset


@pytest.fixture
def through_cognee(monkeypatch: pytest.MonkeyPatch) -> list[str | UUID]:
    """The datasets that were left to Cognee itself."""
    asked: list[str | UUID] = []

    @contextmanager
    def open_through_cognee(dataset: str | UUID, **_: object) -> Iterator[GraphReader]:
        asked.append(dataset)
        yield EmptyReader(GraphOrigin(dataset_name="notes", read_through="cognee"))

    monkeypatch.setattr(worker, "open_through_cognee", open_through_cognee)
    return asked


def read_through(config: LocalCogneeConfig) -> str:
    with open_dataset("notes", config=config) as reader:
        return reader.origin.read_through


def test_a_default_store_is_read_from_its_files(store: TinyStore, dataset: UUID) -> None:
    with TinyGraph(store.place_graph(dataset)) as graph:
        graph.add_node("a", "A")
        graph.add_node("b", "B")
        graph.add_edge("a", "b")
    with open_dataset("notes", config=store.config) as reader:
        assert reader.origin == GraphOrigin(
            dataset_name="notes",
            dataset_id=dataset,
            embedding_model="openai/text-embedding-3-large",
            migration_revision="a_revision",
            read_through="files",
        )
        assert sum(batch.num_rows for batch in reader.nodes()) == 2
        assert sum(batch.num_rows for batch in reader.edges()) == 1


def test_the_graph_of_a_shared_dataset_is_in_its_owners_directory(store: TinyStore) -> None:
    owner = store.add_user("owner@example.com")
    shared = store.add_dataset("shared", owner=owner)
    store.grant(shared, store.default_user)
    with TinyGraph(store.place_graph(shared, owner=owner)) as graph:
        graph.add_node("a")
    with open_dataset(shared, config=store.config) as reader:
        assert sum(batch.num_rows for batch in reader.nodes()) == 1


@pytest.mark.parametrize("recorded", [True, False])
def test_a_dataset_that_was_never_cognified_is_an_empty_graph(store: TinyStore, dataset: UUID, recorded: bool) -> None:
    if recorded:
        store.place_graph(dataset)
    with open_dataset("notes", config=store.config) as reader:
        assert (list(reader.nodes()), list(reader.edges())) == ([], [])
        assert reader.origin.migration_revision == ("a_revision" if recorded else None)


@pytest.mark.parametrize("of", ["file", "directory"])
def test_a_link_that_leads_nowhere_is_no_graph_that_was_never_made(store: TinyStore, dataset: UUID, of: str) -> None:
    path = store.place_graph(dataset)
    if of == "directory":
        path.parent.rmdir()
    link = path if of == "file" else path.parent
    link.symlink_to("/mnt/gone")
    with pytest.raises(StoreNotFoundError, match=rf"{link.name} is a symbolic link to /mnt/gone, and nothing is there"):
        find_dataset("notes", config=store.config)
    assert [found.has_graph for found in list_datasets(config=store.config)] == [True]


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (Path.mkdir, "is a directory, and no file"),
        (os.mkfifo, "is a named pipe, and no file"),
        (lambda path: path.symlink_to("/mnt/gone"), "is a symbolic link to /mnt/gone, and nothing is there"),
    ],
)
def test_what_is_no_file_in_the_place_of_cognees_database_is_told(
    store: TinyStore, make: Callable[[Path], None], what: str
) -> None:
    store.database.unlink()
    make(store.database)
    with pytest.raises(StoreNotFoundError, match=f"There is no Cognee store: .*cognee_db {what}"):
        find_dataset("notes", config=store.config)


def test_a_place_that_cannot_be_looked_at_is_told_with_the_reason(store: TinyStore, dataset: UUID) -> None:
    path = store.place_graph(dataset)
    path.symlink_to(path.name)
    with pytest.raises(LocalCogneeError, match=r"\.lbug cannot be reached: Too many levels of symbolic links"):
        find_dataset("notes", config=store.config)
    path.unlink()
    path.parent.rmdir()
    path.parent.touch()
    with pytest.raises(LocalCogneeError, match=r"\.lbug cannot be reached: Not a directory"):
        find_dataset("notes", config=store.config)


def test_a_missing_store_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    config = LocalCogneeConfig(environ={"SYSTEM_ROOT_DIRECTORY": str(tmp_path / "nowhere")})
    with pytest.raises(LocalCogneeError, match=r"nowhere/databases/cognee_db does not exist.*SYSTEM_ROOT_DIRECTORY"):
        read_through(config)


@pytest.mark.parametrize(
    "setting",
    [
        {"DB_PROVIDER": "postgres"},
        {"ENABLE_BACKEND_ACCESS_CONTROL": "false"},
        {"GRAPH_DATABASE_PROVIDER": "neo4j"},
        {"GRAPH_DATASET_DATABASE_HANDLER": "ladybug_remote"},
        {"SYSTEM_ROOT_DIRECTORY": "s3://bucket/system"},
    ],
)
def test_other_configurations_are_left_to_cognee_and_the_log_says_why(
    store: TinyStore,
    through_cognee: list[str | UUID],
    setting: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="cognee_dagster")
    config = LocalCogneeConfig(environ={**store.config.environ, **setting})
    assert read_through(config) == "cognee"
    assert through_cognee == ["notes"]
    assert next(iter(setting)) in caplog.text


def test_a_graph_that_another_database_keeps_is_left_to_cognee(
    store: TinyStore, dataset: UUID, through_cognee: list[str | UUID]
) -> None:
    store.place_graph(dataset, provider="neo4j")
    assert read_through(store.config) == "cognee"


def test_without_ladybug_everything_is_left_to_cognee(
    store: TinyStore, through_cognee: list[str | UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert read_through(store.config) == "cognee"


@pytest.mark.parametrize("statement", ["DROP TABLE acls", "ALTER TABLE users DROP COLUMN parent_user_id"])
def test_a_schema_of_another_cognee_release_is_left_to_cognee(
    store: TinyStore, dataset: UUID, through_cognee: list[str | UUID], statement: str
) -> None:
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute(statement)
    assert read_through(store.config) == "cognee"


def test_a_database_that_a_writer_keeps_locked_is_reported_as_busy(
    store: TinyStore, dataset: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(store.database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=DELETE")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError, match="locked"):
            read_through(store.config)


def test_a_file_that_is_no_database_is_a_clear_error(store: TinyStore) -> None:
    store.database.write_bytes(b"no database" * 1000)
    with pytest.raises(LocalCogneeError, match="cannot be read"):
        read_through(store.config)


def test_a_persons_text_is_a_name_first_and_then_a_uuid(store: TinyStore, dataset: UUID) -> None:
    assert parse_dataset("notes", config=store.config) == "notes"
    assert parse_dataset("unknown", config=store.config) == "unknown"
    assert parse_dataset(str(dataset), config=store.config) == dataset
    named_like_one = store.add_dataset(str(dataset))
    store.grant(named_like_one, store.default_user)
    assert parse_dataset(str(dataset), config=store.config) == str(dataset)


def test_looking_a_dataset_up_opens_no_graph(store: TinyStore, dataset: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    store.place_graph(dataset).write_bytes(b"no graph")
    monkeypatch.setattr(datasets, "open_ladybug_graph", lambda *_, **__: pytest.fail("a graph was opened"))
    assert parse_dataset(str(dataset), config=store.config) == dataset
    named_like_one = store.add_dataset(str(dataset))
    store.grant(named_like_one, store.default_user)
    assert parse_dataset(str(dataset), config=store.config) == str(dataset)
    assert find_dataset("notes", config=store.config).file is not None


def test_where_only_cognee_can_tell_a_name_from_an_id_it_is_started_once(
    store: TinyStore, dataset: UUID, through_cognee: list[str | UUID]
) -> None:
    config = LocalCogneeConfig(environ={**store.config.environ, "GRAPH_DATABASE_PROVIDER": "neo4j"})
    parsed = parse_dataset(str(dataset), config=config)
    assert through_cognee == []
    with open_dataset(parsed, config=config):
        pass
    assert through_cognee == [str(dataset)]
    request = dataset_request(parsed, user=None)
    assert (request["dataset"], request["dataset_id"], request["or_dataset_id"]) == (str(dataset), None, True)
    assert not dataset_request("notes", user=None)["or_dataset_id"]


def test_no_nodes_where_an_empty_variable_leads_is_a_warning_that_names_the_datasets_own_graph_file(
    store: TinyStore, dataset: UUID, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Cognee takes an empty ENABLE_BACKEND_ACCESS_CONTROL for "off", and then reads one graph for all datasets."""
    origin = {"dataset_name": "notes", "dataset_id": str(dataset), "embedding_model": None, "migration_revision": None}

    def nothing(*_: object, **__: object) -> Iterator[dict[str, object]]:
        yield {"event": "origin", **origin}

    monkeypatch.setattr(worker, "ask_cognee", nothing)
    path = store.place_graph(dataset)
    with TinyGraph(path) as graph:
        graph.add_node("a")
    config = LocalCogneeConfig(environ={**store.config.environ, "ENABLE_BACKEND_ACCESS_CONTROL": ""})
    with open_dataset("notes", config=config):
        pass
    assert "ENABLE_BACKEND_ACCESS_CONTROL=" in caplog.text
    assert str(path) in caplog.text
    caplog.clear()
    path.unlink()
    with open_dataset("notes", config=config):
        pass
    assert caplog.text == ""


def test_errors_are_also_the_builtin_ones_that_callers_expect(store: TinyStore) -> None:
    with pytest.raises(LookupError):
        read_through(store.config)
    assert issubclass(DatasetNotFoundError, LookupError)
