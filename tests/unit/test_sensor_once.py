"""Any sequence of pushes, ends, crashes, lost cursors and silences yields exactly one terminal report an import."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cognee_dagster.dagster.sensors.policies import WatchSettings
from cognee_dagster.errors import RemoteRejectedError, RemoteUnreachableError
from tests.unit.sensor_world import Told, World, dataset_id

DATASETS = ("a", "b")
SENSORS = ("one", "two")
STALLED_AFTER = 6 * 3600.0


class Watching(RuleBasedStateMachine):
    """Two sensors over the same two assets, a daemon that dies, and a remote with moods."""

    @initialize()
    def begin(self) -> None:
        self.world = World(datasets=DATASETS, settings=WatchSettings(reports_per_tick=3, questions_per_tick=3))
        self.running: dict[str, str] = {}
        self.succeeded: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    @rule(dataset=st.sampled_from(DATASETS), partition=st.sampled_from((None, "x")))
    def push(self, dataset: str, partition: str | None) -> None:
        self.running[self.world.push(dataset, partition=partition)] = dataset

    @precondition(lambda self: self.running)
    @rule(data=st.data(), error=st.sampled_from((None, None, "RuntimeError", "AbandonedPipelineRunError")))
    def end(self, data: st.DataObject, error: str | None) -> None:
        run = data.draw(st.sampled_from(sorted(self.running)))
        dataset = self.running.pop(run)
        self.world.feed.end(run, dataset, error=error)
        (self.failed if error else self.succeeded)[run] = dataset

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        """A Dagster run is executed again, finds its import running and logs it once more."""
        run = data.draw(st.sampled_from(sorted(self.running)))
        self.world.push(self.running[run], run_id=run)

    @rule(sensor=st.sampled_from(SENSORS))
    def tick(self, sensor: str) -> None:
        self.world.tick(sensor)

    @rule(sensor=st.sampled_from(SENSORS), written=st.integers(0, 6))
    def tick_and_die(self, sensor: str, written: int) -> None:
        self.world.tick(sensor, dies_after=written)

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
            told = self.world.told(run, dataset)
            assert max(told.materialized, told.passed, told.failed + told.observed) <= 1
            assert (told.materialized, told.passed) == (0, 0) or run in self.succeeded
            assert told.failed + told.observed == 0 or run not in self.succeeded

    def teardown(self) -> None:
        """The remote recovers, all imports come to an end or grow old, and the sensors go on ticking."""
        if not hasattr(self, "world"):
            return
        self.world.feed.failures.clear()
        self.world.wait(STALLED_AFTER)
        for number in range(len(self._all()) + 4):
            self.world.tick(SENSORS[number % 2])
            self.world.wait(1_000)
        for run, dataset in self._all().items():
            told = self.world.told(run, dataset)
            if run in self.succeeded:
                assert told.materialized == 1
                assert (told.failed, told.observed) == (0, 0)
            else:
                assert told in (Told(failed=1), Told(observed=1))

    def _all(self) -> dict[str, str]:
        return {**self.running, **self.succeeded, **self.failed}


Watching.TestCase.settings = settings(  # without shrinking, which takes longer than a test may
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWatching = Watching.TestCase
