"""An archive that is there already, of whichever system, reaches the remote byte by byte, once, after a check."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

import cognee_dagster
from cognee_dagster import pushing
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.errors import ArchiveError, EmptyGraphError, RemoteRejectedError
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection, resolve_connection
from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote, faults
from tests.archives_of_others import SYSTEMS, Records, pack, rename_over, unpack, write_into
from tests.command_line import call
from tests.pushes import HASTY, client_of

EACH_SYSTEM = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sent(remote: FakeRemote) -> list[str]:
    return [upload.sha256 for request in remote.uploads for upload in request.uploads]


def imports(remote: FakeRemote) -> list[dict[str, Any]]:
    return [row for row in remote.runs if row["pipeline_name"] == IMPORT_PIPELINE]


def connection_to(remote: FakeRemote) -> Connection:
    return resolve_connection(remote.url, remote.api_key)


def push(path: Path | str, remote: FakeRemote, **options: Any) -> pushing.PushResult:
    return pushing.push_archive_file(
        path, connection=connection_to(remote), options=PushOptions(delivery=HASTY, **options)
    )


def command(remote: FakeRemote, *arguments: str) -> Any:
    return call("push", *arguments, "--url", remote.url, "--api-key", remote.api_key)


@EACH_SYSTEM
def test_the_command_sends_the_very_bytes_and_all_of_it_is_there(
    remote: FakeRemote, tmp_path: Path, system: str
) -> None:
    path = pack(tmp_path / "backup.cogx.tar.gz", system)
    result = command(remote, str(path), "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert sent(remote) == [sha256(path)]
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["target_dataset"], answer["dataset_name"]) == ("completed", "backup", "backup")
    assert answer["remote_response"]["items"][0]["source_system"] == system
    dataset = remote.dataset("backup")
    texts = [name for name in SYSTEMS[system] if name not in ("entities.jsonl", "facts.jsonl", "nodes.jsonl")]
    assert len(dataset.documents) == sum(len(SYSTEMS[system][name]) for name in texts)
    with client_of(remote.url, remote.api_key) as client:
        found = compare_graph(client, dataset.id, [inspect_archive(path)])
    assert (found.problems, found.remarks) == ([], [])


@pytest.mark.parametrize("change", [rename_over, write_into])
def test_what_was_checked_is_what_is_sent_whatever_becomes_of_the_file(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, bytes], None]
) -> None:
    path, other = pack(tmp_path / "a.tar.gz", "zep"), pack(tmp_path / "other.tar.gz", "mem0")
    checked, push_checked = sha256(path), pushing.push_as_they_are

    def meanwhile(*arguments: Any, **options: Any) -> pushing.PushResult:
        change(path, other.read_bytes())
        return push_checked(*arguments, **options)

    monkeypatch.setattr("cognee_dagster.pushing.as_it_is.push_as_they_are", meanwhile)
    result = push(path, remote)
    assert (sent(remote), sha256(path)) == ([checked], sha256(other))
    assert (result.num_nodes, result.target_dataset) == (2, "a")


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_whichever_way_it_is_compressed_it_stays_so(remote: FakeRemote, tmp_path: Path, compression: str) -> None:
    path = pack(tmp_path / f"backup.tar{'.' * bool(compression)}{compression}", "graphiti", compression=compression)
    result = push(path, remote)
    assert (result.status, result.target_dataset) == ("completed", "backup")
    assert sent(remote) == [sha256(path)]


def test_the_coroutine_does_what_the_command_does(remote: FakeRemote, tmp_path: Path) -> None:
    path = pack(tmp_path / "notes.tar", "zep", compression="")
    result = asyncio.run(
        cognee_dagster.push_archive(path, target_dataset="there", url=remote.url, api_key=remote.api_key)
    )
    assert (result.status, result.target_dataset, result.num_nodes, result.num_edges) == ("completed", "there", 2, 2)
    assert sent(remote) == [sha256(path)]


def test_an_archive_is_pushed_into_the_dataset_that_it_was_exported_from(remote: FakeRemote, tmp_path: Path) -> None:
    directory = unpack(tmp_path / "backup", "cognee")
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["notes"] = ["Exported from Cognee dataset 'handbook'."]
    (directory / "manifest.json").write_text(json.dumps(manifest))
    assert push(directory, remote).target_dataset == "handbook"


def test_an_archive_is_fetched_from_a_url(remote: FakeRemote, tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", "mem0")
    UPath("memory://as-it-is/old.tar.gz").write_bytes(path.read_bytes())
    assert command(remote, "memory://as-it-is/old.tar.gz").exit_code == ExitCode.OK
    assert sent(remote) == [sha256(path)]
    assert "file memory://as-it-is/none.tar.gz cannot be fetched" in command(
        remote, "memory://as-it-is/none.tar.gz"
    ).stderr.replace("\n", " ")


@pytest.mark.parametrize("inside", ["", "export"])
def test_a_directory_is_packed_on_the_way_the_same_each_time_and_said_so(
    remote: FakeRemote, tmp_path: Path, inside: str
) -> None:
    unpack(tmp_path / "backup" / inside, "graphiti")
    (tmp_path / "backup" / inside / "left-over.txt").write_text("no part of an archive")
    results = [command(remote, "./backup") for _ in range(2)]
    assert "Packed the directory backup as an archive" in results[0].stderr.replace("\n", " ")
    first, second = sent(remote)
    assert first == second
    assert len(remote.graph("backup").edges) == 4  # two facts, two types


def test_a_name_without_a_slash_is_a_dataset_whatever_directory_is_there(remote: FakeRemote, tmp_path: Path) -> None:
    unpack(tmp_path / "backup", "cognee")
    assert command(remote, "backup").exit_code != ExitCode.OK
    assert sent(remote) == []


BROKEN: dict[str, tuple[Records, str]] = {
    "a line": ({"memories.jsonl": [{"kind": "memory", "external_id": "m"}]}, "memories.jsonl, line 1: content"),
    "accounts": ({**SYSTEMS["mem0"], "permissions.json": [{}]}, "permissions.json: holds accounts"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_a_server_would_refuse_is_refused_before_anything_is_sent(
    remote: FakeRemote, tmp_path: Path, broken: str
) -> None:
    records, reason = BROKEN[broken]
    for place in (pack(tmp_path / "a.tar.gz", "mem0", records), unpack(tmp_path / "a", "mem0", records)):
        with pytest.raises(ArchiveError, match=reason):
            push(place, remote)
        result = command(remote, str(place))
        assert result.exit_code == ExitCode.INVALID_ARCHIVE
        assert "`cognee-dagster validate ARCHIVE`" in result.stderr.replace("\n", " ")
    assert remote.requests == []


def test_an_archive_without_a_record_or_that_is_not_there_is_refused(remote: FakeRemote, tmp_path: Path) -> None:
    with pytest.raises(EmptyGraphError, match=r"a\.tar\.gz holds no record"):
        push(pack(tmp_path / "a.tar.gz", "mem0", {}), remote)
    with pytest.raises(ArchiveError, match=r"There is no archive b\.tar\.gz \(looked in "):
        push(Path("b.tar.gz"), remote)
    with pytest.raises(ArchiveError, match=r"holds no COGX archive: there is no manifest\.json"):
        push(tmp_path, remote)
    assert sent(remote) == []


@pytest.mark.parametrize(
    "option", [("--mapping", "name=x"), ("--profile", "apoc"), ("--user", "u@x.y"), ("--max-file-bytes", "9")]
)
def test_options_about_packing_a_graph_are_refused_for_an_archive(
    remote: FakeRemote, tmp_path: Path, option: tuple[str, str]
) -> None:
    result = command(remote, str(pack(tmp_path / "a.tar.gz", "mem0")), *option)
    assert result.exit_code == ExitCode.USAGE
    assert f"{option[0]} changes nothing here: an archive is sent as it is." in result.stderr.replace("\n", " ")


def test_texts_without_a_graph_are_said_to_become_none(remote: FakeRemote, tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", "mem0")
    told = "The archive holds texts (2 memory records) and no graph"
    assert told in command(remote, str(path)).stderr.replace("\n", " ")
    assert told not in command(remote, str(path), "--mode", "hybrid").stderr.replace("\n", " ")


@EACH_SYSTEM
def test_an_answer_that_is_lost_costs_no_second_import(remote: FakeRemote, tmp_path: Path, system: str) -> None:
    """Whether it is there is told by the remote graph, for every system's archives; texts alone start no import."""
    path = pack(tmp_path / "a.tar.gz", system)
    remote.faults.on(faults.UPLOADS, faults.cut_answer(0))
    result = push(path, remote)
    has_graph = "entities.jsonl" in SYSTEMS[system]
    assert (result.status, result.known_by.value) == ("completed", "remote_graph" if has_graph else "answer")
    assert sent(remote) == [sha256(path)] * (1 if has_graph else 2)
    assert len({row["pipeline_run_id"] for row in imports(remote)}) == has_graph


