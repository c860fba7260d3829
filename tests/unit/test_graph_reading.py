"""The chain reads a graph once, as long as its store does not change, and what it makes is the same either way."""

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest
from upath import UPath

from cognee_dagster import LocalCognee
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph import source as found
from cognee_dagster.graph.process_reader import ProcessReader
from cognee_dagster.sources.mapping import reader as mapping_reader
from cognee_dagster.sources.mapping.reader import MappedReader
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, materialized, metadata_of, people
from tests.unit.local_stores import TinyGraph, TinyStore

LOOK_AND_PACK = ("cognified_graph", "cogx_archive")
ONCE, TWICE, NEVER = {"nodes": 1, "edges": 1}, {"nodes": 2, "edges": 2}, {"nodes": 0, "edges": 0}
SEVERAL = {"max_file_bytes": 8_000, "max_archive_bytes": 20_000}
DIFFERS = {"cognee/seconds", "cognee/graph_read", "dagster/uri"}


class Reads(Counter[str]):
    """How often nodes and edges were read."""

    def of(self, reader: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("nodes", "edges"):
            self[name] = 0
            monkeypatch.setattr(reader, name, self._counting(name, getattr(reader, name)))

    def _counting(self, name: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def counting(reader: Any) -> Any:
            self[name] += 1
            return read(reader)

        return counting


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files written just now count as old: no test of these rules needs to wait for it."""
    monkeypatch.setattr(found, "SETTLED_SECONDS", 0.0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    counted = Reads()
    counted.of(MappedReader, monkeypatch)
    return counted


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path, settled: None) -> Chain:
    """Its graph is a file."""
    write_graph(tmp_path)
    options = {"graph": tmp_path / "people.graphml", "retry_policy": NO_RETRY}
    return Chain(remote=remote, directory=tmp_path, options=options)


@pytest.fixture(params=["directory", "memory"])
def anywhere(request: pytest.FixtureRequest, chain: Chain) -> Chain:
    """The chain with its archives in a directory and in another file system."""
    chain.archives = None if request.param == "directory" else f"memory://{uuid.uuid4().hex}"
    return chain


def write_graph(directory: Path, *, size: int = 3) -> None:
    nx.write_graphml(people(size=size), directory / "people.graphml")


def stored(chain: Chain, *, under: str = "") -> list[UPath]:
    """All files in the archive store."""
    base = UPath(chain.archives or chain.directory / "archives")
    return sorted((path for path in base.glob("*/*/*") if under in str(path)), key=str)


def the_archive(chain: Chain) -> UPath:
    (blob,) = stored(chain, under="/blobs/")
    return blob


def test_the_graph_is_read_once_over_the_chain(anywhere: Chain, reads: Reads, remote: FakeRemote) -> None:
    result = anywhere.run(*LOOK_AND_PACK, "remote_push")
    assert result.success
    assert reads == ONCE
    assert metadata_of(result, "cognified_graph")["cognee/graph_read"] is True
    assert metadata_of(result, "cogx_archive")["cognee/graph_read"] is False
    assert len(remote.graph("people").nodes) == 3


def test_the_log_says_that_the_graph_was_not_read_again(chain: Chain) -> None:
    chain.run("cognified_graph")
    result = chain.run("cogx_archive")
    messages = [entry.user_message for entry in chain.instance.all_logs(result.run_id)]
    assert any("has not changed since it was read" in message for message in messages)


def test_an_archive_launched_alone_needs_no_event_of_the_graph(chain: Chain, reads: Reads) -> None:
    chain.run("cognified_graph")
    chain.instance = dg.DagsterInstance.ephemeral()
    assert metadata_of(chain.run("cogx_archive"), "cogx_archive")["cognee/graph_read"] is False
    assert reads == ONCE


def test_a_second_look_at_an_unchanged_graph_says_the_same_without_reading(chain: Chain, reads: Reads) -> None:
    first, second = chain.run("cognified_graph"), chain.run("cognified_graph")
    assert reads == ONCE
    assert known(first, "cognified_graph") == known(second, "cognified_graph")
    assert verdicts(first) == verdicts(second)


@pytest.mark.parametrize("options", [{}, SEVERAL], ids=["one archive", "several"])
def test_what_is_made_without_reading_is_what_reading_makes(
    chain: Chain, reads: Reads, options: dict[str, Any]
) -> None:
    write_graph(chain.directory, size=120 if options else 3)
    chain.options |= options
    chain.run("cognified_graph")
    noted = chain.run("cogx_archive")
    before, pointer = Counter(reads), pointer_of(chain)
    shutil.rmtree(chain.directory / "archives")
    anew = chain.run("cogx_archive")
    assert before == ONCE
    assert reads == TWICE
    assert known(noted, "cogx_archive") == known(anew, "cogx_archive")
    assert verdicts(noted) == verdicts(anew)
    assert pointer == pointer_of(chain)
    assert (len(pointer["archives"]) > 3) == bool(options)


def known(result: dg.ExecuteInProcessResult, last: str) -> dict[str, Any]:
    """The data version and the metadata that must not depend on whether the graph was read."""
    (event,) = [event for event in result.get_asset_materialization_events() if str(event.asset_key).count(last)]
    version = (event.materialization.tags or {})["dagster/data_version"]
    metadata = {key: value for key, value in metadata_of(result, last).items() if key not in DIFFERS}
    assert len(metadata) > 5
    return {"data version": version, **metadata}


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    found_checks = checks(result)
    assert found_checks
    return {name: (check.passed, check.description, check.metadata) for name, check in found_checks.items()}


def pointer_of(chain: Chain) -> dict[str, Any]:
    """What a push that runs alone would take, after a look at the files themselves; but for when it was stored."""
    pointer: dict[str, Any] = json.loads((chain.directory / "archives/people.cogx_archive/latest.json").read_text())
    names = {f"{archive['content_sha256']}.cogx.tar.gz" for archive in pointer["archives"]}
    assert names == {path.name for path in stored(chain, under="/blobs/")}
    assert pointer.pop("stored_at") > 0
    return pointer


def test_a_graph_that_changed_between_the_steps_is_read_again(
    anywhere: Chain, reads: Reads, remote: FakeRemote
) -> None:
    first = anywhere.run("cognified_graph")
    write_graph(anywhere.directory, size=4)
    result = anywhere.run("cogx_archive")
    assert reads == TWICE
    archive = metadata_of(result, "cogx_archive")
    assert archive["cognee/graph_read"]
    assert archive["cognee/graph_changed_since_cognified_graph"]
    assert archive["cognee/archive_digest"] != metadata_of(first, "cognified_graph")["cognee/graph_digest"]
    assert anywhere.run("remote_push").success
    assert len(remote.graph("people").nodes) == 4


def test_a_graph_that_changes_while_it_is_read_is_not_noted(
    chain: Chain, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_edges = MappedReader.edges

    def edges(reader: MappedReader) -> Any:
        write_graph(chain.directory, size=4)
        monkeypatch.setattr(MappedReader, "edges", read_edges)
        return read_edges(reader)

    monkeypatch.setattr(MappedReader, "edges", edges)
    chain.run("cognified_graph")
    assert metadata_of(chain.run("cogx_archive"), "cogx_archive")["num_nodes"] == 4
    assert reads == TWICE


def test_a_graph_written_a_moment_ago_is_read_by_each_step(
    chain: Chain, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found, "SETTLED_SECONDS", 3600.0)
    assert chain.run(*LOOK_AND_PACK).success
    assert reads == TWICE


def lose(blob: UPath) -> None:
    blob.unlink()


def cut_off(blob: UPath) -> None:
    blob.write_bytes(blob.read_bytes()[:-10])


def spoil(blob: UPath) -> None:
    content = blob.read_bytes()
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("damage", [lose, cut_off, spoil])
def test_an_archive_that_was_lost_or_damaged_is_made_again(
    anywhere: Chain, reads: Reads, remote: FakeRemote, damage: Callable[[UPath], None]
) -> None:
    anywhere.run("cognified_graph")
    content = the_archive(anywhere).read_bytes()
    damage(the_archive(anywhere))
    assert anywhere.run("cogx_archive", "remote_push").success
    assert reads == TWICE
    assert the_archive(anywhere).read_bytes() == content
    assert len(remote.graph("people").nodes) == 3


def test_a_damaged_note_costs_a_reading_and_no_more(anywhere: Chain, reads: Reads) -> None:
    anywhere.run("cognified_graph")
    note = the_archive(anywhere).parent.parent / "snapshot.json"
    for content in (b"", b"{}", json.dumps({**json.loads(note.read_bytes()), "summary": {}}).encode()):
        reads.clear()
        note.write_bytes(content)
        assert anywhere.run("cogx_archive").success
        assert reads == ONCE


def test_other_limits_make_other_archives(chain: Chain, reads: Reads) -> None:
    write_graph(chain.directory, size=120)
    chain.run("cognified_graph")
    chain.options |= SEVERAL
    assert metadata_of(chain.run("cogx_archive"), "cogx_archive")["cognee/archives_total"] > 3
    assert reads == TWICE


def test_another_release_of_this_package_reads_for_itself(
    chain: Chain, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.run("cognified_graph")
    monkeypatch.setattr("cognee_dagster.store.snapshots.__version__", "99")
    assert metadata_of(chain.run("cogx_archive"), "cogx_archive")["cognee/graph_read"]
    assert reads == TWICE


def test_a_look_that_fails_leaves_nothing_behind(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def edge_row(*_: object, **__: object) -> Any:
        raise GraphFileError("on purpose")

    monkeypatch.setattr(mapping_reader, "plain_edge", edge_row)
    result = chain.run("cognified_graph")
    assert "on purpose" in failure_of(result, "cognified_graph")[0]
    assert stored(chain) == []
    assert list(temporary.glob("cogx-*")) == []


def test_a_look_does_not_need_the_archive_store(chain: Chain) -> None:
    (chain.directory / "archives").write_text("no directory")
    result = chain.run(*LOOK_AND_PACK)
    assert materialized(result) == ["cognified_graph"]
    messages = [entry.user_message for entry in chain.instance.all_logs(result.run_id)]
    assert any("The next step will have to read the graph again" in message for message in messages)


def test_with_an_io_manager_of_the_users_own_each_step_reads(chain: Chain, reads: Reads) -> None:
    chain.more_resources = {"cogx_archives": dg.mem_io_manager}
    assert chain.run(*LOOK_AND_PACK).success
    assert reads == TWICE


def test_a_graph_in_memory_is_read_by_each_step_and_nothing_is_noted(chain: Chain, reads: Reads) -> None:
    del chain.options["graph"]
    assert chain.run().success
    assert reads == TWICE
    assert not (the_archive(chain).parent.parent / "snapshot.json").exists()


def test_a_record_beyond_the_limits_does_not_hide_the_graph(chain: Chain, remote: FakeRemote) -> None:
    chain.options |= {"max_file_bytes": 500, "max_archive_bytes": 500}
    result = chain.run(*LOOK_AND_PACK)
    assert materialized(result) == ["cognified_graph"]
    assert failure_of(result, "cogx_archive")[1]["cognee/error"] == "ArchiveLimitError"


# -- over the files of a local Cognee


@pytest.fixture
def store(tmp_path: Path) -> TinyStore:
    return TinyStore(tmp_path / "cognee")


@pytest.fixture
def graph_file(store: TinyStore) -> Path:
    dataset = store.add_dataset("notes")
    store.grant(dataset, store.default_user)
    path = store.place_graph(dataset)
    with TinyGraph(path) as graph:
        graph.add_node("a", "A")
        graph.add_node("b", "B")
        graph.add_edge("a", "b")
    return path


@pytest.fixture
def notes(
    remote: FakeRemote, tmp_path: Path, settled: None, store: TinyStore, graph_file: Path, reads: Reads,
    monkeypatch: pytest.MonkeyPatch,
) -> Chain:  # fmt: skip
    reads.of(ProcessReader, monkeypatch)
    local = LocalCognee(system_root_directory=str(store.system), environment={"COGNEE_ENV_FILE": os.devnull})
    options = {"name": "notes", "graph": None, "retry_policy": NO_RETRY}
    return Chain(remote=remote, directory=tmp_path, options=options, more_resources={"local_cognee": local})


def test_cognees_own_graph_file_is_read_once(notes: Chain, reads: Reads, remote: FakeRemote) -> None:
    result = notes.run(*LOOK_AND_PACK, "remote_push")
    assert result.success
    assert reads == ONCE
    assert metadata_of(result, "cognified_graph")["cognee/read_through"] == "files"
    assert (len(remote.graph("notes").nodes), len(remote.graph("notes").edges)) == (2, 1)
    again = notes.run("cognified_graph")
    assert reads == ONCE
    assert known(again, "cognified_graph") == known(result, "cognified_graph")


def test_a_change_that_is_only_in_cognees_log_is_read(notes: Chain, reads: Reads, graph_file: Path) -> None:
    notes.run("cognified_graph")
    content = graph_file.read_bytes()
    with TinyGraph(graph_file, create=False) as graph:
        graph.add_node("c", "C")
        result = notes.run("cogx_archive")
        assert graph_file.read_bytes() == content
    assert reads == TWICE
    assert metadata_of(result, "cogx_archive")["num_nodes"] == 3


def test_who_may_not_read_the_dataset_any_more_gets_no_archive_of_it(
    notes: Chain, store: TinyStore, reads: Reads
) -> None:
    notes.run("cognified_graph")
    store.revoke_all()
    result = notes.run("cogx_archive")
    assert failure_of(result, "cogx_archive")[1]["cognee/error"] == "DatasetPermissionError"
    assert reads == ONCE
