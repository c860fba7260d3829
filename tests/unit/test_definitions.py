"""``build_definitions`` and the package's public face."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import cognee_dagster
from cognee_dagster import CogneeDataset, CogneeRemote, LocalCognee, build_definitions, build_import_sensor
from cognee_dagster.errors import DatasetDefinitionError

REPOSITORY = Path(__file__).parents[2]


def test_everything_a_code_location_needs_loads() -> None:
    defs = build_definitions([CogneeDataset(name="demo"), CogneeDataset(name="handbook", documents=["docs/*.md"])])
    dg.Definitions.validate_loadable(defs)
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    steps = ("cognified_graph", "cogx_archive", "remote_push", "remote_graph")
    assert keys == {f"{dataset}/{step}" for dataset in ("demo", "handbook") for step in steps}


def test_checks_of_every_asset_are_defined() -> None:
    graph = build_definitions([CogneeDataset(name="demo")]).resolve_asset_graph()
    assert {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys} == {
        ("cognified_graph", "graph_not_empty"),
        ("cognified_graph", "no_dangling_edges"),
        ("cogx_archive", "archive_within_server_limits"),
        ("remote_graph", "remote_import_succeeded"),
        ("remote_graph", "remote_in_sync"),
    }


def test_a_graph_of_ones_own_has_a_check_of_what_stays_behind() -> None:
    graph = build_definitions([CogneeDataset(name="g", graph="g.json")]).resolve_asset_graph()
    assert "no_attributes_left_behind" in {key.name for key in graph.asset_check_keys}


def test_a_cron_makes_a_job_and_a_schedule_that_runs() -> None:
    nightly = CogneeDataset(
        name="demo", key_prefix="team", cron_schedule="0 3 * * *", execution_timezone="Europe/Berlin"
    )
    repository = build_definitions([nightly, CogneeDataset(name="handbook")]).get_repository_def()
    (schedule,) = repository.schedule_defs
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        "push_team__demo",
        "0 3 * * *",
        "Europe/Berlin",
    )
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    keys = repository.get_job("push_team__demo").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in keys} == {
        "team/demo/cognified_graph",
        "team/demo/cogx_archive",
        "team/demo/remote_push",
    }


def test_one_job_pushes_all_datasets_without_asking_about_earlier_pushes() -> None:
    repository = build_definitions([CogneeDataset(name="a"), CogneeDataset(name="b")]).get_repository_def()
    job = repository.get_job("push_all_datasets")
    assert len(set(job.asset_layer.executable_asset_keys)) == 6
    assert "remote_import_succeeded" not in {key.name for key in job.asset_layer.asset_graph.asset_check_keys}


def test_the_import_sensor_runs_by_default() -> None:
    (sensor,) = build_definitions([CogneeDataset(name="demo")]).get_repository_def().sensor_defs
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_failed_imports_are_pushed_again_where_a_dataset_says_so() -> None:
    datasets = [CogneeDataset(name="a"), CogneeDataset(name="b", repush_attempts=2)]
    sensors = {sensor.name: sensor for sensor in build_definitions(datasets).get_repository_def().sensor_defs}
    assert set(sensors) == {"cognee_import_sensor", "cognee_repush_sensor"}
    selection = sensors["cognee_repush_sensor"].asset_selection
    assert selection is not None
    assert selection.resolve(build_definitions(datasets).resolve_asset_graph()) == {datasets[1].push_key}


def test_they_merge_with_definitions_of_the_users_own() -> None:
    @dg.asset(key="my_graph")
    def my_graph() -> None: ...

    own = dg.Definitions(assets=[my_graph])
    merged = dg.Definitions.merge(own, build_definitions([CogneeDataset(name="x", graph=dg.AssetKey("my_graph"))]))
    dg.Definitions.validate_loadable(merged)
    assert (
        dg.AssetKey("my_graph") in merged.resolve_asset_graph().get(dg.AssetKey(["x", "cognified_graph"])).parent_keys
    )


@pytest.mark.parametrize("job", ["push_all_datasets", "push_x"])
def test_a_job_runs_what_a_graph_is_made_of_before_it(job: str) -> None:
    ran = []

    @dg.asset
    def extract() -> None:
        ran.append("extract")

    @dg.asset(deps=[extract])
    def my_graph() -> dg.MaterializeResult[None]:
        ran.append("my_graph")
        raise dg.Failure("far enough", allow_retries=False)

    dataset = CogneeDataset(name="x", graph=dg.AssetKey("my_graph"), cron_schedule="0 3 * * *")
    merged = dg.Definitions.merge(dg.Definitions(assets=[extract, my_graph]), build_definitions([dataset]))
    result = merged.resolve_job_def(job).execute_in_process(raise_on_error=False)
    assert ran == ["extract", "my_graph"]
    assert not result.success


def test_what_is_given_goes_before_the_defaults() -> None:
    given: dict[str, Any] = {
        "cognee_remote": CogneeRemote(url="https://a.example.com"),
        "local_cognee": LocalCognee(),
        "cogx_archives": dg.mem_io_manager,
    }
    dataset = CogneeDataset(name="demo", cron_schedule="@daily")
    defs = build_definitions(
        [dataset],
        remote=given["cognee_remote"],
        local=given["local_cognee"],
        archives=given["cogx_archives"],
        import_sensor=build_import_sensor([dataset], name="mine"),
        default_schedule_status=dg.DefaultScheduleStatus.STOPPED,
    )
    assert {key: id(value) for key, value in (defs.resources or {}).items()} == {k: id(v) for k, v in given.items()}
    repository = defs.get_repository_def()
    assert [sensor.name for sensor in repository.sensor_defs] == ["mine"]
    assert [schedule.default_status for schedule in repository.schedule_defs] == [dg.DefaultScheduleStatus.STOPPED]


def test_no_dataset_is_refused() -> None:
    with pytest.raises(DatasetDefinitionError, match="no dataset"):
        build_definitions([])


@pytest.mark.parametrize("names", [("demo", "demo"), ("a-b", "a_b")])
def test_datasets_that_dagster_would_confuse_are_refused_by_name(names: tuple[str, str]) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"'{names[0]}' and '{names[1]}'.*key_prefix"):
        build_definitions([CogneeDataset(name=name) for name in names])


def test_equal_names_under_different_prefixes_are_fine() -> None:
    defs = build_definitions([CogneeDataset(name="demo"), CogneeDataset(name="demo", key_prefix="other")])
    dg.Definitions.validate_loadable(defs)


def test_names_that_dagster_would_not_take_load_and_can_be_selected() -> None:
    names = ["知識", "my data", "v1.2", "a/b", "x" * 300]
    defs = build_definitions([CogneeDataset(name=name, target_dataset="x", cron_schedule="@daily") for name in names])
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    for name in names:
        key = CogneeDataset(name=name, target_dataset="x").push_key
        assert dg.AssetSelection.from_string(f"key:{key.to_user_string()}").resolve(graph) == {key}


def test_every_public_name_is_what_it_says() -> None:
    assert dir(cognee_dagster) == sorted(cognee_dagster.__all__)
    for name in set(dir(cognee_dagster)) - {"__version__"}:
        assert getattr(cognee_dagster, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'pull'"):
        cognee_dagster.pull  # noqa: B018


def test_no_public_name_is_also_a_modules_name() -> None:
    """Importing such a module would put it in the place of what the package gives under that name."""
    assert [name for name in dir(cognee_dagster) if find_spec(f"cognee_dagster.{name}")] == []


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import cognee_dagster", ["dagster", "cognee", "ladybug", "pyarrow", "networkx", "httpx"]),
        ("from cognee_dagster import push", ["dagster", "cognee", "ladybug", "networkx"]),
        (
            "import cognee_dagster as package;"
            " [getattr(package, name) for name in set(dir(package)) - {'push', 'push_archive', 'PushResult'}]",
            ["cognee", "ladybug", "networkx", "pyarrow", "httpx", "upath", "fsspec", "pydantic_settings"],
        ),
        (
            "import definitions; definitions.defs.get_repository_def().load_all_definitions()",
            ["cognee", "ladybug", "networkx", "pyarrow", "httpx"],
        ),
    ],
)
def test_an_import_pays_for_nothing_it_does_not_need(statement: str, heavy: list[str]) -> None:
    program = f"import sys; {statement}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"
