"""A graph in several archives is pushed as one: in order, resumably, and to the same remote graph."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import EmptyGraphError, InvalidModeError, PushInterruptedError, RemoteError
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.comparison.verification import num_edges_there
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.archive import Limits as ServerLimits
from cognee_dagster.testing.runs import IMPORT_PIPELINE
from tests.cogx_graphs import ID_A, ID_B, MemoryReader, write_archives
from tests.pushes import HASTY, Noting, client_of, push_archive
from tests.unit.test_cogx_cut import topics

LIMITS = Limits(member_bytes=100_000, total_bytes=200_000)


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    """A server that would refuse the graph as one archive."""
    limits = ServerLimits(member_bytes=LIMITS.member_bytes, total_bytes=LIMITS.total_bytes)
    with FakeRemote(limits=limits) as server:
        yield server


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Archive, ...]:
    archives = write_archives(topics(), tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    assert len(archives) > 4
    return archives


def push(
    remote: FakeRemote,
    parts: tuple[Archive, ...],
    *,
    on_shard: Callable[[int, int], None] = lambda *_: None,
    record: Noting | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> PushResult:
    with client_of(remote.url, remote.api_key) as client:
        return push_archives(
            parts,
            client=client,
            options=PushOptions(delivery=HASTY, **options),
            progress=PushProgress(on_shard=on_shard),
            record=record,
            stop=stop,
        )


def test_the_remote_graph_is_that_of_one_archive(
    remote: FakeRemote, parts: tuple[Archive, ...], tmp_path: Path
) -> None:
    result = push(remote, parts)
    whole = write_archive(topics(), tmp_path / "whole.cogx.tar.gz")
    with FakeRemote() as generous, client_of(generous.url, generous.api_key) as client:
        expected = push_archive(whole, client=client, settings=HASTY)
        assert remote.graph("demo").nodes == generous.graph("demo").nodes
        assert remote.graph("demo").edges == generous.graph("demo").edges
        assert sorted(remote.documents("demo").values()) == sorted(generous.documents("demo").values())
    assert (result.status, result.num_nodes, result.num_edges) == ("completed", expected.num_nodes, expected.num_edges)


def test_the_answer_is_the_servers_for_several_archives(remote: FakeRemote, parts: tuple[Archive, ...]) -> None:
    result = push(remote, parts)
    items = result.remote_response["items"]
    assert [item["record_counts"] for item in items] == [part.record_counts for part in parts]
    assert [item["skipped_facts"] for item in items] == [0] * len(parts)
    assert result.pipeline_run_id == result.remote_response["pipeline_run_id"] == items[-1]["pipeline_run_id"]
    assert len({item["pipeline_run_id"] for item in items}) == len(parts)


def test_progress_is_told_in_the_log_and_to_the_caller(
    remote: FakeRemote, parts: tuple[Archive, ...], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[int, int]] = []
    with caplog.at_level(logging.INFO, logger="cognee_dagster"):
        push(remote, parts, on_shard=lambda number, total: told.append((number, total)))
    assert told == [(number, len(parts)) for number in range(1, len(parts) + 1)]
    assert f"Archive 3 of {len(parts)}" in caplog.text


def test_a_next_try_goes_on_after_the_last_archive_that_arrived(
    remote: FakeRemote, parts: tuple[Archive, ...], caplog: pytest.LogCaptureFixture
) -> None:

    def break_down(archive: Archive, run_id: str) -> None:
        if archive == parts[1]:
            for _ in range(5):
                remote.fail_next_import()

    record = Noting(on_run=break_down)
    with pytest.raises(RemoteError):
        push(remote, parts, record=record)
    assert f"Archive 3 of {len(parts)} did not arrive. Before it, 2 archives are imported; push again" in caplog.text
    remote.pace.next_failures.clear()
    before = len(remote.uploads)
    result = push(remote, parts, record=Noting(record.runs))
    assert len(remote.uploads) - before == len(parts) - 2
    assert len(remote.graph("demo").nodes) == result.num_nodes
    assert len(remote.graph("demo").edges) == result.num_edges


def test_what_was_deleted_on_the_remote_meanwhile_is_uploaded_again(
    remote: FakeRemote, parts: tuple[Archive, ...]
) -> None:
    """A dataset made again has its old id, and its old runs are still shown."""
    record = Noting()
    push(remote, parts, record=record)
    with client_of(remote.url, remote.api_key) as client:
        client.delete_dataset(client.ensure_dataset("demo").id)
    result = push(remote, parts, record=record)
    assert len(remote.graph("demo").nodes) == result.num_nodes


def test_what_was_taken_out_of_the_remote_graph_since_is_uploaded_again(
    remote: FakeRemote, parts: tuple[Archive, ...]
) -> None:
    """The answer to an upload says what was there then; a week later that is looked at."""
    record = Noting()
    push(remote, parts, record=record)
    remote.graph("demo").nodes.clear()
    remote.state.clock.skew += 8 * 86400.0
    before = len(remote.uploads)
    result = push(remote, parts, record=record)
    assert len(remote.uploads) - before == len(parts)
    assert len(remote.graph("demo").nodes) == result.num_nodes


def test_a_resumed_push_knows_as_well_as_a_straight_one_how_many_edges_are_one(
    remote: FakeRemote, tmp_path: Path
) -> None:
    nodes = [(node_id, node_id, "Entity", "{}") for node_id in (ID_A, ID_B)]
    edges = [(ID_A, ID_B, "knows", json.dumps({"since": year})) for year in (1840, 1850)]
    archive = write_archive(MemoryReader(nodes, edges), tmp_path / "twice.cogx.tar.gz")
    record = Noting()
    straight = push(remote, (archive,), record=record)
    resumed = push(remote, (archive,), record=record)
    assert len(remote.uploads) == 1
    told = [num_edges_there(result.num_edges, result.remote_response) for result in (straight, resumed)]
    assert told == [1, 1]


def test_in_the_background_only_the_last_import_is_left_to_itself(
    remote: FakeRemote, parts: tuple[Archive, ...]
) -> None:
    """The run that is named is the last one's: when it has ended, everything is there."""

    def before(number: int, total: int) -> None:
        if number == total:
            remote.pace.import_seconds = 0.5

    result = push(remote, parts, run_in_background=True, on_shard=before)
    assert result.status == "started"
    assert result.remote_response["detached"] is True
    assert len(result.remote_response["items"]) == len(parts)
    imports = [row for row in remote.runs if row["pipeline_name"] == IMPORT_PIPELINE]
    assert [row["outcome"] for row in imports if row["pipeline_run_id"] == result.pipeline_run_id] == [None]
    assert len([row for row in imports if row["outcome"] == "succeeded"]) == len(parts) - 1


