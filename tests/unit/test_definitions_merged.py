"""Several ``build_definitions`` in one code location: merged in whatever way, with one job and one sensor for all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, build_definitions, build_import_sensor
from cognee_dagster.dagster.event_log.pushes import PushLog
from cognee_dagster.dagster.sensors import import_sensor
from cognee_dagster.dagster.sensors.tick import TickResult
from cognee_dagster.errors import DatasetDefinitionError

COMPONENT = """
import dagster as dg

from cognee_dagster import CogneeDataset, build_definitions


class Graphs(dg.Component):
    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return build_definitions([CogneeDataset(name="{name}", graph="{name}.graphml", repush_attempts=1)])


@dg.component_instance
def graphs(context: dg.ComponentLoadContext) -> Graphs:
    return Graphs()
"""
MODULE = """
from cognee_dagster import CogneeDataset, build_definitions

defs = build_definitions([CogneeDataset(name="{name}", graph="{name}.graphml", repush_attempts=1)])
"""


def definitions(name: str, **more: Any) -> dg.Definitions:
    fields: Mapping[str, Any] = {"name": name, "graph": f"{name}.graphml", **more}
    return build_definitions([CogneeDataset(**fields)])


def sensor_names(merged: dg.Definitions) -> list[str]:
    return sorted(sensor.name for sensor in merged.get_repository_def().sensor_defs)


def watched(merged: dg.Definitions, name: str) -> list[str]:
    """What the shared import sensor of this name asks about in this code location."""
    asked: list[str] = []

    class Tick:
        def __init__(self, *_: Any, pushes: PushLog, **__: Any) -> None:
            asked.extend(pushes.asset_keys)

        def run(self, _: str | None) -> TickResult:
            return TickResult(events=[], cursor="", summary="asked")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_sensor, "ImportTick", Tick)
        with dg.build_sensor_context(
            instance=dg.DagsterInstance.ephemeral(), definitions=merged, resources=merged.resources
        ) as context:
            merged.resolve_sensor_def(name).evaluate_tick(context)
    return asked


def test_two_calls_merge_into_one_code_location_with_one_job_and_one_sensor() -> None:
    merged = dg.Definitions.merge(definitions("alpha"), definitions("beta", repush_attempts=2), definitions("gamma"))
    dg.Definitions.validate_loadable(merged)
    assert sensor_names(merged) == ["cognee_import_sensor", "cognee_repush_sensor"]
    assert watched(merged, "cognee_import_sensor") == [f"{name}/remote_push" for name in ("alpha", "beta", "gamma")]
    job = merged.resolve_job_def("push_all_datasets")
    assert {key.path[0] for key in job.asset_layer.executable_asset_keys} == {"alpha", "beta", "gamma"}


@pytest.mark.parametrize(("project", "module"), [("of_definitions", MODULE), ("of_components", COMPONENT)])
def test_two_modules_of_a_defs_folder_load(project: str, module: str, tmp_path: Path) -> None:
    """What a component builds becomes a copy there that notes its source."""
    for name in ("alpha", "beta"):
        folder = tmp_path / project / "defs"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(module.replace("{name}", name))
    (tmp_path / project / "__init__.py").touch()
    (tmp_path / project / "defs" / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "' + project + '"\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        loaded = dg.load_from_defs_folder(path_within_project=tmp_path / project / "defs")
    dg.Definitions.validate_loadable(loaded)
    assert sensor_names(loaded) == ["cognee_import_sensor", "cognee_repush_sensor"]
    assert watched(loaded, "cognee_import_sensor") == ["alpha/remote_push", "beta/remote_push"]


def test_a_shared_sensor_that_is_evaluated_without_its_code_location_says_so() -> None:
    alone = definitions("alpha")
    with (
        dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral(), resources=alone.resources) as context,
        pytest.raises(DatasetDefinitionError, match=r"build_sensor_context\(definitions=…\)"),
    ):
        alone.resolve_sensor_def("cognee_import_sensor").evaluate_tick(context)


def test_pushing_again_is_of_those_datasets_alone_that_ask_for_it() -> None:
    merged = dg.Definitions.merge(definitions("alpha"), definitions("beta", repush_attempts=2))
    selection = merged.resolve_sensor_def("cognee_repush_sensor").asset_selection
    assert selection is not None
    assert selection.resolve(merged.resolve_asset_graph()) == {dg.AssetKey(["beta", "remote_push"])}


def test_a_dataset_with_an_import_sensor_of_its_own_is_not_watched_twice() -> None:
    dataset = CogneeDataset(name="alpha", graph="alpha.graphml")
    own = build_import_sensor([dataset], name="patient", stalled_after_seconds=1e6)
    merged = dg.Definitions.merge(build_definitions([dataset], import_sensor=own), definitions("beta"))
    assert sensor_names(merged) == ["cognee_import_sensor", "patient"]
    assert watched(merged, "cognee_import_sensor") == ["beta/remote_push"]
    assert watched(merged, "patient") == ["alpha/remote_push"]


def test_an_import_sensor_that_is_given_is_the_only_one_where_it_watches_all() -> None:
    dataset = CogneeDataset(name="alpha", graph="alpha.graphml")
    alone = build_definitions([dataset], import_sensor=build_import_sensor([dataset]))
    assert sensor_names(alone) == ["cognee_import_sensor"]
    assert watched(alone, "cognee_import_sensor") == ["alpha/remote_push"]


def test_remotes_of_the_same_key_are_told_apart_by_dagster_and_shared_by_one_object() -> None:
    def of(name: str, remote: CogneeRemote) -> dg.Definitions:
        return build_definitions([CogneeDataset(name=name, graph=f"{name}.graphml")], remote=remote)

    one = CogneeRemote(url="https://one.example.com")
    dg.Definitions.validate_loadable(dg.Definitions.merge(of("a", one), of("b", one)))
    with pytest.raises(dg.DagsterInvariantViolationError, match="different resources with same key 'cognee_remote'"):
        dg.Definitions.merge(of("a", one), of("b", CogneeRemote(url="https://two.example.com")))


def test_the_default_remote_is_given_once() -> None:
    with pytest.raises(DatasetDefinitionError, match="remote= and remotes"):
        build_definitions(
            [CogneeDataset(name="a")], remote=CogneeRemote(), remotes={"cognee_remote": CogneeRemote(url="https://x")}
        )
