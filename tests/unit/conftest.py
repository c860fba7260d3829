"""What many unit tests begin with."""

from collections.abc import Iterator

import pytest

from cognee_dagster.testing import FakeRemote


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    """A remote without a dataset, for one test."""
    with FakeRemote() as fake:
        yield fake


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests beside each other, such as xdist's workers, would wait for each other's locks in one home."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield
