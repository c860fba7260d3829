"""``CogneeDataset``: what a user says about a dataset works as said, or is refused with the reason."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.store.names import safe_segment

ODD_NAMES = [
    "team/graphs",
    "v1.2",
    "my data",
    "知識グラフ",
    "x" * 300,
    "../../etc/passwd",
    "..",
    "a=b&c",
    '{"a": 1}',
    'key:"*"',
]


def test_keys_are_prefix_dataset_and_step() -> None:
    dataset = CogneeDataset(name="onboarding", key_prefix=["team", "graphs"])
    assert dataset.graph_key == dg.AssetKey(["team", "graphs", "onboarding", "cognified_graph"])
    assert dataset.archive_key == dg.AssetKey(["team", "graphs", "onboarding", "cogx_archive"])
    assert dataset.push_key == dg.AssetKey(["team", "graphs", "onboarding", "remote_push"])
    assert dataset.remote_graph_key == dg.AssetKey(["team", "graphs", "onboarding", "remote_graph"])


def test_a_prefix_may_be_one_text_with_several_segments() -> None:
    assert CogneeDataset(name="x", key_prefix="team/graphs").push_key.path == ["team", "graphs", "x", "remote_push"]


def test_a_uuid_is_a_name() -> None:
    dataset_id = UUID("7a0b0d7e-1111-4222-8333-444444444444")
    assert CogneeDataset(name=dataset_id).push_key.path == [str(dataset_id), "remote_push"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_gets_a_key_that_dagster_takes(name: str) -> None:
    dataset = CogneeDataset(name=name, target_dataset="plain")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,63}", dataset.segment)

    @dg.asset(key=dataset.push_key, group_name=dataset.group, tags=dataset.all_tags)
    def pushed() -> None: ...

    dg.Definitions.validate_loadable(dg.Definitions(assets=[pushed]))


def test_odd_names_that_look_alike_get_different_keys() -> None:
    names = [*ODD_NAMES, "my data", "my.data", "my_data", "my/data", "y" * 299, "y" * 300]
    assert len({safe_segment(name) for name in names}) == len(set(names))


@given(st.text(min_size=1))
def test_any_name_is_a_safe_segment_or_refused(name: str) -> None:
    try:
        segment = CogneeDataset(name=name, target_dataset="plain").segment
    except DatasetDefinitionError as error:
        assert "name=" in str(error)  # noqa: PT017
    else:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,63}", segment)


@pytest.mark.parametrize("name", ["v1.2", "my data", "..", "知識 グラフ"])
def test_a_name_that_a_remote_refuses_needs_a_target_dataset(name: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=rf"name={re.escape(repr(name))} .*Set target_dataset to another"):
        CogneeDataset(name=name)
    assert CogneeDataset(name=name, target_dataset="plain").name == name


def test_a_uuid_needs_no_target_dataset() -> None:
    """What the dataset of that id is called is only known to the local Cognee."""
    assert CogneeDataset(name=UUID(int=1)).target_dataset is None


def test_equal_names_under_different_prefixes_are_in_different_groups() -> None:
    one, two, three = (CogneeDataset(name="my-graph", key_prefix=prefix) for prefix in ((), "team/eu", "team/us"))
    assert (one.group, two.group, three.group) == ("my_graph", "team__eu__my_graph", "team__us__my_graph")
    assert CogneeDataset(name="x", key_prefix="team", group_name="graphs").group == "graphs"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "must be a dataset's name"),
        ("name", "   ", "must be a dataset's name"),
        ("name", " x", "white space"),
        ("name", "a\nb", "line break"),
        ("name", "a\x00b", "cannot be printed"),
        ("name", 7, "must be a dataset's name"),
        ("documents", "docs/*.md", "list of strings"),
        ("documents", [""], "not be empty|not empty"),
        ("graph", 7, "AssetKey or the path"),
        ("graph", " ", "AssetKey or the path"),
        ("target_dataset", "my data", "space or a dot"),
        ("target_dataset", "", "empty"),
        ("mode", "merge", "preserve, hybrid, re-derive"),
        ("key_prefix", "a b", "letters, digits"),
        ("key_prefix", ["a/b"], "letters, digits"),
        ("key_prefix", ["x" * 64], "63"),
        ("key_prefix", "a//b", "not empty"),
        ("group_name", "a-b", "not a valid"),
        ("owners", ["somebody"], "email address or a team"),
        ("tags", {"a b": "c"}, "tag key"),
        ("tags", {"a": "c d"}, "tag value"),
        ("tags", ["a"], "mapping"),
        (
            "cron_schedule",
            "every day",
            "cannot be used: it is no cron expression that Dagster takes: write five fields",
        ),
        ("cron_schedule", "0 3 * *", "cannot be used: it is no cron expression"),
        ("execution_timezone", "Mars/Olympus", "no cron_schedule"),
        ("user", " ", "e-mail"),
        ("repush_attempts", True, "0 to 20"),
        ("repush_attempts", -1, "0 to 20"),
        ("max_archive_bytes", 0, "1 or more"),
        ("max_file_bytes", True, "1 or more"),
        ("repush_in_background", "no", "true or false"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_dataset_and_field(field: str, value: Any, reason: str) -> None:
    arguments: dict[str, Any] = {"name": "handbook", field: value}
    with pytest.raises(DatasetDefinitionError, match=rf"CogneeDataset .*: {field}=.*({reason})"):
        CogneeDataset(**arguments)


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    refused = "'x': execution_timezone='Mars/Olympus' cannot be used: there is no time zone of that name"
    with pytest.raises(DatasetDefinitionError, match=refused):
        CogneeDataset(name="x", cron_schedule="0 3 * * *", execution_timezone="Mars/Olympus")


@pytest.mark.parametrize(
    "arguments",
    [
        {"documents": ["*.md"], "graph": "x.graphml"},
        {"graph": "x.graphml", "name": UUID(int=1)},
    ],
)
def test_sources_that_exclude_each_other_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(DatasetDefinitionError):
        CogneeDataset(**{"name": "handbook", **arguments})


def test_the_code_version_changes_with_the_fields_that_matter() -> None:
    one = CogneeDataset(name="x", graph=Path("a.graphml"))
    assert one.code_version("graph") == CogneeDataset(name="x", graph=Path("a.graphml")).code_version("graph")
    assert one.code_version("graph") != CogneeDataset(name="x", graph=Path("b.graphml")).code_version("graph")


def test_changing_the_list_that_was_given_changes_nothing() -> None:
    owners = ["team:data"]
    dataset = CogneeDataset(name="x", owners=owners)
    owners.append("broken")
    assert dataset.owners == ("team:data",)
