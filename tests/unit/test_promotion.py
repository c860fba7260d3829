"""A stored archive is promoted, or gone back to: the remote gets the very bytes that are stored."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogxArchiveIOManager, store
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.dagster.sensors.policies import RepushPolicy
from cognee_dagster.errors import ArchiveNotStoredError
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, metadata_of, people
from tests.command_line import call
from tests.unit.test_io_manager import make_archive
from tests.unit.test_sensor_repush import Shop


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    """Two archives are stored: of three people, then of four."""
    chain = Chain(remote=remote, directory=tmp_path)
    for size in (3, 4):
        chain.graph = people(size=size)
        assert chain.run().success
    return chain


def stored(chain: Chain) -> list[store.ListedArchive]:
    base = ArchiveStore.at(str(chain.directory / "archives"))
    return store.listed(base, wanted=lambda found: found.place[-1] == "cogx_archive")


def blob(archive: store.ListedArchive) -> str:
    """The SHA-256 of the stored file."""
    return hashlib.sha256(archive.stored.files[0].location.read_bytes()).hexdigest()


def last_sent(remote: FakeRemote) -> str:
    return remote.uploads[-1].uploads[0].sha256


def command(chain: Chain, *arguments: str) -> Any:
    where = ("--archives", str(chain.directory / "archives"))
    return call("push", *arguments, *where, "--url", chain.remote.url, "--api-key", chain.remote.api_key)


def test_what_is_stored_is_listed_once_the_newest_first(chain: Chain) -> None:
    chain.run()  # the same again
    newest, oldest = stored(chain)
    assert (newest.is_latest, oldest.is_latest) == (True, False)
    assert (newest.stored.files[0].archive.num_nodes, oldest.stored.files[0].archive.num_nodes) == (4, 3)
    assert "(4 nodes, 3 edges, people/cogx_archive, 20" in str(newest)


@pytest.mark.parametrize("of", ["digest", "content_sha256", "sha256"])
@pytest.mark.parametrize("length", [8, None])
def test_the_command_sends_the_stored_bytes_of_a_digest_or_the_beginning_of_one(
    chain: Chain, of: str, length: int | None
) -> None:
    oldest = stored(chain)[1]
    digest = getattr(oldest.stored.files[0].archive, of)[:length]
    with FakeRemote() as production:
        chain.remote = production
        result = command(chain, "people", "--archive", digest, "--json")
        assert result.exit_code == ExitCode.OK, result.stderr
        assert last_sent(production) == blob(oldest)
        assert json.loads(result.stdout)["num_nodes"] == 3
        assert len(production.graph("people").nodes) == 3


@pytest.mark.parametrize("dataset", ["people", "people/cogx_archive"])
def test_the_command_sends_the_latest(chain: Chain, remote: FakeRemote, dataset: str) -> None:
    assert command(chain, dataset, "--archive", "latest").exit_code == ExitCode.OK
    assert last_sent(remote) == blob(stored(chain)[0])


@pytest.mark.parametrize("wanted", ["0" * 32, "yesterday", "LATEST"])
def test_an_unknown_digest_is_told_what_is_stored(chain: Chain, remote: FakeRemote, wanted: str) -> None:
    before = len(remote.uploads)
    result = command(chain, "people", "--archive", wanted)
    assert result.exit_code == ExitCode.NO_DATASET
    told = result.stderr.replace("\n", " ")
    assert all(archive.digest in told for archive in stored(chain))
    assert len(remote.uploads) == before


def test_a_dataset_of_which_nothing_is_stored_is_named(chain: Chain) -> None:
    result = command(chain, "nobody", "--archive", "latest")
    assert result.exit_code == ExitCode.NO_DATASET
    assert "No archive of dataset 'nobody' in" in result.stderr


def test_what_is_about_another_thing_is_refused(chain: Chain) -> None:
    for arguments in (("people",), ("people", "--archive", "latest", "--user", "u@x.y")):
        assert command(chain, *arguments).exit_code == ExitCode.USAGE


def test_the_variable_says_where_archives_are(chain: Chain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path / "archives"))
    key = ("--url", chain.remote.url, "--api-key", chain.remote.api_key)
    assert call("push", "people", "--archive", "latest", *key).exit_code == ExitCode.OK


def test_a_beginning_of_several_digests_and_a_latest_of_several_chains_are_no_answer(tmp_path: Path) -> None:
    base = ArchiveStore.at(str(tmp_path / "store"))
    contents = [bytes([number]) for number in range(40)]  # two of forty begin alike
    for number, content in enumerate(contents):
        base.save([make_archive(tmp_path, content)], place=(str(number % 2), "cogx_archive"), run_id=f"r{number}")
    archives = store.listed(base, wanted=lambda _: True)
    assert len(archives) == 40
    firsts = [archive.digest[0] for archive in archives]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(ArchiveNotStoredError, match=f"'{twice}' is more than one of them: .* and 30 older ones"):
        store.choose(archives, twice, of="x")
    with pytest.raises(ArchiveNotStoredError, match="'latest' is more than one of them"):
        store.choose(archives, "latest", of="x")


def test_of_archives_with_one_digest_the_newest_is_meant(tmp_path: Path) -> None:
    """Their timestamps may differ, which a digest does not see."""
    base = ArchiveStore.at(str(tmp_path / "store"))
    for number in range(3):
        archive = replace(make_archive(tmp_path, bytes([number])), digest="d" * 32)
        base.save([archive], place=("p", "cogx_archive"), run_id=f"r{number}")
    with store.choose(store.listed(base, wanted=lambda _: True), "d", of="x").local() as (found,):
        assert found.path.read_bytes() == b"\x02"


def test_a_launch_goes_back_to_a_stored_archive_byte_by_byte(chain: Chain, remote: FakeRemote) -> None:
    oldest = stored(chain)[1]
    result = chain.run("remote_push", config={"archive": oldest.digest[:10]})
    assert result.success
    assert last_sent(remote) == blob(oldest)
    metadata = metadata_of(result, "remote_push")
    assert (metadata["cognee/chosen_archive"], metadata["num_nodes"]) == (oldest.digest, 3)
    assert "cognee/chosen_archive" not in metadata_of(chain.run("remote_push"), "remote_push")


def test_what_is_sent_is_what_was_found_first_and_is_held(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run stores the graph of four people in between, which then is the latest."""
    newest, oldest = stored(chain)
    pointer = chain.directory / "archives" / "people.cogx_archive" / "latest.json"
    latest, name = pointer.read_bytes(), oldest.stored.files[0].archive.sha256
    (of_oldest,) = (run.read_bytes() for run in (pointer.parent / "runs").iterdir() if name in run.read_text())
    pointer.write_bytes(of_oldest)
    listed = store.listed

    def listed_once(*arguments: Any, **more: Any) -> Any:
        found = listed(*arguments, **more)
        pointer.write_bytes(latest)
        return found

    monkeypatch.setattr(store, "listed", listed_once)
    assert chain.run("remote_push", config={"archive": "latest"}).success
    assert last_sent(remote) == blob(oldest) != blob(newest)


