"""The archive store and its IO manager: a run, or its re-execution, gets the very archive that the run wrote."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.errors import ArchiveError, ArchiveNotStoredError
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.stored import StoredArchive

PLACE = ("onboarding", "cogx_archive")


def make_archive(directory: Path, content: bytes) -> Archive:
    path = directory / f"{uuid.uuid4().hex}.cogx.tar.gz"
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Archive(
        path=path,
        dataset_name="onboarding",
        num_nodes=3,
        num_edges=2,
        digest=sha256[:32],
        content_sha256=sha256,
        sha256=sha256,
        size_bytes=len(content),
        record_counts={"raw_node": 3, "fact": 2},
        member_bytes={"nodes.jsonl": 10},
    )


@pytest.fixture(params=["directory", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "directory" else f"memory://{uuid.uuid4().hex}"


def content_of(stored: StoredArchive) -> bytes:
    with stored.local() as (archive,):
        return archive.path.read_bytes()


def test_a_run_gets_its_own_archive_however_many_newer_ones_there_are(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    store.save([make_archive(tmp_path, b"first")], place=PLACE, run_id="run-1")
    store.save([make_archive(tmp_path, b"second")], place=PLACE, run_id="run-2")
    assert content_of(store.find(place=PLACE, run_id="run-1")) == b"first"
    assert content_of(store.find(place=PLACE, run_id=None)) == b"second"


def test_what_is_found_is_what_was_saved(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    archive = make_archive(tmp_path, b"content")
    store.save([archive], place=PLACE, run_id="run-1")
    archive.path.unlink()
    with store.find(place=PLACE, run_id="run-1").local() as (found,):
        assert (found.num_nodes, found.num_edges, found.digest, found.record_counts) == (
            archive.num_nodes,
            archive.num_edges,
            archive.digest,
            archive.record_counts,
        )
        assert found.path.read_bytes() == b"content"


def test_an_unchanged_archive_is_stored_once(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    saved = [store.save([make_archive(tmp_path, b"same")], place=PLACE, run_id=f"run-{n}") for n in range(3)]
    assert len({str(stored.files[0].location) for stored in saved}) == 1
    assert len(list(saved[0].files[0].location.parent.iterdir())) == 1


def test_a_local_archive_is_read_where_it_is(tmp_path: Path) -> None:
    store = ArchiveStore(UPath(tmp_path / "store"))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    with stored.local() as (archive,):
        assert archive.path == Path(str(stored.files[0].location))


def test_the_copy_of_a_remote_archive_is_removed_afterwards(tmp_path: Path) -> None:
    store = ArchiveStore(UPath(f"memory://{uuid.uuid4().hex}"))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    with stored.local() as (archive,):
        assert archive.path.exists()
    assert not archive.path.parent.exists()


def test_nothing_stored_yet_says_what_to_materialize(base: str) -> None:
    with pytest.raises(ArchiveNotStoredError, match=r"onboarding/cogx_archive is stored yet.*Materialize"):
        ArchiveStore(UPath(base)).find(place=PLACE, run_id=None)


def test_a_run_that_stored_nothing_is_named(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    with pytest.raises(ArchiveNotStoredError, match="run-2"):
        store.find(place=PLACE, run_id="run-2")


def test_a_damaged_archive_is_refused(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    stored.files[0].location.write_bytes(b"conte")
    with pytest.raises(ArchiveError, match="damaged"), stored.local():
        pass


def test_a_deleted_archive_is_reported_as_gone(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    stored.files[0].location.unlink()
    with pytest.raises(ArchiveNotStoredError, match="gone"), stored.local():
        pass


def test_a_half_written_archive_is_written_again(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    stored.files[0].location.write_bytes(b"con")
    store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-2")
    assert content_of(store.find(place=PLACE, run_id="run-1")) == b"content"


@pytest.mark.parametrize(
    "pointer", [b"", b"[]", b"{}", b'{"format": 9}', b'{"format": 2, "place": ["a"], "partition": null}']
)
def test_a_damaged_pointer_is_refused(base: str, tmp_path: Path, pointer: bytes) -> None:
    store = ArchiveStore(UPath(base))
    stored = store.save([make_archive(tmp_path, b"content")], place=PLACE, run_id="run-1")
    (stored.files[0].location.parent.parent / "latest.json").write_bytes(pointer)
    with pytest.raises(ArchiveError, match="not a pointer"):
        store.find(place=PLACE, run_id=None)


@settings(max_examples=50)
@given(place=st.lists(st.text(min_size=1), min_size=1, max_size=4), partition=st.none() | st.text(min_size=1))
def test_no_name_leaves_the_base_directory(
    tmp_path_factory: pytest.TempPathFactory, place: list[str], partition: str | None
) -> None:
    directory = tmp_path_factory.mktemp("store")
    store = ArchiveStore(UPath(directory / "base"))
    archive = make_archive(directory, b"content")
    stored = store.save([archive], place=place, run_id="../../run", partition=partition)
    assert (directory / "base") in Path(str(stored.files[0].location)).resolve().parents
    assert sorted(path.name for path in directory.iterdir()) == sorted(["base", archive.path.name])
    assert content_of(store.find(place=place, run_id="../../run", partition=partition)) == b"content"


def test_partitions_and_assets_of_one_name_are_kept_apart(base: str, tmp_path: Path) -> None:
    store = ArchiveStore(UPath(base))
    store.save([make_archive(tmp_path, b"partition")], place=("a",), run_id="run-1", partition="b")
    store.save([make_archive(tmp_path, b"asset")], place=("a", "b"), run_id="run-1")
    store.save([make_archive(tmp_path, b"plain")], place=("a",), run_id="run-1")
    assert content_of(store.find(place=("a",), run_id="run-1", partition="b")) == b"partition"
    assert content_of(store.find(place=("a", "b"), run_id="run-1")) == b"asset"
    assert content_of(store.find(place=("a",), run_id="run-1")) == b"plain"


# -- through Dagster


def chain(tmp_path: Path, content: Callable[[], bytes], *, fails: Callable[[], bool]) -> list[dg.AssetsDefinition]:
    """An archive of whatever ``content`` says now, and an asset that reads it and fails if ``fails`` says so."""

    @dg.asset(key=["x", "cogx_archive"], io_manager_key="cogx_archives")
    def cogx_archive() -> Iterator[dg.MaterializeResult[Archive]]:
        yield dg.MaterializeResult(value=make_archive(tmp_path, content()))

    @dg.asset(key=["x", "reader"], ins={"archive": dg.AssetIn(key=["x", "cogx_archive"])})
    def reader(archive: StoredArchive) -> dg.MaterializeResult[None]:
        if fails():
            raise dg.Failure("on purpose", allow_retries=False)
        return dg.MaterializeResult(metadata={"content": content_of(archive).decode()})

    return [cogx_archive, reader]


def test_the_latest_archive_is_read_when_only_the_reader_runs(base: str, tmp_path: Path) -> None:
    assets = chain(tmp_path, lambda: b"one", fails=lambda: False)
    resources = {"cogx_archives": CogxArchiveIOManager(base_directory=base)}
    instance = dg.DagsterInstance.ephemeral()
    dg.materialize(assets, resources=resources, instance=instance, selection=[assets[0]])
    result = dg.materialize(assets, resources=resources, instance=instance, selection=[assets[1]])
    (event,) = result.asset_materializations_for_node("x__reader")
    assert event.metadata["content"].value == "one"


def test_reading_before_anything_is_stored_fails_at_once_and_says_why(base: str, tmp_path: Path) -> None:
    assets = chain(tmp_path, lambda: b"one", fails=lambda: False)
    resources = {"cogx_archives": CogxArchiveIOManager(base_directory=base)}
    result = dg.materialize(assets, resources=resources, selection=[assets[1]], raise_on_error=False)
    failure = result.failure_data_for_node("x__reader")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "Materialize x/cogx_archive first" in str(failure.user_failure_data.description)


def test_the_io_manager_says_where_it_stored_the_archive(base: str, tmp_path: Path) -> None:
    assets = chain(tmp_path, lambda: b"one", fails=lambda: False)
    result = dg.materialize(assets, resources={"cogx_archives": CogxArchiveIOManager(base_directory=base)})
    (event,) = result.asset_materializations_for_node("x__cogx_archive")
    assert str(event.metadata["dagster/uri"].value).endswith(".cogx.tar.gz")
    assert UPath(str(event.metadata["dagster/uri"].value)).read_bytes() == b"one"


def test_only_archives_are_stored(base: str) -> None:
    @dg.asset(io_manager_key="cogx_archives")
    def wrong() -> str:
        return "no archive"

    result = dg.materialize(
        [wrong], resources={"cogx_archives": CogxArchiveIOManager(base_directory=base)}, raise_on_error=False
    )
    failure = result.failure_data_for_node("wrong")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "wrong returned str" in str(failure.user_failure_data.description)


def test_each_partition_has_its_own_archive(base: str, tmp_path: Path) -> None:
    partitions = dg.StaticPartitionsDefinition(["a/b", "../c"])

    @dg.asset(io_manager_key="cogx_archives", partitions_def=partitions)
    def archive(context: dg.AssetExecutionContext) -> Archive:
        return make_archive(tmp_path, context.partition_key.encode())

    @dg.asset(partitions_def=partitions)
    def reader(archive: StoredArchive) -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"content": content_of(archive).decode()})

    resources = {"cogx_archives": CogxArchiveIOManager(base_directory=base)}
    instance = dg.DagsterInstance.ephemeral()
    for key in partitions.get_partition_keys():
        dg.materialize([archive], resources=resources, instance=instance, partition_key=key)
    for key in partitions.get_partition_keys():
        result = dg.materialize(
            [archive, reader], resources=resources, instance=instance, partition_key=key, selection=[reader]
        )
        (event,) = result.asset_materializations_for_node("reader")
        assert event.metadata["content"].value == key


def re_executed_chain() -> dg.JobDefinition:
    """A job that Dagster can build again: what it does stands in files."""
    directory = Path(os.environ["ARCHIVE_CHAIN_DIRECTORY"])
    assets = chain(directory, (directory / "content").read_bytes, fails=(directory / "fails").exists)
    return dg.Definitions(
        assets=assets,
        resources={"cogx_archives": CogxArchiveIOManager(base_directory=str(directory / "store"))},
        jobs=[dg.define_asset_job("chain", executor_def=dg.in_process_executor)],
    ).resolve_job_def("chain")


def test_re_executing_an_old_run_does_not_pick_up_a_newer_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the re-execution is itself re-executed."""
    monkeypatch.setenv("ARCHIVE_CHAIN_DIRECTORY", str(tmp_path))
    job, fails, content = dg.reconstructable(re_executed_chain), tmp_path / "fails", tmp_path / "content"
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:

        def execute(re_execution_of: str | None = None) -> dg.JobExecutionResult:
            options = dg.ReexecutionOptions.from_failure(re_execution_of, instance) if re_execution_of else None
            with dg.execute_job(job, instance=instance, reexecution_options=options) as result:
                return result

        content.write_bytes(b"old")
        fails.touch()
        old = execute()
        assert not old.success
        content.write_bytes(b"new")
        assert not execute().success
        again = execute(re_execution_of=old.run_id)
        assert not again.success
        fails.unlink()
        assert execute(re_execution_of=again.run_id).success
        event = instance.get_latest_materialization_event(dg.AssetKey(["x", "reader"]))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["content"].value == "old"