@pytest.mark.parametrize("system", ["cognee", "zep", "mem0"])
def test_in_the_background_a_push_ends_when_the_remote_has_taken_over(
    remote: FakeRemote, tmp_path: Path, system: str
) -> None:
    """Of texts alone there is no import to leave behind."""
    path = pack(tmp_path / "a.tar.gz", system)
    with remote.hold_imports():
        result = push(path, remote, run_in_background=True)
        assert result.status == ("completed" if system == "mem0" else "started")
        assert {result.pipeline_run_id} - {None} == {row["pipeline_run_id"] for row in imports(remote)}
    assert sent(remote) == [sha256(path)]


@pytest.mark.parametrize("system", ["cognee", "mem0", "letta"])
def test_texts_that_changed_replace_the_old_ones_and_others_stay(
    remote: FakeRemote, tmp_path: Path, system: str
) -> None:
    """A server ignores a new text under a known id."""
    push(pack(tmp_path / "a.tar.gz", system), remote)
    before = remote.dataset("a").documents
    push(pack(tmp_path / "a.tar.gz", system), remote)
    assert [request.method for request in remote.requests].count("DELETE") == 0
    changed = {
        name: [{**record, **{key: "changed" for key in ("content", "value") if key in record}} for record in records]
        for name, records in SYSTEMS[system].items()
    }
    old = {document.external_id: document.text for document in before.values()}
    push(pack(tmp_path / "a.tar.gz", system, changed), remote)
    new = {document.external_id: document.text for document in remote.dataset("a").documents.values()}
    assert new.keys() == old.keys()
    assert {name for name in new if new[name] == old[name]} == ({"ep1"} if system == "letta" else set())


