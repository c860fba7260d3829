"""Whatever happens to the store in which a mirror is noted, no push takes what it cannot read, or no longer has, for
its own."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.dagster.failures import is_retryable
from cognee_dagster.pushing.mirror.generations import owner_of
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.unit.test_mirror import Mirror


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as fake:
        yield fake


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))


class EndpointConnectionError(Exception):
    """As botocore's, which is no ``OSError``."""


@contextlib.contextmanager
def unreadable(directory: Path, wanted: Callable[[str], bool], error: Exception) -> Iterator[None]:
    """Files of the store whose paths are wanted cannot be read meanwhile."""
    kind: Any = type(UPath(directory))
    original = kind.read_bytes

    def read_bytes(path: Any) -> bytes:
        if wanted(str(path)):
            raise error
        content: bytes = original(path)
        return content

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(kind, "read_bytes", read_bytes)
        yield


def noted(mirror: Mirror) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in mirror.directory.glob("mirrors/*/*") if path.is_file()}


@pytest.mark.parametrize("error", [PermissionError("denied"), EndpointConnectionError("no route")], ids=repr)
@pytest.mark.parametrize("file", ["mirror.json", "contents-"])
def test_what_cannot_be_read_for_a_moment_fails_the_push_and_is_not_taken_for_lost(
    remote: FakeRemote, mirror: Mirror, file: str, error: Exception
) -> None:
    mirror.push()
    uploads, before = len(remote.uploads), noted(mirror)
    mirror.graph.remove_node()
    with (
        unreadable(mirror.directory, lambda path: file in path, error),
        pytest.raises(OSError, match=rf"{file}.*Nothing was sent.*Push again") as raised,
    ):
        mirror.push()
    assert is_retryable(raised.value)
    assert (len(remote.uploads), noted(mirror)) == (uploads, before)
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()


def test_another_mirrors_files_that_cannot_be_read_hold_up_no_push(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.push()
    mirror.push(source="another")
    (theirs,) = mirror.directory.glob(f"mirrors/*-{owner_of('another')}/mirror.json")
    with unreadable(mirror.directory, lambda path: path == str(theirs), PermissionError("denied")):
        mirror.push()
    assert f"{theirs.parent}: runs of that mirror count as somebody else's" in caplog.text
    mirror.assert_exact()
