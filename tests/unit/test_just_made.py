"""A push into a dataset that another request is just making, to which its own owner has no rights yet."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import RemotePermissionError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.delivery import just_made
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.cogx_graphs import ID_A, MemoryReader, demo_reader
from tests.pushes import HASTY, client_of, push_archive

DATASETS = "/api/v1/datasets"


def without_documents() -> MemoryReader:
    return MemoryReader([(ID_A, "Ada", "Entity", "{}")])


def push(
    remote: FakeRemote, directory: Path, *, reader: Callable[[], MemoryReader] = without_documents, **options: Any
) -> PushResult:
    archive = write_archive(reader(), directory / "demo.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client:
        return push_archive(archive, client=client, target_dataset="demo", settings=HASTY, **options)


@contextmanager
def just_being_made(remote: FakeRemote, *, rights_when: Callable[[], bool]) -> Iterator[None]:
    """Somebody else makes the dataset: it is there, and its owner has no rights to it before a moment comes."""
    is_over, tick = threading.Event(), threading.Event()

    def wait_for_rights() -> None:
        while not rights_when() and not is_over.wait(0.01):
            pass

    def make() -> None:
        remote.state.ensure_dataset("demo", remote.admin, before_rights=wait_for_rights)

    somebody = threading.Thread(target=make, daemon=True)
    somebody.start()
    while remote.state.dataset_named("demo", remote.admin) is None:
        tick.wait(0.01)
    try:
        yield
    finally:
        is_over.set()
        somebody.join(10)


def looked_again(remote: FakeRemote) -> bool:
    """Whether the datasets were listed before the push, and after it was refused."""
    return sum((request.method, request.path) == ("GET", DATASETS) for request in remote.requests) > 1


def test_what_was_refused_is_sent_once_more_when_the_owner_has_his_rights(remote: FakeRemote, tmp_path: Path) -> None:
    with just_being_made(remote, rights_when=lambda: looked_again(remote)):
        assert push(remote, tmp_path).status == "completed"
    assert len(remote.uploads) == 2
    assert set(remote.graph("demo").nodes) == {ID_A}


@pytest.mark.parametrize(
    "options", [{"reader": demo_reader}, {"run_in_background": True}], ids=["its documents", "its runs"]
)
def test_so_is_what_cannot_be_looked_at_before_the_upload(
    remote: FakeRemote, tmp_path: Path, options: dict[str, Any]
) -> None:
    with just_being_made(remote, rights_when=lambda: looked_again(remote)):
        push(remote, tmp_path, **options)
    assert len(remote.uploads) == 1


def test_an_owner_who_gets_no_rights_is_refused(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(just_made, "_RIGHTS_WITHIN_SECONDS", 0.2)
    with (
        just_being_made(remote, rights_when=lambda: False),
        pytest.raises(RemotePermissionError, match="has no right to this") as refused,
    ):
        push(remote, tmp_path)
    assert not refused.value.retryable
    assert len(remote.uploads) == 1


def test_a_refusal_that_stays_is_asked_for_once_more_and_no_further(remote: FakeRemote, tmp_path: Path) -> None:
    remote.faults.always(UPLOADS, answer(403))
    with pytest.raises(RemotePermissionError):
        push(remote, tmp_path)
    assert len(remote.uploads) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_dataset_that_was_there_before_is_refused_at_once(remote: FakeRemote, tmp_path: Path, status: int) -> None:
    remote.state.ensure_dataset("demo", remote.admin).created_at = "2026-01-01T00:00:00.000000"
    remote.faults.always(UPLOADS, answer(status))
    with pytest.raises(Exception, match=str(status)):
        push(remote, tmp_path)
    assert len(remote.uploads) == 1
