"""``CogneeComponent``: a ``defs.yaml`` becomes the definitions that it says, and says where it is wrong."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest
import yaml
from dagster.components.resolved.errors import ResolutionException
from dagster.components.testing import create_defs_folder_sandbox
from dagster.components.testing.utils import component_defs
from dagster_shared.libraries import DagsterLibraryRegistry
from pydantic import ValidationError

from cognee_dagster import (
    CogneeAssetProps,
    CogneeComponent,
    CogneeDataset,
    CogneeRemote,
    CogneeStep,
    GraphMapping,
    KeepArchives,
    Probe,
    PushFailure,
    __version__,
)
from cognee_dagster.dagster.component.attributes import DatasetAttributes
from cognee_dagster.dagster.component.demo import SandboxRemote
from cognee_dagster.dagster.component.written import written_model
from cognee_dagster.errors import DatasetDefinitionError, LocalCogneeError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.inspection import inspect_graph
from cognee_dagster.store.names import safe_segment
from cognee_dagster.system.host_lock import host_lock
from cognee_dagster.testing import FakeRemote
from tests.unit.test_definitions_merged import sensor_names


def tell(failure: PushFailure) -> None:
    """An on_failure."""


@contextmanager
def project(
    tmp_path: Path, *, post_processing: dict[str, Any] | None = None, **attributes: dict[str, Any]
) -> Iterator[dg.Definitions]:
    """The definitions of a project with these components, by the names of their directories."""
    with create_defs_folder_sandbox(project_name="northwind") as sandbox:
        for name, values in attributes.items():
            directory = sandbox.defs_folder_path / name
            directory.mkdir(parents=True)
            document = {"type": "cognee_dagster.CogneeComponent", "attributes": values}
            if post_processing is not None:
                document["post_processing"] = post_processing
            (directory / "defs.yaml").write_text(yaml.safe_dump(document))
        with sandbox.build_all_defs() as defs:
            yield defs


def component(**attributes: Any) -> CogneeComponent:
    return CogneeComponent.from_attributes_dict(attributes=attributes)


def dataset(**values: Any) -> CogneeDataset:
    """The dataset of which a component says this."""
    (found,) = component(datasets=[{"name": "handbook", **values}]).datasets
    return found


def explained(error: BaseException | None) -> str:
    """What an error and its causes say."""
    return "" if error is None else f"{error}\n{explained(error.__cause__)}"


def test_probes_are_written_as_their_fields() -> None:
    said = {"question": "Who?", "contains": "Ada", "search_type": "CHUNKS", "top_k": 3, "severity": "warn"}
    assert dataset(probes=[said]).probes == (Probe("Who?", "Ada", "CHUNKS", 3, "warn"),)
    (target,) = dataset(targets=[{"name": "prod", "probes": [{"question": "Who?", "contains": "Ada"}]}]).each_target
    assert target.probes == (Probe("Who?", contains="Ada"),)
    for named, value in {"search_type": "CYPHER", "top_k": 0, "contains": None, "more": 1}.items():
        with pytest.raises((ResolutionException, ValidationError)) as refused:
            dataset(probes=[{**said, named: value}])
        assert named in explained(refused.value)


def test_every_field_of_a_dataset_can_be_written() -> None:
    written = written_model(CogneeDataset).model_fields
    assert set(written) == {field.name for field in fields(CogneeDataset)}
    assert set(DatasetAttributes.model_fields) == set(written) - {"translator", "execute"}  # methods of the component
    assert [name for name, field in written.items() if not field.description] == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({}, {}),
        ({"graph": {"asset": "team/suppliers"}}, {"graph": dg.AssetKey(["team", "suppliers"])}),
        (
            {"graph": "s3://graphs/birds.graphml", "mapping": {"node_type": ["kind", "species"], "drop": ["note"]}},
            {
                "graph": "s3://graphs/birds.graphml",
                "mapping": GraphMapping(node_type=("kind", "species"), drop=["note"]),
            },
        ),
        (
            {"retry_policy": {"max_retries": 3, "delay": 5, "backoff": "linear", "jitter": "full"}},
            {"retry_policy": dg.RetryPolicy(3, 5, backoff=dg.Backoff.LINEAR, jitter=dg.Jitter.FULL)},
        ),
        (
            {"deps": ["team/pages"], "key_prefix": "team/graphs", "tags": {"tier": "gold"}, "owners": ["team:data"]},
            {"deps": ["team/pages"], "key_prefix": "team/graphs", "tags": {"tier": "gold"}, "owners": ["team:data"]},
        ),
        (
            {"sync": "incremental", "max_removed": 0.5, "run_in_background": True, "cron_schedule": "0 3 * * *"},
            {"sync": "incremental", "max_removed": 0.5, "run_in_background": True, "cron_schedule": "0 3 * * *"},
        ),
    ],
)
def test_a_dataset_is_what_its_fields_say(written: dict[str, Any], meant: dict[str, Any]) -> None:
    assert dataset(**written) == CogneeDataset(name="handbook", **meant)


def test_any_value_may_be_a_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_REMOVED", "0.5")
    assert dataset(sync="incremental", max_removed="{{ env.MAX_REMOVED }}").max_removed == 0.5


def test_defaults_are_for_datasets_that_do_not_say_it_themselves() -> None:
    first, second = component(
        defaults={"run_in_background": True, "tags": {"tier": "gold"}},
        datasets=[{"name": "one"}, {"name": "two", "run_in_background": False}],
    ).datasets
    assert (first.run_in_background, second.run_in_background) == (True, False)
    assert first.tags == second.tags == {"tier": "gold"}


def test_a_null_undoes_a_default() -> None:
    first, second = component(
        defaults={"cron_schedule": "@daily", "execution_timezone": "Europe/Berlin", "pool": "graphs"},
        datasets=[{"name": "one"}, {"name": "two", "cron_schedule": None, "execution_timezone": None, "pool": None}],
    ).datasets
    assert (first.cron_schedule, first.pool) == ("@daily", "graphs")
    assert second == CogneeDataset(name="two")


def test_relative_paths_begin_where_the_file_is(tmp_path: Path) -> None:
    with project(tmp_path, birds={"datasets": [{"name": "birds", "graph": "birds.graphml"}]}) as defs:
        (spec,) = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[-1] == "cognified_graph"]
    assert "northwind/defs/birds/birds.graphml" in str(spec.description)


def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path) -> None:
    wrong = {"datasets": [{"name": "research"}, {"name": "hand book"}]}
    with pytest.raises(Exception, match="graphs") as caught, project(tmp_path, graphs=wrong):
        pass
    said = explained(caught.value)
    assert "defs/graphs/defs.yaml:4 - attributes.datasets.1" in said
    assert "Set target_dataset to another name, for example 'hand_book'" in said


@pytest.mark.parametrize(
    "wrong", [{"sync": "incremenal"}, {"sink": "full"}, {"max_removed": "much"}, {"mapping": {"nodetype": "kind"}}]
)
def test_a_misspelt_field_is_none_that_dg_check_yaml_lets_pass(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dataset(**wrong)


def test_the_schema_says_where_in_a_list_an_error_is() -> None:
    """A choice between a value and a template, as Dagster makes of every field, would only say that it fits none."""
    properties = CogneeComponent.model().model_json_schema()["properties"]
    assert [name for name in properties if "anyOf" in properties[name]] == [
        "sensor",
        "automation_sensor",
        "dataset_in_names",
        "demo_mode",
    ]


def test_a_secret_is_typed_into_a_field_that_does_not_show_it() -> None:
    schema = json.dumps(CogneeComponent.model().model_json_schema())
    assert schema.count('"ui:widget": "secret"') == 3  # api_key, environment, slack_webhook_url


def test_a_form_knows_schedules_and_the_components_name() -> None:
    schema = CogneeComponent.model().model_json_schema()
    assert schema["$defs"]["CogneeDataset"]["properties"]["cron_schedule"]["ui:widget"] == "cron"
    if hasattr(dg, "ComponentFormConfig"):  # from Dagster 1.13 on
        assert (schema["title"], schema["x-app-managed"]) == ("Cognee datasets", True)


def test_remotes_are_what_the_environment_says_and_show_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_KEY", "very-secret")
    made = component(
        datasets=[{"name": "research", "remote": "staging"}],
        remotes={"staging": {"url": "https://staging.example.com", "api_key": "{{ env.STAGING_KEY }}"}},
    )
    assert isinstance(made.remotes["staging"], CogneeRemote)
    assert made.remotes["staging"].connection().api_key.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(made)


def test_without_its_variables_a_remote_is_the_one_that_cognee_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE_SET", raising=False)
    made = component(
        datasets=[{"name": "a"}], remote={"url": "{{ env.NOWHERE_SET }}", "api_key": "{{ env.NOWHERE_SET }}"}
    )
    assert made.remote == CogneeRemote()


def test_one_of_several_remotes_whose_variable_is_not_set_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRODUCTION_COGNEE_URL", raising=False)
    attributes = {
        "remotes": {"production": {"url": "{{ env.PRODUCTION_COGNEE_URL }}"}},
        "datasets": [{"name": "orders", "remote": "production"}],
    }
    with pytest.raises(Exception) as refused, project(tmp_path, shipping=attributes):  # noqa: PT011  (not public)
        pass
    assert "url of the remote 'production' is empty" in str(refused.value.__cause__)
    with project(tmp_path, shipping={**attributes, "demo_mode": True}) as defs:
        assert defs.resolve_all_asset_specs()


def test_several_components_share_what_a_code_location_has_one_of(tmp_path: Path) -> None:
    remote = {"url": "https://cognee.example.com", "api_key": "key"}
    alerts = {"slack_webhook_url": "https://hooks.example.com/1"}
    with project(
        tmp_path,
        one={"remote": remote, "datasets": [{"name": "one", "repush_attempts": 1}], "alerts": alerts},
        two={"remote": remote, "datasets": [{"name": "two", "repush_attempts": 1}], "alerts": alerts},
    ) as defs:
        assert sensor_names(defs) == [
            "cognee_alert_sensor_one",
            "cognee_alert_sensor_two",
            "cognee_import_sensor",
            "cognee_repush_sensor",
        ]
        assert [job.name for job in defs.jobs or ()].count("push_all_datasets") >= 1
        dg.Definitions.validate_loadable(defs)


def test_alert_sensors_of_components_whose_places_read_alike_have_names_of_their_own(tmp_path: Path) -> None:
    places = ["graphs/eu", "graphs_eu", "graphs-eu", "größen", "gr_en"]
    alerts = {"slack_webhook_url": "https://hooks.example.com/1"}
    written = {place: {"datasets": [{"name": f"in-{at}"}], "alerts": alerts} for at, place in enumerate(places)}
    with project(tmp_path, **written) as defs:
        dg.Definitions.validate_loadable(defs)
        names = [name for name in sensor_names(defs) if name.startswith("cognee_alert_sensor")]
    assert len(set(names)) == len(places)
    assert "cognee_alert_sensor_graphs_eu" in names


def test_components_that_say_different_things_about_one_resource_are_named(tmp_path: Path) -> None:
    one = {"datasets": [{"name": "one"}], "remote": {"url": "https://one.example.com"}}
    two = {"datasets": [{"name": "two"}], "remote": {"url": "https://two.example.com"}}
    with pytest.raises(Exception, match="two") as caught, project(tmp_path, one=one, two=two):
        pass
    assert "'one' and 'two' say different things about the resource 'cognee_remote'" in explained(caught.value)


def test_the_assets_of_each_kind_say_what_is_translated(tmp_path: Path) -> None:
    fresh = "dg.FreshnessPolicy.cron(deadline_cron='0 6 * * *', lower_bound_delta=datetime.timedelta(hours=6))"
    translation = {
        "cognified_graph": {"automation_condition": "{{ dg.AutomationCondition.on_cron('@daily') }}"},
        "remote_push": {"key": "pushes/{{ props.dataset }}", "tags": {"kind": "{{ props.kind }}"}, "group_name": "out"},
        "remote_graph": {"freshness_policy": f"{{{{ {fresh} }}}}"},
    }
    with project(tmp_path, graphs={"datasets": [{"name": "a"}], "translation": translation}) as defs:
        specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
        dg.Definitions.validate_loadable(defs)
    assert set(specs) == {"a/cognified_graph", "a/cogx_archive", "pushes/a", "a/remote_graph"}
    assert specs["a/cognified_graph"].automation_condition is not None
    assert specs["a/remote_graph"].freshness_policy is not None
    assert (specs["pushes/a"].tags["kind"], specs["pushes/a"].group_name) == ("remote_push", "out")


class Own(CogneeComponent):
    """A subclass, as a project would write it."""

    ran: list[str] = []  # noqa: RUF012

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        return super().get_asset_spec(props).merge_attributes(tags={"tenant": props.dataset})

    def execute(self, context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
        raise dg.Failure(f"{step.kind} of {step.dataset}", allow_retries=False)


def test_a_subclass_may_change_specs_and_what_runs(tmp_path: Path) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text('{"nodes": [{"id": "a"}], "links": []}')
    own = Own.from_attributes_dict(attributes={"datasets": [{"name": "a", "graph": str(graph)}], "sensor": False})
    with dg.DagsterInstance.ephemeral() as instance:
        defs = component_defs(component=own)
        assert {spec.tags["tenant"] for spec in defs.resolve_all_asset_specs()} == {"a"}
        result = defs.resolve_job_def("push_all_datasets").execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert "cognified_graph of a" in str(failure.step_failure_data.error)


def test_pool_and_tags_of_steps_are_for_datasets_that_say_none(tmp_path: Path) -> None:
    op = {"pool": "graphs", "tags": {"tier": "slow"}}
    datasets = [{"name": "a"}, {"name": "b", "pool": "own"}]
    with project(tmp_path, graphs={"datasets": datasets, "op": op}) as defs:
        found = {asset.op.name: asset.op for asset in defs.resolve_asset_graph().assets_defs if asset.is_executable}
    assert (found["a__remote_push"].pool, found["b__remote_push"].pool) == ("graphs", "own")
    assert found["a__cognified_graph"].tags["tier"] == found["b__remote_push"].tags["tier"] == "slow"


class Server(FakeRemote):
    """A sandbox that starts at once."""

    running: ClassVar[list[Path]] = []
    started: ClassVar[list[Path]] = []

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def __enter__(self) -> "Server":
        assert self._directory not in self.running
        self.running.append(self._directory)
        self.started.append(self._directory)
        super().__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.running.remove(self._directory)
        super().__exit__(*raised)


def test_in_demo_mode_a_sandbox_stands_for_every_remote_while_a_run_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognee_dagster.sandbox.CogneeServer", Server)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "graph.json").write_text('{"nodes": [{"id": "a"}], "links": []}')
    made = component(
        demo_mode=True,
        remote={"url": "https://never.example.com"},
        datasets=[
            {"name": "a", "graph": str(tmp_path / "graph.json"), "run_in_background": True},
            {"name": "b", "graph": str(tmp_path / "graph.json"), "targets": [{"name": "x", "remote": "staging"}]},
        ],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        defs = component_defs(component=made)
        assert Server.started == []
        result = defs.resolve_job_def("push_all_datasets").execute_in_process(instance=instance, raise_on_error=False)
    assert result.success
    demo = tmp_path / ".cognee-dagster" / "demo"
    assert (sorted(Server.started), Server.running) == ([demo / "cognee_remote", demo / "staging"], [])
    made_keys = {
        event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
    }
    assert {"a/remote_graph", "b/x/remote_graph"} <= made_keys
    assert sensor_names(defs) == []


def test_sensors_can_be_left_out(tmp_path: Path) -> None:
    with project(tmp_path, graphs={"datasets": [{"name": "a"}], "sensor": False}) as defs:
        assert sensor_names(defs) == []


class Broken(Server):
    """A sandbox that does not start."""

    def __enter__(self) -> "Broken":
        raise LocalCogneeError("The server did not start.")


def refuse(*_: Any) -> None:
    raise LocalCogneeError("Nothing can be made of its address.")


@pytest.mark.parametrize(
    ("broken", "by"),
    [("cognee_dagster.sandbox.CogneeServer", Broken), ("cognee_dagster.remote.resolve_connection", refuse)],
)
def test_a_sandbox_that_does_not_start_leaves_nothing_that_the_next_step_would_wait_for(
    broken: str, by: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("cognee_dagster.sandbox.CogneeServer", Server)
    monkeypatch.setattr(broken, by)
    given_up = threading.Event()
    given_up.set()
    remote = SandboxRemote(directory=str(tmp_path / "demo"))  # which a run keeps until it ends
    with pytest.raises(LocalCogneeError):
        remote.connection()
    with host_lock("sandbox", str(tmp_path / "demo"), stop=given_up, waiting=lambda _: None) as is_free:
        assert is_free
    assert (Server.running, remote._found) == ([], None)


@pytest.mark.parametrize("without", [{"sensor": False}, {"demo_mode": True}])
def test_without_sensors_a_push_that_waits_for_a_change_is_still_made(tmp_path: Path, without: dict[str, Any]) -> None:
    """Its schedule only looks at the graph: no other sensor would ever push it."""
    waiting = {"name": "a", "push_when_changed": True, "repush_attempts": 1, "cron_schedule": "@daily"}
    with project(tmp_path, graphs={"datasets": [waiting], **without}) as defs:
        assert sensor_names(defs) == ["cognee_automation_sensor"]


@pytest.mark.parametrize(
    "written",
    [
        {"translation": {"cogx_archive": {"automation_condition": "{{ dg.AutomationCondition.eager() }}"}}},
        {"datasets": [{"name": "a", "automation_condition": "{{ dg.AutomationCondition.eager() }}"}]},
    ],
    ids=["translation", "dataset"],
)
def test_a_condition_that_is_written_is_evaluated_from_the_start(tmp_path: Path, written: dict[str, Any]) -> None:
    attributes = {"datasets": [{"name": "a"}], **written}
    with project(tmp_path, graphs=attributes, others={"datasets": [{"name": "b", "push_when_changed": True}]}) as defs:
        assert "default_automation_condition_sensor" not in sensor_names(defs)
        assert sensor_names(defs).count("cognee_automation_sensor") == 1
    with project(tmp_path / "own", graphs={**attributes, "automation_sensor": False}) as defs:
        assert "cognee_automation_sensor" not in sensor_names(defs)


def test_a_condition_of_the_post_processing_is_evaluated_from_the_start(tmp_path: Path) -> None:
    condition = "{{ automation_condition.eager() }}"
    post_processing = {"assets": [{"target": "*", "attributes": {"automation_condition": condition}}]}
    with project(tmp_path, graphs={"datasets": [{"name": "a"}]}, post_processing=post_processing) as defs:
        repository = defs.get_repository_def()
        sensor = repository.get_sensor_def("cognee_automation_sensor")
        assert sensor.asset_selection is not None
        assert dg.AssetKey(["a", "remote_push"]) in sensor.asset_selection.resolve(repository.asset_graph)


def test_local_datasets_are_discovered_where_a_chain_has_dynamic_partitions(tmp_path: Path) -> None:
    tenants = {"name": "tenant_{partition}", "partitions_def": "tenants"}
    attributes = {"datasets": [tenants, {"name": "other"}], "discover": {"on_vanished": "remove"}}
    with project(tmp_path, graphs=attributes) as defs:
        dg.Definitions.validate_loadable(defs)
        assert [name for name in sensor_names(defs) if "discover" in name] == ["discover_tenant_partition"]
    with pytest.raises(DatasetDefinitionError, match="discover finds nothing"):
        component_defs(component=component(datasets=[{"name": "other"}], discover={}))


def test_alerts_call_a_function_by_its_name() -> None:
    made = component(datasets=[{"name": "a"}], alerts={"on_failure": f"{__name__}.tell"})
    assert made.alerts is not None
    assert made.alerts.on_failure is tell


def test_a_webhook_is_a_secret() -> None:
    both = {"slack_webhook_url": "https://hooks.example.com/very-secret", "on_failure": f"{__name__}.tell"}
    with pytest.raises((ValueError, ResolutionException)) as caught:
        component(datasets=[{"name": "a"}], alerts=both)
    made = component(datasets=[{"name": "a"}], alerts={"slack_webhook_url": both["slack_webhook_url"]})
    assert "very-secret" not in explained(caught.value) + repr(made)


@pytest.mark.parametrize("alerts", [{}, {"on_failure": f"{__name__}.nothing"}, {"on_failure": "x"}])
def test_alerts_that_would_reach_nobody_are_refused(alerts: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ResolutionException), match="on_failure"):
        component(datasets=[{"name": "a"}], alerts=alerts)


def test_what_is_scaffolded_loads_as_it_is_and_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COGNEE_API_KEY", "very-secret")
    with create_defs_folder_sandbox(project_name="northwind") as sandbox:
        directory = sandbox.scaffold_component(CogneeComponent, defs_path="graphs")
        with sandbox.build_all_defs() as defs:
            dg.Definitions.validate_loadable(defs)
        written = {path.name: path.read_text() for path in directory.iterdir()}
        example = inspect_graph(open_graph_file(directory / "example.json"))
    assert set(written) == {"defs.yaml", "example.json"}
    assert "very-secret" not in "".join(written.values())
    assert (example.reached_as_neighbours, example.attributes_left_behind) == ({}, {})  # a search finds all of it
    assert example.entities_by_type == {"Person": 2, "Machine": 1}


@pytest.mark.parametrize("name", ["research", 'the"best"\\notes🐝'])
@pytest.mark.parametrize(("format_", "file"), [("yaml", "defs.yaml"), ("python", "component.py")])
def test_a_dataset_can_be_named_when_it_is_scaffolded(format_: Any, file: str, name: str) -> None:
    with create_defs_folder_sandbox(project_name="northwind") as sandbox:
        directory = sandbox.scaffold_component(
            CogneeComponent, defs_path="graphs", scaffold_params={"dataset": name}, scaffold_format=format_
        )
        assert [path.name for path in directory.iterdir()] == [file]
        with sandbox.build_all_defs() as defs:
            keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert f"{safe_segment(name)}/remote_push" in keys


def test_the_library_is_known_to_dagster() -> None:
    assert DagsterLibraryRegistry.get()["cognee-dagster"] == __version__


def test_how_long_archives_are_kept_can_be_written_and_is_checked() -> None:
    written = {"base_directory": "archives", "keep": {"last": 10, "within": "30d"}}
    found = component(datasets=[{"name": "handbook"}], archives=written).archives
    assert found is not None
    assert found.keep == KeepArchives(last=10, within="30d")
    with pytest.raises(ValueError, match="12h, 30d or 8w"):
        component(datasets=[{"name": "handbook"}], archives={"keep": {"within": "30 days"}})


@pytest.mark.parametrize(
    ("attributes", "name", "given"),
    [
        ({"remote": "{{ env.MARKER }}"}, "CogneeRemote", "a value of the type str"),
        ({"remotes": "{{ env.MARKER }}"}, "remotes", "a value of the type str"),
        ({"datasets": "{{ env.MARKER }}"}, "datasets", "a value of the type str"),
        ({"datasets": "abc"}, "datasets", "a value of the type str"),
        ({"datasets": "{{ env.NOPE }}"}, "datasets", "nothing"),
        ({"defaults": "{{ env.MARKER }}"}, "defaults", "a value of the type str"),
        ({"archives": "{{ env.MARKER }}"}, "CogxArchiveIOManager", "a value of the type str"),
    ],
)
def test_a_template_that_gives_another_thing_than_an_attribute_is_refused_with_what_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], name: str, given: str
) -> None:
    monkeypatch.setenv("MARKER", "marker-5f1c")
    monkeypatch.delenv("NOPE", raising=False)
    with (
        pytest.raises(Exception, match="defs") as refused,
        project(tmp_path, one={"datasets": [{"name": "handbook"}], **attributes}),
    ):
        pass
    assert f"{name} cannot be used: what stands there is {given}, or a template" in explained(refused.value)
    assert "marker-5f1c" not in explained(refused.value)


def test_two_components_with_the_same_dataset_are_both_named(tmp_path: Path) -> None:
    same = {"datasets": [{"name": "handbook"}]}
    with pytest.raises(Exception, match="two") as refused, project(tmp_path, one=same, two=same):
        pass
    assert "The components 'one' and 'two' would have the same assets: 'handbook'" in explained(refused.value)