def test_documents_that_a_push_of_the_graph_has_put_there_are_not_there_twice(
    remote: FakeRemote, tmp_path: Path
) -> None:
    """That push gave them ids of the dataset's own; as it is, an archive's documents keep theirs."""
    path = pack(tmp_path / "a.tar.gz", "cognee")
    with client_of(remote.url, remote.api_key) as client:
        pushing.push_archives([inspect_archive(path)], client=client)
        dataset = client.ensure_dataset("a")
    assert set(remote.documents("a")) == {f"{dataset.id}:alone", f"{dataset.id}:{IDS['chunk']}"}
    push(path, remote)
    assert set(remote.documents("a")) == {"alone", IDS["chunk"]}


def test_a_dataset_that_was_made_for_what_is_refused_goes_again(remote: FakeRemote, tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", "cognee")
    push(path, remote)
    with pytest.raises(RemoteRejectedError, match="415"):
        push(path, remote, target_dataset="b")
    assert [dataset.name for dataset in remote.state.datasets.values()] == ["a"]


@pytest.mark.parametrize(
    ("pipeline", "state"), [(IMPORT_PIPELINE, "STARTED"), (IMPORT_PIPELINE, "ERRORED"), ("add_pipeline", "STARTED")]
)
def test_it_stays_where_another_push_has_begun_to_fill_it(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: str, state: str
) -> None:
    path = pack(tmp_path / "a.tar.gz", "cognee")
    push(path, remote)
    graph_size = CogneeClient.graph_size

    def begun_meanwhile(client: CogneeClient, dataset_id: str) -> tuple[int, int]:
        remote.add_run("b", pipeline=pipeline, state=state)
        return graph_size(client, dataset_id)

    monkeypatch.setattr(CogneeClient, "graph_size", begun_meanwhile)
    with pytest.raises(RemoteRejectedError, match="415"):
        push(path, remote, target_dataset="b")
    assert [dataset.name for dataset in remote.state.datasets.values()] == ["a", "b"]


IDS = {"chunk": SYSTEMS["cognee"]["nodes.jsonl"][0]["id"]}
