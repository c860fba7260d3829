"""The settings of the root code location: read as meant, or refused by name."""

import json

import pytest

from cognee_dagster.dagster.code_location import CodeLocationSettings
from cognee_dagster.errors import DatasetDefinitionError


def read(**variables: str) -> CodeLocationSettings:
    return CodeLocationSettings.read({f"COGNEE_DAGSTER_{name}": value for name, value in variables.items()})


def test_with_nothing_set_there_is_cognees_default_dataset() -> None:
    (dataset,) = read().cognee_datasets()
    assert dataset.name == "main_dataset"
    assert dataset.push_key.path == ["main_dataset", "remote_push"]


def test_datasets_may_be_names_with_commas() -> None:
    assert [dataset.name for dataset in read(DATASETS="demo, handbook ,").cognee_datasets()] == ["demo", "handbook"]


def test_datasets_may_be_json_of_names_and_objects() -> None:
    text = json.dumps(["demo", {"name": "handbook", "documents": ["docs/*.md"], "run_in_background": True}])
    demo, handbook = read(DATASETS=text).cognee_datasets()
    assert not demo.run_in_background
    assert handbook.documents == ("docs/*.md",)
    assert handbook.run_in_background


def test_a_datasets_own_word_goes_before_the_default() -> None:
    text = json.dumps(["demo", {"name": "handbook", "run_in_background": False, "key_prefix": "other"}])
    demo, handbook = read(DATASETS=text, RUN_IN_BACKGROUND="true", KEY_PREFIX="team/graphs").cognee_datasets()
    assert demo.run_in_background
    assert demo.push_key.path == ["team", "graphs", "demo", "remote_push"]
    assert not handbook.run_in_background
    assert handbook.push_key.path == ["other", "handbook", "remote_push"]


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read(DATASETS="", ARCHIVES=" ") == read()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DATASETS": "["}, r"COGNEE_DAGSTER_DATASETS is not valid JSON"),
        ({"DATASETS": "[7]"}, r"COGNEE_DAGSTER_DATASETS\[0\] must be"),
        ({"DATASETS": "[{}]"}, r"COGNEE_DAGSTER_DATASETS\[0\] has no name"),
        ({"DATASETS": '["a", {"name": "b", "mod": "x"}]'}, r"COGNEE_DAGSTER_DATASETS\[1\]: .*'mod'. Did you mean mode"),
        ({"DATASETS": '[{"name": "b", "mode": "x"}]'}, r"COGNEE_DAGSTER_DATASETS\[0\]: CogneeDataset 'b': mode='x'"),
        ({"DATASETS": '[{"name": "b", "tags": 1}]'}, r"COGNEE_DAGSTER_DATASETS\[0\]: CogneeDataset 'b': tags=1"),
        ({"DATASETS": '[{"name": "b", "cron_schedule": 5}]'}, r"CogneeDataset 'b': cron_schedule=5"),
        ({"DATASETS": '[{"name": "b", "run_in_background": "maybe"}]'}, r"'b': run_in_background='maybe'"),
        ({"RUN_IN_BACKGROUND": "maybe"}, r"COGNEE_DAGSTER_RUN_IN_BACKGROUND"),
        ({"DATASET": "demo"}, r"no setting COGNEE_DAGSTER_DATASET\. Did you mean COGNEE_DAGSTER_DATASETS\? Settings"),
    ],
)
def test_a_broken_setting_is_refused_by_name(variables: dict[str, str], message: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=message):
        read(**variables).cognee_datasets()


def test_the_remotes_own_settings_are_no_strangers() -> None:
    assert read(CA_BUNDLE="/etc/ssl/ca.pem", ALLOW_PLAIN_HTTP="true") == read()
