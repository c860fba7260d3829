"""What a gateway or a failing server says of the dataset before an upload costs no document its id."""

from pathlib import Path

import pytest

from cognee_dagster.errors import RemoteError
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, Fault, answer, html
from tests.pushes import HASTY, client_of, demo_archive, push_archive


@pytest.fixture
def documents(remote: FakeRemote, tmp_path: Path) -> set[str]:
    """The ids of those that a push has brought."""
    push(remote, tmp_path)
    return set(remote.documents("demo"))


def push(remote: FakeRemote, directory: Path) -> str:
    with client_of(remote.url, remote.api_key) as client:
        return push_archive(demo_archive(directory), client=client, settings=HASTY).status


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("odd", [html(), answer(403, "no"), answer(404, "{}")], ids=["page", "403", "404"])
def test_one_odd_answer_doubles_none(
    remote: FakeRemote, tmp_path: Path, documents: set[str], method: str, odd: Fault
) -> None:
    remote.faults.on(DATASETS, odd, method=method)
    assert push(remote, tmp_path) == "completed"
    assert set(remote.documents("demo")) == documents


def test_nothing_is_sent_where_the_server_fails(remote: FakeRemote, tmp_path: Path, documents: set[str]) -> None:
    remote.faults.on(DATASETS, *[answer(500, "x")] * 50)
    with pytest.raises(RemoteError, match="answers 500"):
        push(remote, tmp_path)
    assert len(remote.uploads) == 1


@pytest.mark.parametrize("odd", [answer(403, "no"), answer(500, "x")], ids=["403", "500"])
def test_a_dataset_that_is_listed_need_not_be_made(
    remote: FakeRemote, tmp_path: Path, documents: set[str], odd: Fault
) -> None:
    remote.faults.on(DATASETS, *[odd] * 50, method="POST")
    assert push(remote, tmp_path) == "completed"
    assert set(remote.documents("demo")) == documents
