"""Failed imports are pushed again as often as the policy says: through the real assets, against the fake remote."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.sensors.import_sensor import build_import_sensor
from cognee_dagster.dagster.sensors.policies import RepushPolicy
from cognee_dagster.dagster.sensors.repush import RepushPlan
from cognee_dagster.dagster.sensors.repush_sensor import build_repush_sensor
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, people
from tests.unit.sensor_world import World, push_key


class Shop:
    """A chain of assets with both sensors."""

    def __init__(self, remote: FakeRemote, directory: Path, policy: RepushPolicy) -> None:
        instance = dg.DagsterInstance.local_temp(str(directory))
        self.remote = remote
        self.chain = Chain(
            remote=remote,
            directory=directory,
            options={"run_in_background": True, "retry_policy": NO_RETRY},
            instance=instance,
        )
        self.imports = build_import_sensor([self.chain.dataset])
        self.repush = build_repush_sensor({self.chain.dataset: policy})
        self.cursor: str | None = None

    def push(self, *, error: str | None, request: dg.RunRequest | None = None, waits: bool = False) -> bool:
        """A push in the background, or one that waits, whose import then ends; whether the run succeeded."""
        if error:
            self.remote.fail_next_import(error)
        with contextlib.nullcontext() if waits else self.remote.hold_imports():
            if request is None:
                return self.chain.run().success
            return dg.materialize(
                self.chain.assets,
                resources=self.chain.resources,
                instance=self.chain.instance,
                selection=dg.AssetSelection.assets(*(request.asset_selection or [])),
                run_config=request.run_config,
                tags=request.tags,
                raise_on_error=False,
            ).success

    def watch(self) -> str:
        """A tick of the import sensor."""
        for _ in range(200):  # until the fake has ended the import that was let go
            resource = CogneeRemote(url=self.remote.url, api_key=self.remote.api_key)
            with dg.build_sensor_context(
                instance=self.chain.instance, cursor=self.cursor, resources={"cognee_remote": resource}
            ) as context:
                result = self.imports.evaluate_tick(context)
            for event in result.asset_events:
                self.chain.instance.report_runless_asset_event(event)
            self.cursor = result.cursor
            if "running" not in str(result.skip_message):
                return str(result.skip_message)
        raise TimeoutError(result.skip_message)

    def ask(self) -> tuple[list[dg.RunRequest], str]:
        """A tick of the repush sensor."""
        definitions = dg.Definitions(assets=self.chain.assets, sensors=[self.repush], resources=self.chain.resources)
        with dg.build_sensor_context(instance=self.chain.instance, definitions=definitions) as context:
            result = self.repush.evaluate_tick(context)
        return list(result.run_requests or []), str(result.skip_message)


@pytest.fixture
def shop(remote: FakeRemote, tmp_path: Path) -> Shop:
    return Shop(remote, tmp_path, RepushPolicy(attempts=2))


def test_a_failed_import_is_pushed_again_until_it_succeeds(shop: Shop) -> None:
    assert shop.push(error="AbandonedPipelineRunError")
    assert shop.watch() == "1 failed."
    requests, _ = shop.ask()
    assert [request.tags["cognee/repush_attempt"] for request in requests] == ["1"]
    assert shop.push(error=None, request=requests[0])
    assert shop.ask()[0] == []  # it is under way
    assert shop.watch() == "1 finished."
    assert shop.ask() == ([], "No failed import is to be pushed again.")


def test_after_so_many_attempts_it_is_only_reported(shop: Shop) -> None:
    shop.push(error="RuntimeError")
    keys = []
    for _ in range(2):
        assert shop.watch() == "1 failed."
        (request,), _ = shop.ask()
        keys.append(request.run_key)
        shop.push(error="RuntimeError", request=request)
    assert shop.watch() == "1 failed."
    requests, said = shop.ask()
    assert requests == []
    assert "people/remote_push is not pushed again" in said
    assert len(set(keys)) == 2


def test_a_push_that_does_not_even_get_there_counts_as_an_attempt(shop: Shop) -> None:
    shop.push(error="RuntimeError")
    shop.watch()
    (first,), _ = shop.ask()
    shop.remote.kill()
    assert not shop.push(error=None, request=first)
    (second,), _ = shop.ask()
    assert second.run_key != first.run_key
    assert second.tags["cognee/repush_attempt"] == "2"
    assert not shop.push(error=None, request=second)
    assert shop.ask()[0] == []


def test_a_failure_after_which_somebody_pushed_again_is_left_alone(shop: Shop) -> None:
    shop.push(error="RuntimeError")
    shop.watch()
    shop.push(error=None)
    assert shop.ask()[0] == []


def test_what_pushing_again_cannot_help_is_left_alone(shop: Shop) -> None:
    shop.push(error="FileNotFoundError")
    assert shop.watch() == "1 failed."
    assert shop.ask()[0] == []


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def asked_again(world: World, *, after: float = 0.0) -> list[str | None]:
    """The partitions that are pushed again, so many seconds later."""
    policies = {push_key("a"): RepushPolicy(attempts=1)}
    requests, _ = RepushPlan(world.instance, policies, now=world.feed.now + after, named={}).requests()
    return [request.partition_key for request in requests]


def test_the_failures_of_more_than_a_day_ago_are_left_alone(world: World) -> None:
    """Whoever switches the sensor on does not want last year's failures pushed."""
    world.feed.end(world.push(), error="RuntimeError")
    world.tick()
    assert asked_again(world, after=86_300) == [None]
    assert asked_again(world, after=86_500) == []


