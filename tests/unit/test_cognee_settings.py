"""Settings are found where Cognee would find them, and a wrong one is named with its file and line."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from cognee_dagster.environment import cognee_environment
from cognee_dagster.system.settings_source import CogneeSettings, first_problem, variable_of


class Example(CogneeSettings):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_", extra="forbid", hide_input_in_errors=True)

    port: int = 80
    name: str = "unset"
    key: SecretStr = Field(default=SecretStr(""), validation_alias="ANOTHER_KEY")


def test_the_file_that_cognee_would_load_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("EXAMPLE_PORT=81\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COGNEE_ENV_FILE", raising=False)
    monkeypatch.setenv("EXAMPLE_PORT", "82")
    monkeypatch.setenv("EXAMPLE_NAME", "of the environment")
    assert (Example().port, Example.read().port, Example().name) == (81, 81, "of the environment")


def test_an_argument_goes_before_both_and_given_variables_go_instead_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PORT", "82")
    assert Example(port=83).port == 83
    settings = Example.read({"EXAMPLE_NAME": " x ", "ANOTHER_KEY": "k"})
    assert (settings.port, settings.name, settings.key.get_secret_value()) == (80, "x", "k")


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_counts_as_unset(empty: str) -> None:
    assert Example.read({"EXAMPLE_PORT": empty, "EXAMPLE_NAME": empty}) == Example.read({})


def test_a_wrong_variable_is_named_with_its_file_and_line_and_without_its_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ports\nEXAMPLE_PORT=secret\n")
    environ = cognee_environment({}, directory=tmp_path)
    with pytest.raises(ValidationError) as caught:
        Example.read(environ)
    problem = first_problem(caught.value, Example, environ)
    assert problem.startswith(f"EXAMPLE_PORT ({tmp_path / '.env'}, line 2): ")
    assert "secret" not in problem
    assert variable_of(Example, "key") == "ANOTHER_KEY"
