"""Settings are resolved as Cognee resolves them (Cognee 1.6.5, ``base_config.py`` and the database configurations)."""

import sys
from pathlib import Path

import pytest

from cognee_dagster.environment import cognee_environment
from cognee_dagster.errors import CogneeNotInstalledError, LocalCogneeError
from cognee_dagster.sources.cognee import config as settings
from cognee_dagster.sources.cognee.config import LocalCogneeConfig


def config(**environ: str) -> LocalCogneeConfig:
    return LocalCogneeConfig(environ=environ)


def test_roots_are_resolved_and_expanded(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert config(SYSTEM_ROOT_DIRECTORY=str(tmp_path / "link" / "system")).system_root == tmp_path.resolve() / "system"
    assert config(SYSTEM_ROOT_DIRECTORY="~/system").system_root == (Path.home() / "system").resolve()


@pytest.mark.parametrize("value", ["relative/system", "", "."])
def test_a_relative_root_is_refused_as_cognee_refuses_it(value: str) -> None:
    with pytest.raises(LocalCogneeError, match="SYSTEM_ROOT_DIRECTORY"):
        _ = config(SYSTEM_ROOT_DIRECTORY=value).system_root


def test_an_empty_root_is_not_an_unset_one_and_the_message_says_so() -> None:
    with pytest.raises(LocalCogneeError, match="unset it: to Cognee an empty variable is set"):
        _ = config(SYSTEM_ROOT_DIRECTORY="").system_root


def test_unset_roots_are_inside_the_cognee_package_of_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "cognee_package_of", lambda interpreter: tmp_path / interpreter)
    other = LocalCogneeConfig(environ={}, python="other")
    assert other.system_root == tmp_path / "other" / ".cognee_system"


def test_names_of_variables_are_found_whatever_their_case(tmp_path: Path) -> None:
    assert config(system_root_directory=str(tmp_path)).system_root == tmp_path.resolve()


def test_the_database_follows_db_path_and_db_name(tmp_path: Path) -> None:
    root = {"SYSTEM_ROOT_DIRECTORY": str(tmp_path)}
    assert config(**root).relational_database == tmp_path / "databases" / "cognee_db"
    assert config(**root, DB_PATH="", DB_NAME="other").relational_database == tmp_path / "databases" / "other"
    assert config(**root, DB_PATH="/elsewhere").relational_database == Path("/elsewhere/cognee_db")


def test_defaults_of_user_and_embedding_model_are_cognees() -> None:
    assert config().default_user_email == "default_user@example.com"
    assert config(DEFAULT_USER_EMAIL="me@example.com").default_user_email == "me@example.com"
    assert config().embedding_model == "openai/text-embedding-3-large"
    assert config(EMBEDDING_MODEL="local/model").embedding_model == "local/model"


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_access_control_that_is_on_is_the_default_layout(value: str) -> None:
    assert config(ENABLE_BACKEND_ACCESS_CONTROL=value).obstacle_to_direct_reading() is None
    assert config().obstacle_to_direct_reading() is None


def test_the_interpreter_is_the_argument_else_the_variable_else_this_one() -> None:
    assert LocalCogneeConfig(environ={"COGNEE_PYTHON": "/b"}, python="/a").interpreter == "/a"
    assert config(COGNEE_PYTHON="/b").interpreter == "/b"
    assert config(COGNEE_PYTHON=" ").interpreter == sys.executable


def test_an_interpreter_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CogneeNotInstalledError, match=r"no-python.*COGNEE_PYTHON"):
        _ = LocalCogneeConfig(environ={}, python=str(tmp_path / "no-python")).system_root


def test_an_interpreter_without_cognee_is_named(tmp_path: Path) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(CogneeNotInstalledError, match=r"not installed for .*bare-python"):
        _ = LocalCogneeConfig(environ={}, python=str(bare)).system_root


def test_a_dotenv_of_the_project_beats_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"SYSTEM_ROOT_DIRECTORY={tmp_path}/from_file\n")
    environ = cognee_environment({"SYSTEM_ROOT_DIRECTORY": "/from/shell"}, directory=tmp_path)
    assert LocalCogneeConfig(environ=environ).system_root == tmp_path / "from_file"


def test_the_environment_with_its_keys_is_not_in_the_repr() -> None:
    assert "sk-secret" not in repr(config(LLM_API_KEY="sk-secret"))