def test_documents_of_a_chosen_archive_keep_their_ids_and_are_not_there_twice(chain: Chain, remote: FakeRemote) -> None:
    chain.graph.add_node("c", type="DocumentChunk", text="Person 0 knows Person 1.")
    assert chain.run().success
    dataset_id = remote.dataset("people").id
    (usual,) = remote.documents("people")
    assert usual.startswith(f"{dataset_id}:")
    assert chain.run("remote_push", config={"archive": "latest"}).success
    assert last_sent(remote) == blob(stored(chain)[0])
    assert list(remote.documents("people")) == [usual.removeprefix(f"{dataset_id}:")]


def test_documents_that_belong_to_another_dataset_are_refused_and_leave_no_empty_one(
    chain: Chain, remote: FakeRemote
) -> None:
    chain.graph.add_node("c", type="DocumentChunk", text="Person 0 knows Person 1.")
    assert chain.run().success
    assert chain.run("remote_push", config={"archive": "latest"}).success  # with the archive's own ids
    result = chain.run("remote_push", config={"archive": "latest", "target_dataset": "second"})
    reason, metadata = failure_of(result, "remote_push")
    assert metadata["cognee/error"] == "RemoteRejectedError"
    assert "already belongs to another dataset" in reason
    with chain.resources["cognee_remote"].client() as client:
        assert [dataset.name for dataset in client.datasets()] == ["people"]


