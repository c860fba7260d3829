"""The discovery sensor: a partition for every local dataset that a chain's name fits, and none lost by mistake."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster import CogneeDataset, LocalCognee, build_definitions, build_discovery_sensor
from cognee_dagster.dagster.templates import key_in, rendered
from cognee_dagster.errors import DatasetDefinitionError, DatasetNotFoundError, LocalCogneeError
from tests.daemon import daemon_context
from tests.unit.local_stores import TinyStore

CHAIN = CogneeDataset(name="tenant_{partition}", asset_name="tenants", partitions_def="tenants")


@dataclass
class Local:
    """A local Cognee with some datasets, and an instance whose daemon a test plays."""

    store: TinyStore
    instance: dg.DagsterInstance
    options: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    def add(self, *names: str, has_graph: bool = True) -> None:
        for name in names:
            self.ids[name] = self.store.add_dataset(name)
            if has_graph:
                self.give_graph(name)

    def give_graph(self, name: str) -> None:
        self.store.place_graph(self.ids[name]).touch()

    def delete(self, *names: str) -> None:
        for name in names:
            self.store._execute("DELETE FROM datasets WHERE name = ?", name)

    def partitions(self) -> set[str]:
        return set(self.instance.get_dynamic_partitions("tenants"))

    def tick(self, *, killed_before_runs: bool = False) -> Any:
        """Evaluates the sensor, and does what the daemon does with the result, in its order."""
        sensor = build_discovery_sensor(CHAIN, **self.options)
        defs = dg.Definitions.merge(build_definitions([CHAIN]), dg.Definitions(sensors=[sensor]))
        local = LocalCognee(system_root_directory=str(self.store.system))
        with daemon_context(self.instance, defs, {"local_cognee": local}) as context:
            result = sensor.evaluate_tick(context)
        for change in result.dynamic_partitions_requests or ():
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions("tenants", list(change.partition_keys))
            else:
                for key in change.partition_keys:
                    self.instance.delete_dynamic_partition("tenants", key)
        for request in [] if killed_before_runs else (result.run_requests or ()):
            self.instance.create_run_for_job(nothing, tags=dict(request.tags))
        return result


@dg.job
def nothing() -> None: ...


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """One with a place on disk, as a daemon's; to make one takes longer than any of these tests."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def local(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Local]:
    yield Local(store=TinyStore(tmp_path / "cognee"), instance=instance)
    for key in instance.get_dynamic_partitions("tenants"):
        instance.delete_dynamic_partition("tenants", key)
    instance.wipe_assets([CHAIN.push_key])


def asked(result: Any) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or ()]


def test_a_dataset_that_the_name_fits_is_a_partition_and_is_pushed_once(local: Local) -> None:
    local.add("tenant_acme", "tenant_globex", "handbook", "tenant_")
    assert sorted(map(str, asked(local.tick()))) == ["acme", "globex"]
    assert local.partitions() == {"acme", "globex"}
    again = local.tick()
    assert asked(again) == []
    assert again.skip_message == "2 datasets, 0 new, 0 runs asked for."


def test_a_daemon_that_dies_after_the_partitions_forgets_no_run(local: Local) -> None:
    local.add("tenant_acme")
    local.tick(killed_before_runs=True)
    assert local.partitions() == {"acme"}
    assert asked(local.tick()) == ["acme"]


def test_a_dataset_without_a_graph_is_pushed_when_it_has_one(local: Local) -> None:
    local.add("tenant_acme", has_graph=False)
    assert asked(local.tick()) == []
    assert local.partitions() == {"acme"}
    local.give_graph("tenant_acme")
    assert asked(local.tick()) == ["acme"]


def test_what_was_pushed_already_is_not_asked_for(local: Local) -> None:
    local.add("tenant_acme")
    local.instance.add_dynamic_partitions("tenants", ["acme"])
    local.instance.report_runless_asset_event(dg.AssetMaterialization(CHAIN.push_key, partition="acme"))
    assert asked(local.tick()) == []


def test_runs_need_not_be_asked_for(local: Local) -> None:
    local.options["request_runs"] = False
    local.add("tenant_acme")
    assert asked(local.tick()) == []
    assert local.partitions() == {"acme"}


def test_a_dataset_that_no_remote_takes_holds_up_no_other(local: Local) -> None:
    local.add("tenant_two words", "tenant_acme", "tenant_a...b")
    result = local.tick()
    assert asked(result) == ["acme"]
    assert local.partitions() == {"acme"}
    said = local.tick().skip_message
    assert "2 datasets cannot be partitions: Partition 'a...b'" in str(said)


# What vanishes


def vanish(local: Local, *, of: int, gone: int) -> None:
    names = [f"tenant_{number}" for number in range(of)]
    local.add(*names)
    local.tick()
    local.delete(*names[:gone])


def test_partitions_stay_by_default(local: Local) -> None:
    vanish(local, of=10, gone=1)
    said = local.tick().skip_message
    assert "1 partition has no local dataset any more (0): they stay." in str(said)
    assert len(local.partitions()) == 10


