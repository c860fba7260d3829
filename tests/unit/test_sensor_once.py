"""Any sequence of pushes, ends, crashes, lost cursors and silences yields exactly one terminal report an import."""

from contextlib import ExitStack

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cognee_dagster.dagster.sensors.policies import WatchPolicy
from cognee_dagster.errors import RemoteRejectedError, RemoteUnreachableError
from tests.unit.sensor_world import Reported, World, dataset_id

DATASETS = ("a", "b")
SENSORS = ("one", "two")
STALLED_AFTER = 6 * 3600.0


class Watching(RuleBasedStateMachine):
    """Two sensors over the same two assets, a daemon that dies, and a remote with moods."""

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        policy = WatchPolicy(reports_per_tick=3, questions_per_tick=3)
        self.world = self.opened.enter_context(World(datasets=DATASETS, policy=policy))
        self.running: dict[str, str] = {}
        self.succeeded: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.pushes = 0

    @rule(dataset=st.sampled_from(DATASETS), partition=st.sampled_from((None, "x")))
    def push(self, dataset: str, partition: str | None) -> None:
        self.running[self.world.push(dataset, partition=partition)] = dataset
        self.pushes += 1

    @precondition(lambda self: self.running)
    @rule(data=st.data(), error=st.sampled_from((None, None, "RuntimeError", "AbandonedPipelineRunError")))
    def end(self, data: st.DataObject, error: str | None) -> None:
        run = data.draw(st.sampled_from(sorted(self.running)))
        dataset = self.running.pop(run)
        self.world.feed.end(run, error=error)
        (self.failed if error else self.succeeded)[run] = dataset

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        """A Dagster run is executed again, finds its import running and logs it once more."""
        run = data.draw(st.sampled_from(sorted(self.running)))
        self.world.push(self.running[run], run_id=run)
        self.pushes += 1

    @rule(sensor=st.sampled_from(SENSORS))
    def tick(self, sensor: str) -> None:
        self.world.tick(sensor)

    @rule(sensor=st.sampled_from(SENSORS), written=st.integers(0, 6))
    def tick_and_die(self, sensor: str, written: int) -> None:
        self.world.tick(sensor, dies_after=written)

    @rule(sensor=st.sampled_from(SENSORS))
    def commit_a_tick_without_its_events(self, sensor: str) -> None:
        self.world.cursors[sensor] = self.world.evaluate(sensor).cursor

    @rule()
    def tick_at_once(self) -> None:
        results = [(sensor, self.world.evaluate(sensor)) for sensor in SENSORS]
        for sensor, result in results:
            self.world.write(result, sensor)

    @rule(sensor=st.sampled_from(SENSORS), left=st.sampled_from((None, "", "garbage", "0:old")))
    def lose_the_cursor(self, sensor: str, left: str | None) -> None:
        self.world.cursors[sensor] = left

    @rule(seconds=st.sampled_from((1.0, 30.0, 90.0, 1_000.0)))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(about=st.sampled_from((None, *DATASETS)), kind=st.sampled_from(("unreachable", "rejected", "fine")))
    def change_the_remotes_mood(self, about: str | None, kind: str) -> None:
        failures = self.world.feed.failures
        key = about and dataset_id(about)
        failures.pop(key, None)
        if kind != "fine":
            error = RemoteUnreachableError if kind == "unreachable" else RemoteRejectedError
            failures[key] = error(kind)

    @invariant()
    def nothing_is_reported_twice_or_too_early(self) -> None:
        for run, dataset in self._all().items():
            found = self.world.reported(run, dataset)
            assert max(found.materialized, found.passed, found.failed + found.observed) <= 1
            assert (found.materialized, found.passed) == (0, 0) or run in self.succeeded
            assert found.failed + found.observed == 0 or run not in self.succeeded

    def teardown(self) -> None:
        """The remote recovers, all imports come to an end or grow old, and the sensors go on ticking."""
        if hasattr(self, "world"):
            with self.opened:
                self._recover()

    def _recover(self) -> None:
        self.world.feed.failures.clear()
        self.world.wait(STALLED_AFTER)
        # Three imports a tick are taken to their end, every push of them on its own, and two sensors take turns.
        for number in range(2 * self.pushes + 6):
            self.world.tick(SENSORS[number % 2])
            self.world.wait(1_000)
        assert self.world.log.errors == []
        for run, dataset in self._all().items():
            found = self.world.reported(run, dataset)
            if run in self.succeeded:
                assert found.materialized == 1
                assert (found.failed, found.observed) == (0, 0)
            else:
                assert found in (Reported(failed=1), Reported(observed=1))

    def _all(self) -> dict[str, str]:
        return {**self.running, **self.succeeded, **self.failed}


Watching.TestCase.settings = settings(  # without shrinking, which takes longer than a test may
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=25,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
TestWatching = Watching.TestCase