@pytest.mark.parametrize("archive", ["", None])
def test_a_launch_without_a_choice_sends_what_was_made(chain: Chain, remote: FakeRemote, archive: str | None) -> None:
    assert chain.run("remote_push", config={"archive": archive}).success
    assert len(remote.graph("people").nodes) == 4


def test_a_launch_with_an_unknown_digest_fails_with_what_is_stored(chain: Chain, remote: FakeRemote) -> None:
    before = len(remote.uploads)
    result = chain.run("remote_push", config={"archive": "beef"})
    reason, metadata = failure_of(result, "remote_push")
    assert metadata["cognee/error"] == "ArchiveNotStoredError"
    assert all(archive.digest in reason for archive in stored(chain))
    assert len(remote.uploads) == before


class OwnArchives(dg.ConfigurableIOManager):
    """A user's own IO manager, which keeps archives as ours does, and is not known to."""

    base_directory: str

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        CogxArchiveIOManager(base_directory=self.base_directory).handle_output(context, obj)

    def load_input(self, context: dg.InputContext) -> Any:
        return CogxArchiveIOManager(base_directory=self.base_directory).load_input(context)


def test_archives_that_cannot_be_searched_are_told_with_what_can_be_done_there(
    chain: Chain, remote: FakeRemote, tmp_path: Path
) -> None:
    chain.more_resources["cogx_archives"] = OwnArchives(base_directory=str(tmp_path / "archives"))
    reason, _ = failure_of(chain.run("remote_push", config={"archive": "latest"}), "remote_push")
    assert "stored by OwnArchives, which cannot be searched: that takes a CogxArchiveIOManager. Or launch" in reason
    chain.graph = people(size=6)
    assert chain.run("my_graph", "cognified_graph", "cogx_archive").success
    told = str(chain.check("remote_in_sync").description)
    assert told.endswith("which cannot be searched: that takes a CogxArchiveIOManager.")


def test_a_chain_that_has_made_no_archive_may_push_what_another_of_the_dataset_has_made(
    chain: Chain, remote: FakeRemote
) -> None:
    oldest = stored(chain)[1]
    chain.options = {"key_prefix": "production", "target_dataset": "production", "retry_policy": NO_RETRY}
    reason, metadata = failure_of(chain.run("remote_push"), "remote_push")
    assert metadata["cognee/error"] == "ArchiveNotStoredError"
    assert "No archive of production/people/cogx_archive is stored yet" in reason
    step = chain.dataset.push_key.to_python_identifier()
    promoted = dg.materialize(
        chain.assets,
        resources=chain.resources,
        instance=chain.instance,
        selection=[chain.dataset.push_key],
        run_config={"ops": {step: {"config": {"archive": oldest.digest}}}},
    )
    assert promoted.success
    assert last_sent(remote) == blob(oldest)


def test_the_check_compares_with_the_archive_that_was_chosen(chain: Chain, remote: FakeRemote) -> None:
    """The latest has a node that the chosen one, which is what was pushed, has not."""
    oldest = stored(chain)[1]
    chain.options = {"verify": "graph", "target_dataset": "elsewhere"}
    result = chain.run("remote_push", config={"archive": oldest.digest, "target_dataset": "elsewhere"})
    assert checks(result)["remote_import_succeeded"].passed
    assert chain.check("remote_graph_complete").passed
    assert len(remote.graph("elsewhere").nodes) == 3


def test_a_push_that_failed_is_pushed_again_with_the_chosen_archive(remote: FakeRemote, tmp_path: Path) -> None:
    shop = Shop(remote, tmp_path, RepushPolicy(attempts=1))
    assert shop.chain.run().success
    wanted = stored(shop.chain)[0].digest
    shop.chain.graph = people(size=5)
    remote.fail_next_import("RuntimeError")
    with remote.hold_imports():
        assert shop.chain.run("cogx_archive", "remote_push", config={"archive": wanted}).success
    shop.watch()
    (request,), _ = shop.ask()
    assert request.run_config["ops"]["people__remote_push"]["config"]["archive"] == wanted
