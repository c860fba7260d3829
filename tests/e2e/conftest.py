"""What several end-to-end tests start."""

import importlib.util
import os
import shutil
from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer, postgres_binaries


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser: skipped without one on a developer's machine, failed in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "needs Chromium: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server: skipped without one on a developer's machine, failed in CI."""
    binaries = postgres_binaries()
    reason = None
    if binaries is None:
        reason = "needs a PostgreSQL server: apt-get install postgresql"
    elif importlib.util.find_spec("dagster_postgres") is None:
        reason = "needs dagster-postgres: pip install -e '.[integration]'"
    if binaries is None or reason is not None:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    with PostgresServer(binaries) as server:
        yield server