def test_each_partition_is_pushed_again_unless_its_import_was_found_finished_after_all(world: World) -> None:
    slow = world.push(partition="slow")
    world.feed.end(world.push(partition="failed"), error="RuntimeError")
    world.wait(7 * 3600)
    world.tick()
    assert sorted(map(str, asked_again(world))) == ["failed", "slow"]
    world.feed.end(slow)
    (stalled,) = (check for check in world.checks() if check.metadata["status"].value == "stalled")
    world.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=stalled.asset_key,
            check_name=stalled.check_name,
            passed=True,
            metadata={**stalled.metadata, "status": "completed"},
        )
    )
    assert asked_again(world) == ["failed"]


def test_the_new_push_has_the_old_ones_target_and_the_policys_way(remote: FakeRemote, tmp_path: Path) -> None:
    shop = Shop(remote, tmp_path, RepushPolicy(attempts=1, run_in_background=False))
    remote.fail_next_import("RuntimeError")
    with remote.hold_imports():
        shop.chain.run(config={"target_dataset": "elsewhere", "run_in_background": True})
    shop.watch()
    (request,), _ = shop.ask()
    assert request.asset_selection == [dg.AssetKey(["people", "remote_push"])]
    assert request.run_config == {
        "ops": {
            "people__remote_push": {
                "config": {
                    "run_in_background": False,
                    "full": True,
                    "target_dataset": "elsewhere",
                    "mode": "preserve",
                }
            }
        }
    }


def test_an_attempt_in_the_foreground_is_as_full_as_the_push_that_failed(remote: FakeRemote, tmp_path: Path) -> None:
    """Where the dataset does not say ``sync``, a push that waits keeps a mirror, which removes what is gone."""
    shop = Shop(remote, tmp_path, RepushPolicy(attempts=1, run_in_background=False))
    shop.chain.options["sync"] = None
    shop.chain.graph = people(size=8)
    assert shop.chain.run(config={"run_in_background": False}).success  # a mirror, of which most would be removed now
    shop.chain.graph = people(size=3)
    shop.push(error="RuntimeError")
    shop.watch()
    (request,), _ = shop.ask()
    assert shop.push(error=None, request=request, waits=True)
    assert len(remote.graph("people").nodes) == 8


def test_an_attempt_in_the_foreground_whose_import_fails_counts_as_one(remote: FakeRemote, tmp_path: Path) -> None:
    shop = Shop(remote, tmp_path, RepushPolicy(attempts=2, run_in_background=False))
    shop.push(error="RuntimeError")
    shop.watch()
    for attempt in ("1", "2"):
        (request,), _ = shop.ask()
        assert request.tags["cognee/repush_attempt"] == attempt
        assert not shop.push(error="RuntimeError", request=request, waits=True)
    assert shop.ask()[0] == []


def test_what_failed_before_a_push_of_somebodys_that_failed_is_left_alone(shop: Shop) -> None:
    shop.push(error="RuntimeError")
    shop.watch()
    shop.remote.fail_next_import("RuntimeError")
    assert not shop.chain.run(config={"run_in_background": False}).success
    assert shop.ask()[0] == []


def test_report_only_asks_for_nothing(remote: FakeRemote, tmp_path: Path) -> None:
    shop = Shop(remote, tmp_path, RepushPolicy(attempts=0))
    shop.push(error="RuntimeError")
    shop.watch()
    assert shop.ask() == ([], "No failed import is to be pushed again.")
