"""The resources: found where Cognee would look, and silent about their secrets."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeRemote, CogxArchiveIOManager, LocalCognee
from cognee_dagster.dagster.component.demo import SandboxRemote
from cognee_dagster.errors import CogneeDagsterError, NoConnectionError

KEY = "marker-key-5f1c"


@pytest.fixture
def cognee_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No ``.env``, no saved credentials, no variables but those that the test sets."""
    (tmp_path / "empty.env").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("COGNEE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COGNEE_ENV_FILE", str(tmp_path / "empty.env"))
    return monkeypatch


def test_the_fields_go_before_the_environment(cognee_variables: pytest.MonkeyPatch) -> None:
    cognee_variables.setenv("COGNEE_SERVICE_URL", "https://environment.example.com")
    cognee_variables.setenv("COGNEE_API_KEY", "environment-key")
    connection = CogneeRemote(url="https://field.example.com/", api_key=KEY).connection()
    assert (connection.url, connection.source) == ("https://field.example.com", "arguments")
    assert connection.api_key.get_secret_value() == KEY


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_fields_leave_it_to_the_environment(cognee_variables: pytest.MonkeyPatch, empty: str | None) -> None:
    cognee_variables.setenv("COGNEE_SERVICE_URL", "https://environment.example.com")
    cognee_variables.setenv("COGNEE_API_KEY", KEY)
    connection = CogneeRemote(url=empty, api_key=empty).connection()
    assert (connection.url, connection.source) == ("https://environment.example.com", "environment")


@pytest.mark.usefixtures("cognee_variables")
def test_no_remote_at_all_says_so() -> None:
    with pytest.raises(NoConnectionError):
        CogneeRemote().connection()


def test_plain_http_to_another_machine_needs_to_be_allowed(cognee_variables: pytest.MonkeyPatch) -> None:
    remote = CogneeRemote(url="http://cognee.example.com", api_key=KEY)
    with pytest.raises(CogneeDagsterError, match="plain http"):
        remote.connection()
    allowed = CogneeRemote(url="http://cognee.example.com", api_key=KEY, allow_plain_http=True)
    assert allowed.connection().url == "http://cognee.example.com"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_attempts", 0),
        ("read_timeout", -1),
        ("read_timeout", float("nan")),
        ("connect_timeout", 0),
        ("max_retry_wait", -0.5),
        ("detach_timeout", -1),
        ("background_strategy", "zzz"),
    ],
)
def test_a_value_that_cannot_work_is_refused_where_it_is_given(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}\n.*it must be"):
        CogneeRemote(**{option: value})


def test_what_a_variable_will_say_is_not_judged_before(cognee_variables: pytest.MonkeyPatch) -> None:
    variable: Any = dg.EnvVar
    remote = CogneeRemote(
        url=variable("URL"), max_attempts=variable.int("ATTEMPTS"), background_strategy=variable("STRATEGY")
    )
    for name, value in {"URL": "https://x.example.com", "ATTEMPTS": "3", "STRATEGY": "detached"}.items():
        cognee_variables.setenv(name, value)
    with dg.build_resources({"remote": remote}) as found:
        assert (found.remote.max_attempts, found.remote.url) == (3, "https://x.example.com")


@pytest.mark.parametrize("url", [f"https://someone:{KEY}@x.example.com", f"https://x.example.com?token={KEY}"])
def test_a_url_that_holds_a_secret_is_refused_and_not_repeated(url: str) -> None:
    for make in (lambda: CogneeRemote(url=url), lambda: CogxArchiveIOManager(base_directory=url)):
        with pytest.raises(ValueError, match="which Dagster's snapshots would keep") as refusal:
            make()
        assert KEY not in str(refusal.value)


def test_the_limits_reach_the_client(cognee_variables: pytest.MonkeyPatch) -> None:
    remote = CogneeRemote(
        url="https://x.example.com",
        api_key=KEY,
        connect_timeout=1.5,
        read_timeout=2.5,
        max_attempts=7,
        max_retry_wait=9,
    )
    with remote.client() as client:
        assert (client.timeouts.connect, client.timeouts.read) == (1.5, 2.5)
        assert (client.retry.attempts, client.retry.max_wait) == (7, 9)


@pytest.mark.parametrize(
    "resource",
    [
        CogneeRemote(url="https://x.example.com", api_key=KEY),
        LocalCognee(environment={"LLM_API_KEY": KEY}),
    ],
)
def test_a_secret_is_not_in_repr_or_str(resource: dg.ConfigurableResource[object]) -> None:
    assert KEY not in repr(resource) + str(resource)


@pytest.mark.parametrize(
    "resources",
    [
        {"cognee_remote": CogneeRemote(url="https://x.example.com", api_key=KEY), "local_cognee": LocalCognee()},
        {"cognee_remote": CogneeRemote(), "local_cognee": LocalCognee(environment={"LLM_API_KEY": KEY})},
    ],
)
def test_a_secret_is_not_in_the_schema_that_the_ui_and_a_runs_snapshot_show(resources: dict[str, Any]) -> None:
    @dg.asset(required_resource_keys={"cognee_remote", "local_cognee"})
    def needs_both() -> None: ...

    definitions = dg.Definitions(assets=[needs_both], resources=resources)
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(job)
        snapshot = dg.serialize_value(instance.get_job_snapshot(str(run.job_snapshot_id)))
    assert "connect_timeout" in snapshot
    assert KEY not in snapshot
    for field in ("api_key", "environment"):
        assert f'"{field}"' not in snapshot


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [(CogneeRemote, {"api_key": [KEY]}), (LocalCognee, {"environment": {"LLM_API_KEY": [KEY]}})],
)
def test_a_secret_of_the_wrong_kind_is_refused_without_being_quoted(resource: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"EnvVar") as refusal:
        resource(**arguments)
    assert KEY not in str(refusal.value)


