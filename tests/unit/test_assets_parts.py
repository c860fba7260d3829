"""A graph beyond the remote's limits travels through the chain of assets in several archives."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.archive import Limits
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, metadata_of, people

LIMITS = {"max_file_bytes": 8_000, "max_archive_bytes": 20_000}


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    """It would refuse the graph as one archive."""
    with FakeRemote(
        limits=Limits(member_bytes=LIMITS["max_file_bytes"], total_bytes=LIMITS["max_archive_bytes"])
    ) as server:
        yield server


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    options: dict[str, Any] = {"retry_policy": NO_RETRY, **LIMITS}
    return Chain(remote=remote, directory=tmp_path, graph=people(size=120), options=options)


def test_the_remote_graph_is_whole(chain: Chain, remote: FakeRemote) -> None:
    result = chain.run()
    assert result.success
    total = len(remote.uploads)
    assert total > 3
    assert (len(remote.graph("people").nodes), len(remote.graph("people").edges)) == (120, 119)
    written, pushed = metadata_of(result, "cogx_archive"), metadata_of(result, "remote_push")
    assert (
        written["cognee/archives_total"] == pushed["cognee/archives_total"] == pushed["cognee/archives_done"] == total
    )
    assert (pushed["num_nodes"], pushed["num_edges"]) == (written["num_nodes"], written["num_edges"]) == (120, 119)
    assert pushed["cognee/archive_digest"] == metadata_of(result, "cognified_graph")["cognee/graph_digest"]
    assert len(pushed["cognee/archive_sha256"].split()) == total
    assert metadata_of(result, "remote_graph")["num_nodes"] == 120
    found = checks(result)
    assert found["archive_within_server_limits"].passed
    assert found["remote_import_succeeded"].passed


def test_every_archive_is_in_the_store_and_the_pointer_names_them_in_order(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run().success
    first = [upload.sha256 for request in remote.uploads for upload in request.uploads]
    remote.requests.clear()
    assert chain.run("remote_push").success
    assert [upload.sha256 for request in remote.uploads for upload in request.uploads] == first
    blobs = list(chain.directory.glob("archives/*/blobs/*"))
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in blobs) == sorted(first)


def test_a_run_again_goes_on_after_the_last_archive_that_arrived(chain: Chain, remote: FakeRemote) -> None:
    chain.remote_options = {"max_attempts": 1}
    with _failing_after(remote, 2):
        failed = chain.run()
    assert not failed.success
    assert "409" in failure_of(failed, "remote_push")[0]
    before = len(remote.uploads)
    result = chain.run("remote_push")
    assert result.success
    total = metadata_of(result, "remote_push")["cognee/archives_total"]
    assert len(remote.uploads) - before == total - 2
    assert len(remote.graph("people").nodes) == 120
    assert len(remote.graph("people").edges) == 119


def test_each_import_is_observed_with_the_number_of_archives_that_arrived(chain: Chain) -> None:
    result = chain.run()
    total = metadata_of(result, "remote_push")["cognee/archives_total"]
    records = chain.instance.fetch_observations(chain.dataset.push_key, limit=100).records
    observed = [record.asset_observation for record in reversed(records) if record.asset_observation]
    done: dict[str, list[Any]] = {
        "answer": [],
        "run": [],
    }  # an import that is over quickly is answered before its run is seen
    for event in observed:
        done[str(event.metadata["cognee/import_known_by"].value)].append(event.metadata["cognee/archives_done"].value)
    assert done["answer"] == list(range(1, total + 1))
    assert set(done["run"]) <= set(range(total))
    assert f"archive 1 of {total}" in str(observed[0].description)


def test_in_the_background_the_last_import_stands_for_all(chain: Chain, remote: FakeRemote) -> None:
    remote.limits = Limits()
    remote.pace.import_seconds = 2.0  # longer than it takes to see that the import has begun
    chain.options |= {"max_file_bytes": 30_000, "max_archive_bytes": 60_000}
    result = chain.run(config={"run_in_background": True})
    pushed = metadata_of(result, "remote_push")
    assert (pushed["status"], pushed["cognee/archives_total"]) == ("started", 2)
    assert pushed["pipeline_run_id"] == remote.runs[0]["pipeline_run_id"]


def test_a_record_beyond_the_limits_by_itself_fails_the_archive_and_is_named(chain: Chain, remote: FakeRemote) -> None:
    chain.graph = people(size=5)
    chain.graph.nodes["p3"]["description"] = "x" * 9_000
    result = chain.run()
    assert not result.success
    reason, metadata = failure_of(result, "cogx_archive")
    assert "larger than one archive may be (8,000 bytes a file" in reason
    assert metadata["cognee/error"] == "ArchiveLimitError"
    assert remote.uploads == []


class _failing_after:  # noqa: N801 - reads as a function
    """Imports fail after so many that succeed."""

    def __init__(self, remote: FakeRemote, successes: int) -> None:
        self._remote = remote
        self._left = successes

    def __enter__(self) -> None:
        remote, original = self._remote, self._remote.pace.import_graph

        def import_graph(num_nodes: int) -> None:
            self._left -= 1
            if self._left < 0:
                remote.fail_next_import()
            original(num_nodes)

        remote.pace.import_graph = import_graph  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        del self._remote.pace.import_graph
        self._remote.pace.next_failures.clear()
