"""Northwind's graphs reach the remotes that they are for; two fake remotes stand for staging and production."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def staging() -> Iterator[FakeRemote]:
    """The remote that everything goes to first."""
    with FakeRemote() as remote:
        yield remote


@pytest.fixture
def production() -> Iterator[FakeRemote]:
    """The remote that people ask."""
    with FakeRemote() as remote:
        yield remote


@pytest.fixture
def project(
    staging: FakeRemote, production: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dg.Definitions:
    """The project's definitions, with these remotes."""
    for name, remote in (("STAGING", staging), ("PRODUCTION", production)):
        monkeypatch.setenv(f"{name}_COGNEE_URL", remote.url)
        monkeypatch.setenv(f"{name}_COGNEE_API_KEY", remote.api_key)
    monkeypatch.setenv("NORTHWIND_ARCHIVES", str(tmp_path / "archives"))
    return dg.load_from_defs_folder(path_within_project=PROJECT)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Where runs are recorded, for the time of a test."""
    with dg.instance_for_test() as instance:
        yield instance


def run(project: dg.Definitions, instance: dg.DagsterInstance, job: str, **options: Any) -> bool:
    """Whether a job of the project succeeds."""
    definition = project.resolve_job_def(job)
    return definition.execute_in_process(instance=instance, raise_on_error=False, **options).success


class Automation:
    """Dagster's daemon: evaluates the conditions that a sensor runs for, and launches what they ask for."""

    def __init__(self, project: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._project = project
        self._instance = instance
        self._cursor: Any = None

    def tick(self) -> list[str]:
        """The assets that were asked for, and made."""
        conditions = self._project.get_repository_def().get_sensor_def("cognee_automation_sensor")
        assert conditions.default_status is dg.DefaultSensorStatus.RUNNING
        assert conditions.asset_selection is not None
        asked = dg.evaluate_automation_conditions(
            self._project, self._instance, asset_selection=conditions.asset_selection, cursor=self._cursor
        )
        self._cursor = asked.cursor
        graph = self._project.resolve_asset_graph()
        keys = [key for key in graph.get_all_asset_keys() if asked.get_num_requested(key)]
        if keys:
            job = self._project.resolve_implicit_global_asset_job_def()
            job.execute_in_process(instance=self._instance, asset_selection=keys)
        return [key.to_user_string() for key in keys]


@pytest.fixture
def automation(project: dg.Definitions, instance: dg.DagsterInstance) -> Automation:
    """The daemon, which has looked once before anything was made."""
    daemon = Automation(project, instance)
    assert daemon.tick() == []
    return daemon


def names(remote: FakeRemote, dataset: str) -> set[str]:
    """What the nodes of a remote dataset are called."""
    return {str(node.name) for node in remote.graph(dataset).nodes.values()}


def test_production_gets_what_staging_has_confirmed_by_itself_and_once(
    project: dg.Definitions,
    instance: dg.DagsterInstance,
    automation: Automation,
    staging: FakeRemote,
    production: FakeRemote,
) -> None:
    assert run(project, instance, "push_catalogue__staging")
    assert production.uploads == []
    assert automation.tick() == ["catalogue/production/remote_push"]
    assert names(production, "catalogue") == names(staging, "catalogue") >= {"Harbour Teas", "Amber Herring"}
    assert automation.tick() == []


def test_production_gets_nothing_that_staging_has_not_got(
    project: dg.Definitions,
    instance: dg.DagsterInstance,
    automation: Automation,
    staging: FakeRemote,
    production: FakeRemote,
) -> None:
    staging.faults.always(UPLOADS, answer(403))
    assert not run(project, instance, "push_catalogue__staging")
    assert automation.tick() == []
    assert production.uploads == []


@pytest.mark.parametrize(("region", "shop"), [("north", "Kirkwall Store"), ("south", "Poole Store")])
def test_each_region_has_a_dataset_of_its_own(
    project: dg.Definitions, instance: dg.DagsterInstance, production: FakeRemote, region: str, shop: str
) -> None:
    assert run(project, instance, "push_region_partition", partition_key=region)
    assert shop in names(production, f"region_{region}")
    with pytest.raises(LookupError):
        production.dataset("catalogue")