@pytest.mark.usefixtures("cognee_variables")
def test_an_env_var_that_is_not_set_is_named() -> None:
    with pytest.raises(CogneeDagsterError, match=r"CogneeRemote\.api_key is dg\.EnvVar\('MARKER'\).*not set"):
        CogneeRemote(url="https://x.example.com", api_key=dg.EnvVar("MARKER")).connection()
    with pytest.raises(CogneeDagsterError, match=r"environment\['LLM_API_KEY'\] is dg\.EnvVar\('MARKER'\)"):
        LocalCognee(environment={"LLM_API_KEY": dg.EnvVar("MARKER")}).config()


def test_an_env_var_is_resolved_when_the_run_starts(cognee_variables: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    @dg.asset
    def ask(cognee_remote: CogneeRemote, local_cognee: LocalCognee) -> None:
        seen.append(cognee_remote.connection().api_key.get_secret_value())
        seen.append(local_cognee.config().environ["LLM_API_KEY"])

    resources = {
        "cognee_remote": CogneeRemote(url="https://x.example.com", api_key=dg.EnvVar("MARKER")),
        "local_cognee": LocalCognee(environment={"LLM_API_KEY": dg.EnvVar("MARKER")}),
    }
    cognee_variables.setenv("MARKER", KEY)
    dg.materialize([ask], resources=resources)
    assert seen == [KEY, KEY]


def test_the_local_cognee_sees_fields_before_extra_settings_before_the_environment(
    cognee_variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cognee_variables.setenv("DATA_ROOT_DIRECTORY", "/from/environment")
    cognee_variables.setenv("SYSTEM_ROOT_DIRECTORY", "/from/environment")
    local = LocalCognee(
        system_root_directory=str(tmp_path / "system"),
        environment={"DATA_ROOT_DIRECTORY": "/from/extra", "SYSTEM_ROOT_DIRECTORY": "/from/extra"},
    )
    environ: Mapping[str, str] = local.config().environ
    assert environ["SYSTEM_ROOT_DIRECTORY"] == str(tmp_path / "system")
    assert environ["DATA_ROOT_DIRECTORY"] == "/from/extra"


def test_a_datasets_own_user_goes_before_the_resources() -> None:
    local = LocalCognee(user="team@example.com")
    assert local.user_for("me@example.com") == "me@example.com"
    assert local.user_for(None) == "team@example.com"
    assert LocalCognee().user_for(None) is None


def test_a_secret_is_not_listed_as_a_resource_and_reaches_whoever_uses_it(cognee_variables: pytest.MonkeyPatch) -> None:
    remote = CogneeRemote(url="https://x.example.com", api_key=KEY)
    local = LocalCognee(environment={"LLM_API_KEY": KEY})
    for resource in (remote, local):
        assert resource.get_resource_definition().nested_resources == {}
    with dg.build_resources({"remote": remote, "local": local}) as found:
        assert found.remote.connection().api_key.get_secret_value() == KEY
        assert found.local.config().environ["LLM_API_KEY"] == KEY
    with remote.process_config_and_initialize_cm() as used:
        assert used.connection().api_key.get_secret_value() == KEY


def shown(remote: CogneeRemote) -> str:
    """What Dagster's page of the resource says of it."""
    return str(remote.get_resource_definition().description)


def test_the_page_of_a_remote_that_is_found_elsewhere_says_which_it_is_and_where_from_but_not_the_key(
    cognee_variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "In use when this code location was loaded: none. No Cognee Cloud connection configured" in shown(
        CogneeRemote()
    )
    saved = tmp_path / ".cognee" / "cloud_credentials.json"
    saved.parent.mkdir()
    saved.write_text(json.dumps({"service_url": "https://saved.example.com", "api_key": KEY}))
    saved.chmod(0o600)
    assert (
        "loaded: https://saved.example.com, from the credentials that `cognee-cli serve` saved, with the key"
        in shown(CogneeRemote(url=""))
    )
    cognee_variables.setenv("COGNEE_SERVICE_URL", "https://x.example.com")
    assert "loaded: https://x.example.com, from the environment of Dagster's process, with no key." in shown(
        CogneeRemote()
    )
    (tmp_path / "empty.env").write_text(f"\nCOGNEE_API_KEY={KEY}\nCOGNEE_SERVICE_URL=https://file.example.com\n")
    of_file = shown(CogneeRemote())
    assert f"https://file.example.com, from {tmp_path}/empty.env, line 3, which overrides the environment" in of_file
    assert f"with the key from {tmp_path}/empty.env, line 2." in of_file
    with_own = shown(CogneeRemote(api_key=KEY))
    assert "with the key from its api_key." in with_own
    assert KEY not in of_file + with_own
    assert shown(CogneeRemote(url="https://y.example.com")) == CogneeRemote.__doc__
    cognee_variables.setenv("COGNEE_ENV_FILE", "nowhere")
    assert "loaded: none. COGNEE_ENV_FILE=nowhere does not name a file." in shown(CogneeRemote())


def test_a_sandbox_is_not_started_to_say_where_it_is() -> None:
    assert shown(SandboxRemote(directory="nowhere")) == SandboxRemote.__doc__
