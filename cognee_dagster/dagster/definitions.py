"""``build_definitions``: everything that a code location for some Cognee datasets needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import dagster as dg

from cognee_dagster.dagster.assets.chain import build_dataset_assets
from cognee_dagster.dagster.assets.chain_selection import ChainSelection, LookSelection
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.remote_fields import ADDRESS_FIELDS, refusal
from cognee_dagster.dagster.resources import (
    ARCHIVES_RESOURCE,
    LOCAL_RESOURCE,
    REMOTE_RESOURCE,
    CogneeRemote,
    LocalCognee,
)
from cognee_dagster.dagster.schedules import chain_schedule
from cognee_dagster.dagster.sensors.automation import automated_elsewhere, has_condition, shared_automation_sensor
from cognee_dagster.dagster.sensors.import_sensor import shared_import_sensor
from cognee_dagster.dagster.sensors.overlap import watches
from cognee_dagster.dagster.sensors.repush_sensor import shared_repush_sensor
from cognee_dagster.dagster.shared import shared_job
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.system.urls import base_address

PUSH_ALL_JOB = "push_all_datasets"

# Of these every call uses the same objects, so that Dagster merges several calls' definitions in one code location.
_default_remote = cache(CogneeRemote)
_default_local = cache(LocalCognee)
_default_archives = cache(CogxArchiveIOManager)
_PUSH_ALL = shared_job(
    PUSH_ALL_JOB,
    selection=ChainSelection(),
    description="Reads, packs and pushes the datasets of this code location that have no partitions; promotes nothing.",
)


def build_definitions(
    datasets: Iterable[CogneeDataset],
    *,
    remote: CogneeRemote | None = None,
    remotes: Mapping[str, CogneeRemote] | None = None,
    local: LocalCognee | None = None,
    archives: dg.IOManager | dg.ConfigurableIOManager | None = None,
    import_sensor: dg.SensorDefinition | None = None,
    automation_sensor: bool = True,
    default_schedule_status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.RUNNING,
) -> dg.Definitions:
    """Assets, checks, jobs, schedules, sensors and the resources for these datasets.

    Merge it with your own definitions, and with those of other calls, with ``dg.Definitions.merge``: the job over all
    datasets without partitions, the import sensor of each remote, the sensor that pushes again and the one that
    evaluates automation conditions are shared. The executor is left to you: for small graphs
    ``dg.in_process_executor`` saves the 2 to 3 seconds that Dagster's default needs to start each step's process.

    Args:
        datasets: At least one.
        remote: The remote Cognee of all datasets that name no other; default: the one that Cognee's own settings name
            when a run starts.
        remotes: More of them, by the resource key that a dataset's ``remote`` names. A key that is in none of them is
            yours to bind.
        local: The local Cognee; default: the one that ``import cognee`` would use.
        archives: Where archives are stored; default: ``~/.cognee-dagster/archives``.
        import_sensor: A sensor made with ``build_import_sensor``, for what it watches instead of the shared ones.
        automation_sensor: Whether there is a sensor, running, that evaluates the automation conditions of these
            datasets' assets, where one has any. False: a sensor of yours does.
        default_schedule_status: Whether schedules run from the start. A dataset has one because somebody wrote a
            ``cron_schedule``, so they do, unlike Dagster's own default.

    Raises:
        DatasetDefinitionError: No dataset, or two of them would have the same assets; a remote is given twice, or under
            the key of another resource; two targets of a dataset are the same remote dataset. When the
            code location is loaded: a chain has other partitions than its dataset says, or its graph's asset has.
    """
    chains = tuple(datasets)
    _check_distinct(chains)
    pushes = tuple(to_target for dataset in chains for to_target in dataset.each_target)
    jobs = {dataset.push_key: _chain_job(dataset) for dataset in pushes if dataset.cron_schedule or _has_parts(dataset)}
    looks = {dataset.push_key: _look_job(dataset) for dataset in pushes if _only_looks(dataset)}
    whole = any(not _has_parts(dataset) for dataset in chains)
    assets = [asset for dataset in chains for asset in build_dataset_assets(dataset)]
    return dg.Definitions(
        assets=assets if automation_sensor else automated_elsewhere(assets),
        jobs=[*jobs.values(), *looks.values(), *([_PUSH_ALL] if whole else [])],
        schedules=[
            chain_schedule(dataset, looks.get(dataset.push_key, jobs[dataset.push_key]), status=default_schedule_status)
            for dataset in pushes
            if dataset.cron_schedule
        ],
        sensors=[
            *_sensors(pushes, import_sensor),
            *([shared_automation_sensor()] if automation_sensor and has_condition(assets) else []),
        ],
        resources={
            **_remotes(pushes, remote, remotes or {}),
            LOCAL_RESOURCE: local or _default_local(),
            ARCHIVES_RESOURCE: archives or _default_archives(),
        },
    )


def _has_parts(dataset: CogneeDataset) -> bool:
    return dataset.partitions is not None


def _chain_job(dataset: CogneeDataset) -> Any:  # Dagster does not name its type
    return dg.define_asset_job(
        dataset.job_name,
        selection=ChainSelection((dataset.push_key,)),
        description=f"{'Promotes' if dataset.promoted_from else 'Reads, packs and pushes'} {dataset}.",
    )


def _only_looks(dataset: CogneeDataset) -> bool:
    return dataset.push_when_changed and dataset.cron_schedule is not None


def _look_job(dataset: CogneeDataset) -> Any:
    return dg.define_asset_job(
        dataset.look_job_name,
        selection=LookSelection(dataset.graph_key if dataset.archive is None else dataset.archive_key),
        description=f"Looks whether {dataset} has changed; if it has, it is pushed.",
    )


def _remotes(
    datasets: Sequence[CogneeDataset], remote: CogneeRemote | None, remotes: Mapping[str, CogneeRemote]
) -> dict[str, CogneeRemote]:
    if remote is not None and REMOTE_RESOURCE in remotes:
        raise DatasetDefinitionError(
            f"remote= and remotes[{REMOTE_RESOURCE!r}] are the same resource. Leave one of the two out."
        )
    if other := {LOCAL_RESOURCE, ARCHIVES_RESOURCE} & remotes.keys():
        raise DatasetDefinitionError(
            f"remotes[{min(other)!r}] cannot be used: that is the key of another resource. Call the remote otherwise."
        )
    asked = remote is not None or any(dataset.remote == REMOTE_RESOURCE for dataset in datasets)
    known = {**({REMOTE_RESOURCE: remote or _default_remote()} if asked else {}), **remotes}
    for key, one in known.items():
        _check_remote(one, key=key, has_own_name=key in remotes)
    _check_places(datasets, {key: remote.url for key, remote in known.items()})
    return known


def _check_remote(remote: CogneeRemote, *, key: str, has_own_name: bool) -> None:
    """What is written of a remote; of a ``dg.EnvVar`` the run is the first to know the value."""
    for name in (name for name in ADDRESS_FIELDS if name in remote.model_fields_set):
        value = getattr(remote, name)
        problem = None if isinstance(value, dg.EnvVar) else refusal(name, value or "", has_own_name=has_own_name)
        if problem is not None:
            raise DatasetDefinitionError(f"The {name} of the remote {key!r} {problem}")


def _check_places(pushes: Sequence[CogneeDataset], urls: Mapping[str, str | None]) -> None:
    """Two targets of one dataset whose remotes are called otherwise, and are the same, would push into each other.

    Where only a process that runs a step knows the address, as by a ``dg.EnvVar``, nothing can be said.
    """
    places: dict[tuple[str, str, str], CogneeDataset] = {}
    for push in (push for push in pushes if push.target_name is not None):
        url = urls.get(push.remote)
        if not url or isinstance(url, dg.EnvVar):
            continue
        target = push.target_dataset or str(push.name)
        other = places.setdefault((push.archive_key.to_user_string(), base_address(url), target), push)
        if other is not push:
            raise DatasetDefinitionError(
                f"The targets {other.target_name!r} and {push.target_name!r} of {str(push.name)!r} are both the "
                f"dataset {target!r} of one server: the remotes {other.remote!r} and {push.remote!r} have the same "
                "URL. Give one of them another target_dataset or remote."
            )


def _sensors(datasets: Sequence[CogneeDataset], given: dg.SensorDefinition | None) -> list[dg.SensorDefinition]:
    left = {dataset.remote for dataset in datasets if given is None or not watches(given, dataset.push_key)}
    return [
        *([given] if given is not None else []),
        *(shared_import_sensor(remote) for remote in sorted(left)),
        *([shared_repush_sensor()] if any(dataset.repush_attempts for dataset in datasets) else []),
    ]


def _check_distinct(datasets: Sequence[CogneeDataset]) -> None:
    """Two datasets of one name, or of names that Dagster spells alike, need different prefixes."""
    if not datasets:
        raise DatasetDefinitionError("There is no dataset: give at least one CogneeDataset.")
    by_step: defaultdict[str, list[CogneeDataset]] = defaultdict(list)
    for dataset in datasets:
        for key in (*(to_target.push_key for to_target in dataset.each_target), dataset.archive_key):
            by_step[key.to_python_identifier()].append(dataset)
    for step, same in by_step.items():
        if len(same) > 1:
            names = " and ".join(repr(str(dataset.name)) for dataset in same)
            raise DatasetDefinitionError(
                f"The datasets {names} would have the same step {step!r} in Dagster. Give them different key_prefix "
                "values."
            )
