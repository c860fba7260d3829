"""An alert sensor over a Dagster event log, with a function that notes what it is told: what its tests play in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from cognee_dagster import PushFailure
from cognee_dagster.dagster.event_log.failure_log import FailureLog, WatchedPush
from cognee_dagster.dagster.sensors.alert_cursor import AlertCursor
from cognee_dagster.dagster.sensors.alert_tick import AlertTick, AlertTickResult
from cognee_dagster.dagster.sensors.budget import TimeBudget
from tests.unit.sensor_world import ErrorLog

WEBSERVER = "https://dagster.example.com"


@dataclass
class Alerts:
    """One alert sensor.

    Attributes:
        instance: Dagster's.
        watched: The push assets.
        now: The sensor's clock.
        answer: What its function answers, or raises, besides noting the failure in ``told``.
        dataset: What the watched assets push; None: what their keys say.
    """

    instance: dg.DagsterInstance
    watched: list[dg.AssetKey]
    now: float
    answer: Callable[[PushFailure], Any] = lambda failure: None
    dataset: str | None = None
    name: str = "alerts"
    look_back: float = 3_600.0
    cursor: str | None = None
    told: list[PushFailure] = field(default_factory=list)
    log: ErrorLog = field(default_factory=ErrorLog)

    def evaluate(self, *, budget: TimeBudget | None = None) -> AlertTickResult:
        """What a tick would hand to Dagster."""
        names = {key: WatchedPush(dataset=self.dataset or key.path[-2]) for key in self.watched}
        tick = AlertTick(
            instance=self.instance,
            failures=FailureLog(self.instance, names, webserver=WEBSERVER, named={}),
            watched={key.to_user_string(): key for key in self.watched},
            on_failure=self._on_failure,
            name=self.name,
            sensor=f"location/repository/{self.name}",
            look_back=self.look_back,
            now=self.now,
            log=self.log.logger,
            budget=budget or TimeBudget(40.0),
        )
        return tick.run(self.cursor)

    def tick(self, *, budget: TimeBudget | None = None) -> AlertTickResult:
        """A tick, whose cursor is kept."""
        result = self.evaluate(budget=budget)
        self.cursor = result.cursor
        return result

    def ticks(self, number: int, *, every: float = 30.0) -> None:
        """So many of them."""
        for _ in range(number):
            self.tick()
            self.now += every

    @property
    def ids(self) -> list[str]:
        """What was told, by its ids."""
        return [failure.id for failure in self.told]

    @property
    def memory(self) -> AlertCursor:
        """The cursor's content."""
        cursor = AlertCursor.decode(self.cursor)
        assert cursor is not None
        return cursor

    def _on_failure(self, failure: PushFailure) -> Any:
        self.told.append(failure)
        return self.answer(failure)
