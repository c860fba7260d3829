"""What several end-to-end tests start."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.dagster_project import program
from tests.postgres import PostgresServer, postgres_binaries
from tests.redis_server import redis_program


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser: skipped without one on a developer's machine, failed in CI."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        _missing("needs Chromium: apt-get install chromium")
    return found[0]


@pytest.fixture(scope="session")
def dg_command() -> None:
    """Dagster's ``dg``: skipped without it on a developer's machine, failed in CI."""
    if not program("dg").exists():
        _missing("needs dg: pip install -e '.[dg]'")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server: skipped without one on a developer's machine, failed in CI."""
    binaries = postgres_binaries()
    if binaries is None:
        _missing("needs a PostgreSQL server: apt-get install postgresql")
    if importlib.util.find_spec("dagster_postgres") is None:
        _missing("needs dagster-postgres: pip install -e '.[integration]'")
    with PostgresServer(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> str:
    """The program of a Redis server, with Celery's packages: skipped without on a developer's machine, failed in CI."""
    found = redis_program()
    if found is None:
        _missing("needs a Redis server: apt-get install redis-server")
    if importlib.util.find_spec("dagster_celery") is None:
        _missing("needs dagster-celery: pip install -e '.[integration]'")
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    """What Dagster's configuration says of its storage; nothing for the default."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return f"storage: {{postgres: {{postgres_url: {server.new_database()}}}}}\n"
