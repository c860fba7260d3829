"""What many unit tests begin with."""

from collections.abc import Iterator

import pytest

from cognee_dagster.testing import FakeRemote


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    """A remote without a dataset, for one test."""
    with FakeRemote() as fake:
        yield fake
