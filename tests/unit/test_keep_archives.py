"""How long archives are kept, as users say it: on the command line, of the IO manager; and what pushes hold."""

import json
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeRemote, CogxArchiveIOManager, KeepArchives, build_import_sensor
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, checks, metadata_of, people
from tests.command_line import call
from tests.unit.target_world import TO_ARCHIVE, TwoRemotes, two_remotes
from tests.unit.test_archive_prune import EndpointConnectionError
from tests.unit.test_assets_verify import lose_a_node
from tests.unit.test_io_manager import make_archive

PLACE = ("team", "notes", "cogx_archive")
DAY = 86_400.0


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with three archives of one dataset and one of another."""
    store = ArchiveStore.at(str(tmp_path / "store"))
    for number, content in enumerate((b"one", b"second", b"the third")):
        store.save([make_archive(tmp_path, content)], place=PLACE, run_id=f"run-{number}")
    store.save([make_archive(tmp_path, b"other")], place=("other", "cogx_archive"), run_id="run-9")
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path / "store"))
    return tmp_path / "store"


def blobs(directory: Path) -> int:
    return len([path for path in directory.rglob("*.cogx.tar.gz") if path.parent.name == "blobs"])


def printed(*arguments: str, code: int = 0) -> Any:
    ended = call("archives", *arguments, "--json")
    assert ended.exit_code == code, ended.stderr
    return json.loads(ended.stdout)


def test_list_says_what_is_stored_and_what_is_needed(directory: Path) -> None:
    found = printed("list")
    assert [(item["dataset"], item["bytes"], item["kept_because"]) for item in found["archives"]] == [
        ("other/cogx_archive", 5, ["the newest"]),
        ("team/notes/cogx_archive", 9, ["the newest"]),
        ("team/notes/cogx_archive", 6, []),
        ("team/notes/cogx_archive", 3, []),
    ]
    assert found["num_bytes"] == 23
    shown = call("archives", "list", "notes").stdout.splitlines()
    assert shown[0].split() == ["dataset", "digest", "nodes", "edges", "bytes", "stored", "needed"]
    assert [line.endswith("the newest") for line in shown[1:]] == [True, False, False]


def test_a_store_without_archives_says_where_was_looked(tmp_path: Path) -> None:
    ended = call("archives", "list", "--archives", str(tmp_path))
    assert (ended.exit_code, f"No archive is stored in {tmp_path}." in ended.stdout) == (0, True)


@pytest.mark.parametrize("dataset", [(), ("notes",)])
def test_a_store_that_is_not_there_is_no_empty_one(tmp_path: Path, dataset: tuple[str, ...]) -> None:
    named = ("archives", "list", *dataset, "--archives", str(tmp_path / "nowhere"))
    ended = call(*named)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert f"There is no archive store {tmp_path / 'nowhere'}." in ended.stderr
    assert json.loads(call(*named, "--json").stdout)["error"] == "ArchiveNotStoredError"


def test_a_dataset_that_has_no_archive_is_not_there(directory: Path) -> None:
    ended = call("archives", "list", "nobodys")
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert f"No archive of nobodys is stored in {directory}." in ended.stderr


def test_what_is_called_stored_is_there_and_what_cannot_be_read_is_not_called_empty(directory: Path) -> None:
    (directory / "other.cogx_archive" / "latest.json").write_text("{}")
    ended = call("archives", "list", "other")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "other.cogx_archive cannot be read" in ended.stderr
    for path in directory.rglob("*.cogx.tar.gz"):
        path.unlink()
    for command in (["list", "notes"], ["prune", "notes", "--keep-last", "1", "--dry-run"]):
        ended = call("archives", *command)
        assert ended.exit_code == 1
        assert "is gone from the archive store. Materialize the archive again." in ended.stderr
    assert len(printed("list", "notes", code=1)["problems"]) == 4


def test_a_prune_of_what_is_not_there_removed_nothing_and_says_so(directory: Path, tmp_path: Path) -> None:
    rule = ("--keep-last", "1")
    ended = call("archives", "prune", "nobodys", *rule)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert f"No archive of nobodys is stored in {directory}. Nothing was removed." in ended.stderr
    assert call("archives", "prune", *rule, "--archives", str(tmp_path / "nowhere")).exit_code == 4
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for command in (["list"], ["prune", *rule], ["prune", "nobodys", *rule]):
        ended = call("archives", *command, "--archives", str(tmp_path / "file"))
        assert (ended.exit_code, "it is a file, and no directory" in ended.stderr) == (1, True)
    assert call("archives", "prune", *rule, "--archives", str(tmp_path / "empty")).exit_code == 0


def test_a_store_that_cannot_be_listed_is_no_defect(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise EndpointConnectionError("Unable to locate credentials")

    monkeypatch.setattr("cognee_dagster.store.archives._inside", refuse)
    for command in (
        ["archives", "list"],
        ["archives", "prune", "--keep-last", "1"],
        ["push", "x", "--archive", "latest"],
    ):
        ended = call(*command, *(["--url", "http://127.0.0.1:1", "--api-key", "k"] if command[0] == "push" else []))
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert "EndpointConnectionError: Unable to locate credentials" in ended.stderr
        assert "defect" not in ended.stderr


def test_a_dry_run_tells_what_a_prune_then_does(directory: Path) -> None:
    planned = printed("prune", "--keep-last", "1", "--dry-run")
    assert (planned["bytes_freed"], len(planned["removed"]), blobs(directory)) == (9, 2, 4)
    done = printed("prune", "--keep-last", "1")
    assert done == {**planned, "dry_run": False}
    assert blobs(directory) == 2


def test_prune_says_in_words_what_it_does(directory: Path) -> None:
    would = call("archives", "prune", "--keep-last", "2", "--dry-run").stdout
    assert would.splitlines()[-1] == "Would remove 1 archive: 3 bytes would be freed, 3 archives kept."
    did = call("archives", "prune", "--keep-last", "2").stdout
    assert did.splitlines()[-1] == "Removed 1 archive: 3 bytes freed, 3 archives kept."
    assert "team/notes/cogx_archive" in did.splitlines()[0]


def test_only_the_archives_of_a_dataset_are_pruned_that_is_named(directory: Path) -> None:
    assert printed("prune", "other", "--keep-last", "1")["removed"] == []
    assert len(printed("prune", "team/notes", "--keep-last", "1")["removed"]) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--keep-last N, --keep-within 30d, or both"),
        (["--keep-last", "0"], "0 is not in the range"),
        (["--keep-last", "ten"], "'ten' is not a valid integer"),
        (["--keep-within", "30 days"], "'30 days' is no duration. Give a whole number with a unit: 12h, 30d or 8w"),
        (["--keep-within", "0d"], "12h, 30d or 8w"),
    ],
)
def test_what_to_keep_is_said_in_a_known_form(directory: Path, options: list[str], said: str) -> None:
    ended = call("archives", "prune", *options)
    assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (2, True), ended.stderr
    assert blobs(directory) == 4


def test_a_place_that_cannot_be_read_is_named_and_the_others_are_pruned(directory: Path) -> None:
    (directory / "other.cogx_archive" / "latest.json").write_text("{}")
    done = printed("prune", "--keep-last", "1", code=1)
    assert (len(done["removed"]), len(done["problems"])) == (2, 1)
    assert "other.cogx_archive was left alone" in done["problems"][0]
    ended = call("archives", "prune", "--keep-last", "1")
    assert (ended.exit_code, "Error: " in ended.stderr) == (1, True)
    assert call("archives", "list").exit_code == 1


@pytest.mark.parametrize("base", ["directory", "memory"])
def test_the_io_manager_removes_older_archives_when_one_is_stored(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = str(tmp_path / "store") if base == "directory" else f"memory://{tmp_path.name}"
    keeping = CogxArchiveIOManager(base_directory=location, keep=KeepArchives(last=1))

    @dg.asset(io_manager_key="cogx_archives")
    def made(context: dg.AssetExecutionContext) -> Any:
        return make_archive(tmp_path, context.run.tags["content"].encode())

    def make(content: str, *, after: float) -> dict[str, Any]:
        now = time.time() + after
        with monkeypatch.context() as later:
            later.setattr("cognee_dagster.store.archives.time.time", lambda: now)
            result = dg.materialize([made], resources={"cogx_archives": keeping}, tags={"content": content})
        (event,) = result.get_asset_materialization_events()
        return {key: value.value for key, value in event.materialization.metadata.items()}

    assert "cognee/bytes_freed" not in make("first", after=0)
    assert "cognee/bytes_freed" not in make("other", after=0.9 * DAY)  # its run may still wait for its push
    assert make("third", after=1.1 * DAY)["cognee/bytes_freed"] == len("first")
    assert len(list((ArchiveStore.at(location).directory(("made",)) / "blobs").iterdir())) == 2


def test_an_archive_is_stored_although_older_ones_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk says no")

    monkeypatch.setattr("cognee_dagster.dagster.io_manager.prune_place", broken)
    keeping = CogxArchiveIOManager(base_directory=str(tmp_path / "store"), keep=KeepArchives(within="30d"))

    @dg.asset(io_manager_key="cogx_archives")
    def made() -> Any:
        return make_archive(tmp_path, b"content")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([made], resources={"cogx_archives": keeping}, instance=instance)
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert result.success
    assert any("made were not removed: OSError: the disk says no" in line for line in said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "What is to be kept is not said"),
        ({"last": 0}, "a whole number, 1 or more"),
        ({"within": "30 days"}, "12h, 30d or 8w"),
        ({"last": 3, "within": "month"}, "12h, 30d or 8w"),
    ],
)
def test_what_the_io_manager_keeps_is_checked_where_it_is_said(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KeepArchives(**fields)


# What pushes hold

two = pytest.fixture(two_remotes)


def needed(directory: Path) -> list[tuple[int, list[str]]]:
    """Of each archive, the newest first: how many nodes, and why it is kept besides being the newest."""
    found = printed("list", "--archives", str(directory / "archives"))["archives"]
    return [(item["num_nodes"], [why for why in item["kept_because"] if " on http" in why]) for item in found]


def test_a_mirror_holds_what_it_has_confirmed(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, graph=people(size=9), options={"sync": "incremental"})
    assert chain.run().success
    chain.graph = people(size=10)
    assert chain.run("my_graph", "cognified_graph", "cogx_archive").success
    assert needed(chain.directory) == [(10, []), (9, [f"what 'people' on {remote.url} has confirmed"])]
    assert chain.run("remote_push").success
    assert [bool(why) for _, why in needed(chain.directory)] == [True, False]


def test_an_import_that_is_not_confirmed_holds_its_archive_until_one_is(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"run_in_background": True})
    with remote.hold_imports():
        pushed = chain.run()
        assert pushed.success
        run_id = metadata_of(pushed, "remote_push")["pipeline_run_id"]
        chain.graph = people(size=5)
        assert chain.run("my_graph", "cognified_graph", "cogx_archive").success
        ((_, newest), (_, why)) = needed(chain.directory)
        assert (newest, why) == (
            [],
            [
                f"pushed in the background to 'people' on {remote.url} (import {run_id}): kept until the next push "
                "there, for 7 days at most"
            ],
        )
    chain.options = {}
    assert chain.run("remote_push").success
    assert [why for _, why in needed(chain.directory)] == [[], []]


def test_a_push_that_failed_holds_its_archive(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY})
    chain.remote_options = {"api_key": "wrong"}
    assert not chain.run().success
    ((_, why),) = needed(chain.directory)
    assert why == [f"pushed to 'people' on {remote.url}, and not confirmed so far"]
    chain.remote_options = {}
    assert chain.run("remote_push").success
    assert needed(chain.directory) == [(3, [])]


@pytest.mark.parametrize("error", [PermissionError("read-only"), EndpointConnectionError("no route")], ids=repr)
def test_a_push_does_not_fail_because_its_archive_cannot_be_held(
    error: Exception, remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cognee_dagster.dagster.steps.push_hold.hold", refuse)
    assert Chain(remote=remote, directory=tmp_path).run().success


def test_a_mirror_holds_what_it_has_confirmed_and_what_is_begun_until_that_is_confirmed(
    remote: FakeRemote, tmp_path: Path
) -> None:
    options = {"sync": "incremental", "retry_policy": NO_RETRY}
    chain = Chain(remote=remote, directory=tmp_path, graph=people(size=9), options=options)
    assert chain.run().success
    chain.graph = people(size=10)
    chain.remote_options = {"api_key": "wrong"}
    assert not chain.run().success
    confirmed = f"what 'people' on {remote.url} has confirmed"
    assert needed(chain.directory) == [
        (10, [f"pushed to 'people' on {remote.url}, and not confirmed so far"]),
        (9, [confirmed]),
    ]
    chain.remote_options = {}
    assert chain.run("remote_push").success
    assert needed(chain.directory) == [(10, [confirmed]), (9, [])]


def test_what_a_remote_has_not_got_whole_is_not_called_confirmed(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    lose_a_node(remote, monkeypatch)
    assert not checks(chain.run())["remote_import_succeeded"].passed
    assert needed(chain.directory) == [(3, [f"pushed to 'people' on {remote.url}, and not confirmed so far"])]


def watch(world: TwoRemotes) -> None:
    """Ticks of the import sensor of staging, until nothing is running."""
    sensor = build_import_sensor([world.dataset], name="own", remote_resource_key="staging")
    cursor = None
    for _ in range(200):
        resources = {"staging": CogneeRemote(url=world.staging.url, api_key=world.staging.api_key)}
        with dg.build_sensor_context(instance=world.instance, cursor=cursor, resources=resources) as context:
            tick = sensor.evaluate_tick(context)
        for event in tick.asset_events:
            world.instance.report_runless_asset_event(event)
        cursor = tick.cursor
        if "running" not in str(tick.skip_message):
            return
    raise TimeoutError(tick.skip_message)


def test_what_the_sensor_has_confirmed_of_a_target_stays_until_more_is_confirmed(two: TwoRemotes) -> None:
    to_staging = (*TO_ARCHIVE, "people/staging/remote_push")

    def push_in_background() -> None:
        with two.staging.hold_imports():
            assert two.run(*to_staging, target="staging", config={"run_in_background": True}).success
        watch(two)

    push_in_background()
    confirmed = f"what 'people' on {two.staging.url} has confirmed"
    for size in (4, 5):
        two.graph = people(size=size)
        two.staging.fail_next_import("RuntimeError")
        push_in_background()
        assert confirmed in needed(two.directory)[-1][1]
    assert two.run("people/staging/remote_push").success
    assert needed(two.directory) == [(5, [confirmed]), (4, []), (3, [])]