def test_a_stopped_push_stops_between_archives_too(remote: FakeRemote, parts: tuple[Archive, ...]) -> None:
    stop = threading.Event()

    def before(number: int, total: int) -> None:
        if number == 3:
            stop.set()

    with pytest.raises(PushInterruptedError):
        push(remote, parts, on_shard=before, stop=stop)
    assert len(remote.uploads) == 2


def test_re_derive_takes_one_archive(remote: FakeRemote, parts: tuple[Archive, ...]) -> None:
    """The server gives what it derives from fixed ids, and ignores those of a second archive."""
    with pytest.raises(InvalidModeError, match="preserve or hybrid"):
        push(remote, parts, mode="re-derive")
    assert remote.uploads == []


def test_an_archive_of_repeated_nodes_only_is_no_empty_graph(remote: FakeRemote, parts: tuple[Archive, ...]) -> None:
    nobody_at_home = (*parts[:-1], replace(parts[-1], num_nodes=0))
    assert push(remote, nobody_at_home).status == "completed"
    with pytest.raises(EmptyGraphError):
        push(remote, (replace(parts[0], num_nodes=0),))


def journal(parts: tuple[Archive, ...], directory: Path, **changes: str) -> PushJournal:
    place = {"remote_url": "http://127.0.0.1", "target_dataset": "demo", "mode": "preserve", **changes}
    return PushJournal.of(parts, directory=directory, **place)


