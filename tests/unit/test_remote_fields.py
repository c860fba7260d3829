"""A remote's address and key, as they are refused and as messages call them: by the remote's key and the variable."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_definitions
from cognee_dagster.errors import ConnectionConfigError, DatasetDefinitionError
from cognee_dagster.remote.connection import Connection

KEY = "marker-key-5f1c"
NO_URL = {
    " ": r"is (empty|blank)",
    "foo": "has no https:// or http:// in front",
    "localhost:8000": "has no https:// or http:// in front",
    "${PRODUCTION_URL}": "has a placeholder in it",
    "{{ env.PRODUCTION_URL }}": "has a placeholder in it",
    "https://example.com#a": "give the server's base address only",
}
VARIABLE: Any = dg.EnvVar


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PRODUCTION_URL", "https://cognee.example.com")
    monkeypatch.setenv("PRODUCTION_KEY", KEY)
    return monkeypatch


def used_as(key: str, remote: CogneeRemote) -> Connection:
    """The connection that a step gets whose remote has this key."""
    found: list[Connection] = []

    @dg.asset(required_resource_keys={key})
    def step(context: dg.AssetExecutionContext) -> None:
        found.append(getattr(context.resources, key).connection())

    try:
        dg.materialize([step], resources={key: remote})
    except dg.DagsterResourceFunctionError as error:
        raise error.__cause__ or error from None
    return found[0]


@pytest.mark.parametrize(("url", "problem"), NO_URL.items())
def test_what_is_no_address_is_refused_at_load_with_the_remotes_key_and_the_field(url: str, problem: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"^The url of the remote 'production' .*{problem}"):
        build_definitions([CogneeDataset(name="a", remote="production")], remotes={"production": CogneeRemote(url=url)})
    with pytest.raises(DatasetDefinitionError, match=f"^The url of the remote 'cognee_remote' .*{problem}"):
        build_definitions([CogneeDataset(name="a")], remote=CogneeRemote(url=url))


@pytest.mark.parametrize("key", ["production", "cognee_remote"])
@pytest.mark.parametrize(("url", "problem"), NO_URL.items())
def test_what_a_variable_holds_is_refused_before_the_step(
    url: str, problem: str, key: str, variables: pytest.MonkeyPatch
) -> None:
    remote = CogneeRemote(url=VARIABLE("PRODUCTION_URL"))
    build_definitions([CogneeDataset(name="a", remote=key)], remotes={key: remote})  # whose value nobody knows yet
    variables.setenv("PRODUCTION_URL", url)
    with pytest.raises(ConnectionConfigError, match=rf"^The url of the remote '{key}' \(PRODUCTION_URL\) .*{problem}"):
        used_as(key, remote)


@pytest.mark.parametrize("field", ["url", "api_key"])
def test_an_empty_variable_of_a_named_remote_is_not_made_good_by_cognees_settings(
    field: str, variables: pytest.MonkeyPatch
) -> None:
    variables.setenv("COGNEE_SERVICE_URL", "https://other.example.com")
    variables.setenv("COGNEE_API_KEY", "other-key")
    variables.setenv("EMPTY", "")
    given: dict[str, Any] = {"url": "https://a.example.com", "api_key": KEY, field: VARIABLE("EMPTY")}
    with pytest.raises(ConnectionConfigError, match=rf"^The {field} of the remote 'production' \(EMPTY\) is empty"):
        used_as("production", CogneeRemote(**given))
    assert used_as("cognee_remote", CogneeRemote(url=VARIABLE("EMPTY"))).url == "https://other.example.com"


def test_messages_call_the_url_and_the_key_by_the_remotes_key_and_the_variable() -> None:
    of_variables = used_as(
        "production", CogneeRemote(url=VARIABLE("PRODUCTION_URL"), api_key=VARIABLE("PRODUCTION_KEY"))
    )
    assert of_variables.source == "PRODUCTION_URL, the url of the remote 'production'"
    assert of_variables.key_source == "PRODUCTION_KEY, the api_key of the remote 'production'"
    written = used_as("staging", CogneeRemote(url="https://a.example.com", api_key=KEY))
    assert (written.source, written.key_source) == (
        "the url of the remote 'staging'",
        "the api_key of the remote 'staging'",
    )


def test_a_sensor_knows_the_remotes_key_too() -> None:
    remote = CogneeRemote(url=VARIABLE("PRODUCTION_URL"), api_key=KEY)
    with dg.build_sensor_context(resources={"production": remote}) as context:
        source = context.resources.production.connection().source
    assert source == "PRODUCTION_URL, the url of the remote 'production'"


def test_a_remote_that_dagster_has_not_bound_has_no_key_to_be_called_by() -> None:
    remote = CogneeRemote(url="https://a.example.com", api_key=KEY)
    assert remote.connection().source == "arguments"
    with remote.process_config_and_initialize_cm() as used:
        assert used.connection().source == "arguments"


def test_what_a_launch_says_instead_is_not_said_to_be_the_variables() -> None:
    remote = CogneeRemote(url=VARIABLE("PRODUCTION_URL"), api_key=KEY)
    sources: list[str] = []

    @dg.asset
    def step(production: CogneeRemote) -> None:
        sources.append(production.connection().source)

    config = {"resources": {"production": {"config": {"url": "https://b.example.com"}}}}
    dg.materialize([step], resources={"production": remote}, run_config=config)
    assert sources == ["the url of the remote 'production'"]


def test_a_push_to_a_remote_that_does_not_answer_names_it(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"nodes": [{"id": "a"}], "links": []}')
    closed = CogneeRemote(url="http://127.0.0.1:9", api_key=KEY, max_attempts=1)
    dataset = CogneeDataset(
        name="a", graph=str(tmp_path / "g.json"), remote="production", retry_policy=dg.RetryPolicy(max_retries=0)
    )
    archives = CogxArchiveIOManager(base_directory=str(tmp_path / "archives"))
    defs = build_definitions([dataset], remotes={"production": closed}, archives=archives)
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = defs.resolve_job_def("push_all_datasets").execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure and "push" in str(event.step_key)]
    said = str(failure.step_failure_data.error)
    assert re.search(r"127\.0\.0\.1:9 \(from the url of the remote 'production'\) gives no answer", said)
