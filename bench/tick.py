"""A tick of the import sensor, against one of a sensor that does nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from bench.parts import Findings, Goal, Setting
from bench.tables import table
from bench.ticks import medians, note_push, tick_imports
from cognee_dagster import build_import_sensor
from cognee_dagster.dagster.resources import REMOTE_RESOURCE
from cognee_dagster.testing import FakeRemote

PACKAGES = ("dagster", "httpx")

_ASSETS = 100
_IMPORTS = 1_000
_IDLE_GOAL_SECONDS = 0.1
_TICK_GOAL_SECONDS = 2.0


def run(setting: Setting) -> Findings:
    """Ticks over a real event log, in turns; nothing they would write is written, so that they can be repeated."""
    push_keys = [dg.AssetKey([f"dataset_{number}", "remote_push"]) for number in range(_ASSETS)]
    ours, empty = build_import_sensor(push_keys), _empty_sensor()
    with FakeRemote() as remote, TemporaryDirectory() as directory:
        instance = dg.DagsterInstance.local_temp(directory)
        idle = tick_imports(ours, instance, remote, cursor=None)  # has looked through the event log, and found nothing
        idle_seconds = medians(
            [
                lambda: tick_imports(empty, instance, remote, cursor=None),
                lambda: tick_imports(ours, instance, remote, cursor=idle),
            ],
            rounds=10 * setting.rounds,
        )
        for number in range(_IMPORTS):
            push_key = push_keys[number % _ASSETS]
            note_push(instance, remote, push_key, dataset=push_key.path[0])
        taken_up = tick_imports(ours, instance, remote, cursor=None)
        before = len(remote.requests)
        tick_imports(ours, instance, remote, cursor=taken_up)
        requests = len(remote.requests) - before
        busy_seconds = medians(
            [
                lambda: tick_imports(ours, instance, remote, cursor=taken_up),
                lambda: tick_imports(ours, instance, remote, cursor=None),
            ],
            rounds=setting.rounds,
        )
    return findings([*idle_seconds, *busy_seconds], requests=requests, rounds=setting.rounds)


def findings(ticks: list[float], *, requests: int, rounds: int) -> Findings:
    """A table of the empty sensor's tick, the idle one, one over running imports, and the one that takes them up."""
    empty, idle, asked, taken_up = ticks
    what = (
        "a sensor that does nothing",
        f"nothing pending, {_ASSETS} assets watched",
        f"{_IMPORTS:,} running imports, {requests} requests",
        f"{_IMPORTS:,} imports nobody knew of yet",
    )
    rows = [(name, f"{some:.3f} s", f"{some - empty:.3f} s") for name, some in zip(what, ticks, strict=True)]
    return Findings(
        text=f"Median of {rounds}, of the first two {10 * rounds}. The remote is a fake one in the same process, whose "
        f"answers count.\n\n{table(('<tick', 'wall time', 'over the first'), rows)}",
        goals=(
            Goal(
                what="an idle tick over an empty sensor's",
                wanted=f"at most {_IDLE_GOAL_SECONDS} s",
                measured=f"{idle - empty:.3f} s",
                met=idle - empty <= _IDLE_GOAL_SECONDS,
            ),
            Goal(
                what=f"a tick over {_IMPORTS:,} pending imports",
                wanted=f"at most {_TICK_GOAL_SECONDS:g} s",
                measured=f"{asked:.2f} s, {taken_up:.2f} s to take them up and ask, {requests} requests",
                met=max(asked, taken_up) <= _TICK_GOAL_SECONDS,
            ),
        ),
    )


def _empty_sensor() -> dg.SensorDefinition:
    @dg.sensor(name="empty", required_resource_keys={REMOTE_RESOURCE})
    def empty(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return dg.SensorResult(cursor=context.cursor, skip_reason="There is nothing to do.")

    return empty


if __name__ == "__main__":
    print(run(Setting(directory=Path(".sandbox/bench").resolve())).text)