def test_a_journal_is_of_one_push_to_one_place(parts: tuple[Archive, ...], tmp_path: Path) -> None:
    journal(parts, tmp_path).note(parts[0], BegunImport(run_id="run-1"))
    journal(parts, tmp_path).note(parts[1], BegunImport(run_id="run-2"))
    again = journal(parts, tmp_path)
    assert again.begun() == {parts[1].content_sha256: BegunImport(run_id="run-2")}
    again.note(parts[2], BegunImport(run_id="run-3"))
    assert journal(parts, tmp_path).begun() == {
        parts[1].content_sha256: BegunImport(run_id="run-2"),
        parts[2].content_sha256: BegunImport(run_id="run-3"),
    }
    for change in ({"remote_url": "http://127.0.0.2"}, {"target_dataset": "other"}, {"mode": "hybrid"}):
        assert journal(parts, tmp_path, **change).begun() == {}
    assert journal(parts[1:], tmp_path).begun() == {}
    journal(parts, tmp_path).done()
    assert journal(parts, tmp_path).begun() == {}


def test_a_journal_never_fails_a_push(parts: tuple[Archive, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unwritable = journal(parts, tmp_path / "file")
    unwritable.note(parts[0], BegunImport(run_id="run-1"))
    assert unwritable.begun() == {}
    unwritable.done()
    damaged = journal(parts, tmp_path / "d")
    damaged.note(parts[0], BegunImport(run_id="run-1"))
    next((tmp_path / "d").iterdir()).write_bytes(b"[1")
    assert damaged.begun() == {}


@pytest.mark.parametrize("known_by", [None, *KnownBy])
def test_a_journal_keeps_how_an_import_is_known(
    parts: tuple[Archive, ...], tmp_path: Path, known_by: KnownBy | None
) -> None:
    run = BegunImport(run_id="run-1", known_by=known_by)
    journal(parts, tmp_path).note(parts[0], run)
    assert journal(parts, tmp_path).begun() == {parts[0].content_sha256: run}


def test_what_an_old_release_noted_is_looked_at(parts: tuple[Archive, ...], tmp_path: Path) -> None:
    journal(parts, tmp_path).note(parts[0], BegunImport(run_id="run-1"))
    (kept,) = tmp_path.glob("*.json")
    for old in ("run-1", {"run": "run-1", "answered": True}):
        kept.write_text(json.dumps({parts[0].content_sha256: old}))
        assert journal(parts, tmp_path).begun() == {parts[0].content_sha256: BegunImport(run_id="run-1")}


def test_a_journal_clears_away_those_that_nobody_has_gone_on_with_for_a_week(
    parts: tuple[Archive, ...], tmp_path: Path
) -> None:
    days = {
        f"{'a' * 32}.json": 8,
        f"{'b' * 32}.json": 6,
        f".{'c' * 32}.tmp": 2,
        f".{'d' * 32}.tmp": 0,
        "other.json": 99,
    }
    for name, age in days.items():
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (time.time() - age * 86_400.0,) * 2)
    journal(parts, tmp_path).note(parts[0], BegunImport(run_id="run-1"))
    assert {name for name in days if (tmp_path / name).exists()} == {
        f"{'b' * 32}.json",
        f".{'d' * 32}.tmp",
        "other.json",
    }
    assert len(journal(parts, tmp_path).begun()) == 1


def test_a_push_of_one_archive_leaves_nothing_behind(parts: tuple[Archive, ...], tmp_path: Path) -> None:
    only = journal(parts[:1], tmp_path / "d")
    only.note(parts[0], BegunImport(run_id="run-1"))
    only.done()
    assert not (tmp_path / "d").exists()
