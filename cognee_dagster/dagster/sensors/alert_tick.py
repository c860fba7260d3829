"""One tick of the alert sensor: take up new failures, tell each of them once."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field

import dagster as dg
from msgspec.structs import replace

from cognee_dagster.dagster.event_log.failure_log import FailureLog, NotYet
from cognee_dagster.dagster.event_log.push_failure import PushFailure
from cognee_dagster.dagster.sensors.alert_cursor import AlertCursor, OpenFailure, digest_of
from cognee_dagster.dagster.sensors.alert_journal import AlertJournal
from cognee_dagster.dagster.sensors.alert_scan import FailureScan
from cognee_dagster.dagster.sensors.backoff import wait_after
from cognee_dagster.dagster.sensors.budget import TimeBudget

OnFailure = Callable[[PushFailure], dg.RunRequest | Coroutine[object, object, dg.RunRequest | None] | None]

TIME_BUDGET_SECONDS = 40.0  # Dagster gives a tick up after 60 s
LONGEST_WAIT_SECONDS = 900

# A check that is planned may be evaluated at the end of a long run; a run that is retried is so within a minute.
PLANNED_SECONDS = 86_400
RETRIED_SECONDS = 3_600

_SCAN_SHARE = 0.5  # of a tick's time at most
_LOOK_AGAIN_SECONDS = 30
_MAX_NOTES = 3

# Tags that Dagster gives to a run that a sensor has asked for.
_RUN_KEY_TAG = "dagster/run_key"
_SENSOR_TAG = "dagster/sensor_name"


@dataclass(frozen=True, kw_only=True)
class AlertTickResult:
    """What a tick hands to Dagster, which keeps the cursor together with the runs to launch."""

    requests: list[dg.RunRequest]
    cursor: str
    summary: str


@dataclass(kw_only=True)
class AlertTick:
    """One tick of one sensor.

    Attributes:
        instance: Dagster's.
        failures: Where failures are read.
        watched: The push assets, as ``AssetKey.to_user_string()`` spells them.
        on_failure: Called with each failure; a run that it returns is launched.
        name: The sensor's name, and
        sensor: what distinguishes it from others: code location, repository and name.
        look_back: How old a failure may be that a sensor without a cursor tells, in seconds.
        now: Our clock, in Unix seconds.
        log: The tick's log.
        budget: The tick's time.
    """

    instance: dg.DagsterInstance
    failures: FailureLog
    watched: Mapping[str, dg.AssetKey]
    on_failure: OnFailure
    name: str
    sensor: str
    look_back: float
    now: float
    log: logging.Logger
    budget: TimeBudget = field(default_factory=lambda: TimeBudget(TIME_BUDGET_SECONDS))
    _requests: list[dg.RunRequest] = field(default_factory=list, init=False)
    _notes: list[str] = field(default_factory=list, init=False)
    _sent: int = field(default=0, init=False)

    def run(self, text: str | None) -> AlertTickResult:
        """Everything a tick does.

        Args:
            text: The cursor that the last tick left, in whatever state it is.
        """
        journal = AlertJournal(self.instance, sensor=self.sensor)
        with journal.alone() as alone:
            if not alone:
                summary = "An earlier tick is still calling on_failure; nothing is done until that returns."
                return AlertTickResult(requests=[], cursor=text or "", summary=summary)
            scan = FailureScan(
                checks=self.failures.checks,
                runs=self.failures.runs,
                watched=self.watched,
                now=self.now,
                keep_going=self.budget.part(_SCAN_SHARE).lasts,
            )
            kept = AlertCursor.decode(text) or scan.begin(look_back=self.look_back)
            noted = [digest for digest in journal.read() if digest not in kept.told]
            cursor = self._tell(scan.run(kept.with_told(noted)), journal, noted)
        return AlertTickResult(requests=self._requests, cursor=cursor.encode(), summary=self._summary(cursor))

    def _tell(self, cursor: AlertCursor, journal: AlertJournal, noted: Iterable[str]) -> AlertCursor:
        told = list(noted)
        for item in sorted(cursor.open, key=lambda item: item.again_at):
            if item.again_at > self.now:
                continue
            if not self.budget.lasts():
                break
            failure = self._read(item)
            if failure is NotYet.KNOWN:
                cursor = cursor.with_open([replace(item, again_at=int(self.now) + _LOOK_AGAIN_SECONDS)])
                continue
            if not isinstance(failure, PushFailure) or digest_of(failure.id) in cursor.told:
                cursor = cursor.without(item)
                continue
            if item.requested and self._is_launched(failure):
                cursor = cursor.without(item).with_told([digest_of(failure.id)])
                continue
            cursor, sent = self._call(cursor, item, failure)
            if sent:
                told.append(digest_of(failure.id))
                journal.write(told)
        return cursor

    def _read(self, item: OpenFailure) -> PushFailure | NotYet | None:
        """The failure as the event log tells it now; None where it is none (any more)."""
        push_key = self.watched.get(item.asset_key)
        if push_key is None:  # watched no more
            return None
        age = self.now - item.found_at
        if item.check:
            found = self.failures.of_check(push_key, item.check, item.row_id)
            return None if found is NotYet.KNOWN and age > PLANNED_SECONDS else found
        return self.failures.of_run(push_key, item.run_id, item.partition, patience_is_over=age > RETRIED_SECONDS)

    def _call(self, cursor: AlertCursor, item: OpenFailure, failure: PushFailure) -> tuple[AlertCursor, bool]:
        """The cursor after ``on_failure`` was called, and whether that was all there is to do about the failure."""
        try:
            answer = _answer_of(self.on_failure(failure))
        except (Exception, SystemExit) as error:  # whatever it is, the other failures are told
            wait = wait_after(item.attempts + 1, longest=LONGEST_WAIT_SECONDS)
            self.log.exception(
                "on_failure raised for %s (%s); it is called again in %d s", failure.title, failure.id, wait
            )
            what = " ".join(str(error).split())[:200]
            self._notes.append(f"on_failure raised {type(error).__name__}{what and f': {what}'}; see the sensor's log.")
            again = replace(item, attempts=min(item.attempts + 1, 1_000), again_at=int(self.now) + wait)
            return cursor.with_open([again]), False
        if isinstance(answer, dg.RunRequest):
            # Dagster may drop the runs of a tick and keep its cursor, as when somebody commits a test evaluation: the
            # failure stays open until its run is seen. A run key is used once for ever.
            self._requests.append(answer.with_replaced_attrs(run_key=failure.id))
            return cursor.with_open([replace(item, requested=True)]), False
        self._sent += 1
        return cursor.without(item).with_told([digest_of(failure.id)]), True

    def _is_launched(self, failure: PushFailure) -> bool:
        tags = {_RUN_KEY_TAG: failure.id, _SENSOR_TAG: self.name}
        return bool(self.instance.get_runs(filters=dg.RunsFilter(tags=tags), limit=1))

    def _summary(self, cursor: AlertCursor) -> str:
        counts = {
            "alerted": self._sent,
            "run requested": len(self._requests),
            "to be tried again": sum(item.attempts > 0 for item in cursor.open),
            "still open": sum(not (item.attempts or item.requested) for item in cursor.open),
        }
        said = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        return " ".join([f"{said or 'No failure is to be alerted'}.", *dict.fromkeys(self._notes[:_MAX_NOTES])])


def _answer_of(returned: object) -> object:
    """What ``on_failure`` returned, once a coroutine has come to its end.

    Raises:
        TypeError: It returned runs in a way that launches none.
    """
    if inspect.iscoroutine(returned):
        returned = asyncio.run(returned)
    holds_runs = isinstance(returned, list | tuple) and any(isinstance(one, dg.RunRequest) for one in returned)
    if holds_runs or inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        raise TypeError(f"on_failure returned a {type(returned).__name__}: return one RunRequest, or nothing")
    return returned