def test_a_partition_is_removed_where_that_was_said(local: Local) -> None:
    local.options["on_vanished"] = "remove"
    vanish(local, of=10, gone=2)
    local.tick()
    assert local.partitions() == {str(number) for number in range(2, 10)}


@pytest.mark.parametrize(("gone", "max_removed"), [(3, 0.2), (10, 0.2), (10, 1.0)])
def test_a_listing_that_suddenly_lacks_many_removes_none_and_says_so(
    local: Local, gone: int, max_removed: float
) -> None:
    local.options |= {"on_vanished": "remove", "max_removed": max_removed}
    vanish(local, of=10, gone=gone)
    said = local.tick().skip_message
    assert "none is removed" in str(said)
    assert len(local.partitions()) == 10


def test_a_listing_that_cannot_be_read_removes_none(local: Local) -> None:
    local.options |= {"on_vanished": "remove", "max_removed": 1.0}
    vanish(local, of=2, gone=1)
    local.store.database.unlink()
    with pytest.raises(LocalCogneeError, match="There is no Cognee store"):
        local.tick()
    assert len(local.partitions()) == 2


def test_a_vanished_dataset_fails_the_tick_but_not_the_new_ones(local: Local) -> None:
    local.options["on_vanished"] = "fail"
    vanish(local, of=2, gone=1)
    local.add("tenant_new")
    assert asked(local.tick()) == ["new"]
    with pytest.raises(DatasetNotFoundError, match=r"'tenant_\{partition\}': 1 partition has no local dataset any"):
        local.tick()


# What cannot be discovered


@pytest.mark.parametrize(
    "chain",
    [
        CogneeDataset(name="tenant"),
        CogneeDataset(name="tenant_{partition}", partitions_def=["acme"]),
        CogneeDataset(name="tenant_{partition}", partitions_def="tenants", graph="{partition}.graphml"),
        CogneeDataset(name="tenant_{partition}", partitions_def="tenants", user="{partition}@example.com"),
    ],
)
def test_a_chain_whose_datasets_cannot_be_listed_is_refused(chain: CogneeDataset) -> None:
    with pytest.raises(DatasetDefinitionError, match="cannot be discovered"):
        build_discovery_sensor(chain)


@pytest.mark.parametrize("options", [{"on_vanished": "forget"}, {"max_removed": 20}])
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DatasetDefinitionError, match=next(iter(options))):
        build_discovery_sensor(CHAIN, **options)


def test_a_store_that_only_cognee_can_list_is_said_to_be_one(local: Local) -> None:
    local.store._execute("DROP TABLE datasets")
    with pytest.raises(LocalCogneeError, match="cannot be listed without Cognee: the schema of"):
        local.tick()


@pytest.mark.parametrize(
    ("dataset_id", "name", "said"),
    [
        ("a" * 32, None, "The local dataset None with the id"),
        ("b" * 32, b"tenant_\xff", "its name is no text"),
        ("zz", "tenant_odd", "The local dataset 'tenant_odd' with the id 'zz' cannot be used"),
    ],
)
def test_a_row_that_is_no_dataset_is_named_in_the_tick_and_holds_up_no_other(
    local: Local, dataset_id: str, name: Any, said: str
) -> None:
    local.add("tenant_acme")
    local.store._execute(
        "INSERT INTO datasets(id, name, owner_id) VALUES (?, ?, ?)", dataset_id, name, local.store.default_user.hex
    )
    local.tick()  # asks for the run of the dataset that is one
    message = str(local.tick().skip_message)
    assert local.partitions() == {"acme"}
    assert "1 dataset cannot be a partition" in message
    assert said in message


@pytest.mark.parametrize("share", ["0.2", None, True, float("nan"), 1.1])
def test_a_share_that_is_none_is_refused(share: Any) -> None:
    with pytest.raises(DatasetDefinitionError, match="max_removed is"):
        build_discovery_sensor(CHAIN, max_removed=share)


def test_the_sensor_stands_beside_its_chain() -> None:
    defs = dg.Definitions.merge(build_definitions([CHAIN]), dg.Definitions(sensors=[build_discovery_sensor(CHAIN)]))
    dg.Definitions.validate_loadable(defs)
    (sensor,) = [it for it in defs.get_repository_def().sensor_defs if it.name == "discover_tenants"]
    assert sensor.job_name == "push_tenants"


@given(
    template=st.sampled_from(
        ["tenant_{partition}", "{partition}", "{partition}-x", "a{partition}b", "{partition}_{partition}"]
    ),
    key=st.text("ab_", min_size=1, max_size=5),
)
def test_the_key_is_found_in_what_it_makes(template: str, key: str) -> None:
    assert key_in(template, rendered(template, key)) == key


@given(
    template=st.sampled_from(["t_{partition}", "{partition}b", "{partition}_{partition}"]),
    text=st.text("tab_", max_size=6),
)
def test_a_key_that_is_found_makes_that_very_name(template: str, text: str) -> None:
    key = key_in(template, text)
    assert key is None or rendered(template, key) == text
