"""Fixtures for the tests of your project: ``pytest_plugins = ["cognee_dagster.testing.plugin"]``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cognee_dagster.environment import ENV_FILE_VARIABLE
from cognee_dagster.testing.fake_remote import FakeRemote

if TYPE_CHECKING:
    from cognee_dagster.dagster.resources import CogneeRemote


@pytest.fixture
def fake_remote() -> Iterator[FakeRemote]:
    """A running fake Cognee server, empty, for this test alone."""
    with FakeRemote() as remote:
        yield remote


@pytest.fixture
def cognee_remote(fake_remote: FakeRemote) -> "CogneeRemote":
    """A ``CogneeRemote`` resource that points at the fake server."""
    return fake_remote.resource()


@pytest.fixture
def fake_remote_environment(fake_remote: FakeRemote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRemote:
    """The fake server, found by everything that looks for the remote in the environment; no ``.env`` is read."""
    no_settings = tmp_path / "no-settings.env"
    no_settings.touch()
    for name, value in {**fake_remote.environ, ENV_FILE_VARIABLE: str(no_settings)}.items():
        monkeypatch.setenv(name, value)
    return fake_remote
