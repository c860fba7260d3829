"""Ticks over one chain of a thousand tenants: the import sensor's and the discovery sensor's.

By itself, and not on the page of figures: ``python -m bench.tenants``.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import dagster as dg

from bench.parts import Findings, Goal, Setting
from bench.tables import table
from bench.ticks import medians, note_push, tick_imports
from cognee_dagster import (
    CogneeDataset,
    LocalCognee,
    build_definitions,
    build_discovery_sensor,
    build_import_sensor,
)
from cognee_dagster.dagster.resources import LOCAL_RESOURCE
from cognee_dagster.testing import FakeRemote

PACKAGES = ("dagster", "httpx")

_TENANTS = 1_000
_TICK_GOAL_SECONDS = 2.0
_CHAIN = CogneeDataset(
    name="tenant_{partition}", asset_name="tenants", partitions_def="tenants", run_in_background=True
)
_USER = uuid4().hex


def run(setting: Setting) -> Findings:
    """Ticks over a real event log and a database like Cognee's; nothing they would write is written."""
    tenants = [f"t{number:04}" for number in range(_TENANTS)]
    with FakeRemote() as remote, TemporaryDirectory() as directory:
        instance = dg.DagsterInstance.local_temp(directory)
        local = _local_cognee(Path(directory) / "cognee", tenants)
        found = medians([lambda: _discover(instance, local)], rounds=setting.rounds)
        instance.add_dynamic_partitions("tenants", tenants)
        for tenant in tenants:
            note_push(instance, remote, _CHAIN.push_key, dataset=f"tenant_{tenant}", partition=tenant)
        known = medians([lambda: _discover(instance, local)], rounds=setting.rounds)
        imports = build_import_sensor([_CHAIN])
        cursor = tick_imports(imports, instance, remote, cursor=None)
        asked = medians([lambda: tick_imports(imports, instance, remote, cursor=cursor)], rounds=setting.rounds)
    return findings([*found, *known, *asked], rounds=setting.rounds)


def findings(ticks: list[float], *, rounds: int) -> Findings:
    """A table of the discovery sensor's tick over new tenants and over known ones, and the import sensor's."""
    what = (
        f"discovery, {_TENANTS:,} new datasets, a run asked for each",
        f"discovery, {_TENANTS:,} partitions, nothing new",
        f"import sensor, {_TENANTS:,} partitions with a running import each",
    )
    rows = [(name, f"{seconds:.3f} s") for name, seconds in zip(what, ticks, strict=True)]
    return Findings(
        text=f"Median of {rounds}; the daemon's own work on what a tick asks for is not in it.\n\n"
        f"{table(('<tick', 'wall time'), rows)}",
        goals=(
            Goal(
                what=f"a tick over {_TENANTS:,} partitions",
                wanted=f"at most {_TICK_GOAL_SECONDS:g} s",
                measured=f"{max(ticks):.2f} s",
                met=max(ticks) <= _TICK_GOAL_SECONDS,
            ),
        ),
    )


_DISCOVERY = build_discovery_sensor(_CHAIN)
_REPOSITORY = dg.Definitions.merge(
    build_definitions([_CHAIN]), dg.Definitions(sensors=[_DISCOVERY])
).get_repository_def()


def _local_cognee(directory: Path, tenants: list[str]) -> LocalCognee:
    """The tables that a listing reads, and an empty file in place of each graph."""
    database = directory / "databases" / "cognee_db"
    database.parent.mkdir(parents=True)
    graphs = database.parent / _dashed(_USER)
    graphs.mkdir()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE users (id, tenant_id, email)")
        connection.execute("CREATE TABLE datasets (id, name, owner_id, tenant_id)")
        connection.execute(
            "CREATE TABLE dataset_database (owner_id, dataset_id PRIMARY KEY, graph_database_provider, "
            "graph_dataset_database_handler, graph_database_name, migration_revision)"
        )
        connection.execute("INSERT INTO users VALUES (?, NULL, 'default_user@example.com')", (_USER,))
        for tenant in tenants:
            identity = uuid4().hex
            (graphs / tenant).touch()
            connection.execute("INSERT INTO datasets VALUES (?, ?, ?, NULL)", (identity, f"tenant_{tenant}", _USER))
            connection.execute(
                "INSERT INTO dataset_database VALUES (?, ?, 'ladybug', 'ladybug', ?, NULL)", (_USER, identity, tenant)
            )
    return LocalCognee(system_root_directory=str(directory))


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _discover(instance: dg.DagsterInstance, local: LocalCognee) -> None:
    """Evaluates as the daemon does, whose context knows the instance's place."""
    with dg.SensorEvaluationContext(
        instance_ref=instance.get_ref(),
        instance=instance,
        repository_def=_REPOSITORY,
        resources={LOCAL_RESOURCE: local},  # type: ignore[dict-item] # as in build_sensor_context
    ) as context:
        _DISCOVERY.evaluate_tick(context)


if __name__ == "__main__":
    print(run(Setting(directory=Path(".sandbox/bench").resolve())).text)
