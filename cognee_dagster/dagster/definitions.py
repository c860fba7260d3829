"""``build_definitions``: everything that a code location for some Cognee datasets needs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from cognee_dagster.dagster.assets.chain import build_dataset_assets
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import (
    ARCHIVES_RESOURCE,
    LOCAL_RESOURCE,
    REMOTE_RESOURCE,
    CogneeRemote,
    LocalCognee,
)
from cognee_dagster.dagster.sensors.import_sensor import build_import_sensor
from cognee_dagster.dagster.sensors.policies import RepushPolicy
from cognee_dagster.dagster.sensors.repush_sensor import build_repush_sensor
from cognee_dagster.errors import DatasetDefinitionError

PUSH_ALL_JOB = "push_all_datasets"


def build_definitions(
    datasets: Iterable[CogneeDataset],
    *,
    remote: CogneeRemote | None = None,
    local: LocalCognee | None = None,
    archives: dg.IOManager | dg.ConfigurableIOManager | None = None,
    import_sensor: dg.SensorDefinition | None = None,
    default_schedule_status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.RUNNING,
) -> dg.Definitions:
    """Assets, checks, jobs, schedules, sensors and the resources for these datasets.

    Merge it with your own definitions with ``dg.Definitions.merge``. The executor is left to you: for small graphs
    ``dg.in_process_executor`` saves the 2 to 3 seconds that Dagster's default needs to start each step's process.

    Args:
        datasets: At least one.
        remote: The remote Cognee; default: the one that Cognee's own settings name when a run starts.
        local: The local Cognee; default: the one that ``import cognee`` would use.
        archives: Where archives are stored; default: ``~/.cognee-dagster/archives``.
        import_sensor: It; default: ``build_import_sensor`` over all datasets, running.
        default_schedule_status: Whether schedules run from the start. A dataset has one because somebody wrote a
            ``cron_schedule``, so they do, unlike Dagster's own default.

    Raises:
        DatasetDefinitionError: No dataset, or two of them would have the same assets.
    """
    chains = tuple(datasets)
    _check_distinct(chains)
    scheduled = [(dataset, _chain_job(dataset)) for dataset in chains if dataset.cron_schedule]
    return dg.Definitions(
        assets=[asset for dataset in chains for asset in build_dataset_assets(dataset)],
        jobs=[
            *(job for _, job in scheduled),
            _job(PUSH_ALL_JOB, chains, description="Reads, packs and pushes every dataset."),
        ],
        schedules=[_schedule(dataset, job, status=default_schedule_status) for dataset, job in scheduled],
        sensors=[import_sensor or build_import_sensor(chains), *_repush_sensors(chains)],
        resources={
            REMOTE_RESOURCE: remote or CogneeRemote(),
            LOCAL_RESOURCE: local or LocalCognee(),
            ARCHIVES_RESOURCE: archives or CogxArchiveIOManager(),
        },
    )


def _chain_job(dataset: CogneeDataset) -> Any:
    name = f"push_{dataset.push_key.to_python_identifier().removesuffix('__remote_push')}"
    return _job(name, [dataset], description=f"Reads, packs and pushes {str(dataset.name)!r}.")


def _job(name: str, datasets: Sequence[CogneeDataset], *, description: str) -> Any:  # Dagster does not name its type
    # Whatever a graph is made of, in whichever definitions these are merged with, runs before it: a job that left that
    # out would push yesterday's graph. Checks of remote_graph ask about an earlier push, and so are not part of a run
    # that pushes.
    selection = dg.AssetSelection.assets(*(dataset.push_key for dataset in datasets)).upstream()
    return dg.define_asset_job(name, selection=selection, description=description)


def _schedule(dataset: CogneeDataset, job: Any, *, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=str(dataset.cron_schedule),
        execution_timezone=dataset.execution_timezone,
        default_status=status,
        description=f"Pushes {str(dataset.name)!r}.",
    )


def _repush_sensors(datasets: Sequence[CogneeDataset]) -> list[dg.SensorDefinition]:
    policies: dict[CogneeDataset | dg.AssetKey, RepushPolicy] = {
        dataset: RepushPolicy(attempts=dataset.repush_attempts, run_in_background=dataset.repush_in_background)
        for dataset in datasets
        if dataset.repush_attempts
    }
    return [build_repush_sensor(policies)] if policies else []


def _check_distinct(datasets: Sequence[CogneeDataset]) -> None:
    """Two datasets of one name, or of names that Dagster spells alike, need different prefixes."""
    if not datasets:
        raise DatasetDefinitionError("There is no dataset: give at least one CogneeDataset.")
    by_step: defaultdict[str, list[CogneeDataset]] = defaultdict(list)
    for dataset in datasets:
        by_step[dataset.push_key.to_python_identifier()].append(dataset)
    for step, same in by_step.items():
        if len(same) > 1:
            names = " and ".join(repr(str(dataset.name)) for dataset in same)
            raise DatasetDefinitionError(
                f"The datasets {names} would have the same step {step!r} in Dagster. Give them different key_prefix "
                "values."
            )
