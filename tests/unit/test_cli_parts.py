"""``cognee-dagster push`` of a graph that takes several archives: what is said, and how it goes on after a failure."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import NUM_BYTES
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.testing import FakeRemote
from tests.command_line import call, have_datasets, have_no_settings
from tests.unit.test_cogx_cut import topics

LIMITS = ("--max-file-bytes", "100000", "--max-archive-bytes", "0.2 MB")


@pytest.fixture(autouse=True)
def local_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    have_datasets(monkeypatch, {"demo": topics})
    have_no_settings(monkeypatch, tmp_path)


def push(remote: FakeRemote, *options: str) -> Result:
    return call("push", "demo", *LIMITS, "--url", remote.url, "--api-key", remote.api_key, *options)


def test_the_archive_under_way_is_named_on_standard_error(remote: FakeRemote) -> None:
    result = push(remote, "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    pushed = json.loads(result.stdout)
    assert list(pushed) == list(PushResult.__dataclass_fields__)
    total = len(pushed["remote_response"]["items"])
    assert total > 4
    assert [line for line in result.stderr.splitlines() if re.fullmatch(r"Archive \d+ of \d+", line)] == [
        f"Archive {number} of {total}" for number in range(1, total + 1)
    ]
    assert len(remote.graph("demo").nodes) == pushed["num_nodes"]


def test_a_push_again_goes_on_after_the_last_archive_that_arrived(remote: FakeRemote, tmp_path: Path) -> None:
    whole = len(json.loads(push(remote, "--json", "--target-dataset", "other").stdout)["remote_response"]["items"])
    journals = tmp_path / ".cognee-dagster" / "pushes"
    assert list(journals.iterdir()) == []
    before = len(remote.uploads)
    with _failing_after(remote, 3):
        failed = push(remote)
    assert failed.exit_code != ExitCode.OK
    assert f"Archive 4 of {whole}" in failed.stderr
    assert len(list(journals.iterdir())) == 1
    assert push(remote).exit_code == ExitCode.OK
    completed = [request for request in remote.uploads[before:] if request.status == 200]
    assert len(completed) == whole  # each once
    assert remote.graph("demo").nodes == remote.graph("other").nodes
    assert remote.graph("demo").edges == remote.graph("other").edges
    assert list(journals.iterdir()) == []


@contextmanager
def _failing_after(remote: FakeRemote, imports: int) -> Iterator[None]:
    """Imports fail after so many that succeed."""
    failures = _AfterSome(imports)
    remote.pace.next_failures = failures
    try:
        yield
    finally:
        remote.pace.next_failures = []


class _AfterSome(list[str]):
    def __init__(self, successes: int) -> None:
        super().__init__()
        self.successes = successes

    def __bool__(self) -> bool:
        self.successes -= 1
        return self.successes < 0

    def pop(self, index: Any = -1) -> str:
        return "RuntimeError"


@pytest.mark.parametrize(
    ("size", "num_bytes"),
    [("7", 7), ("7b", 7), ("5MB", 5_000_000), ("5 mb", 5_000_000), ("1.5MiB", 3 << 19), ("2G", 2 << 30), ("1kB", 1000)],
)
def test_a_size_may_have_a_unit(size: str, num_bytes: int) -> None:
    assert NUM_BYTES.convert(size, None, None) == num_bytes


@pytest.mark.parametrize("size", ["0", "-5", "5 parsecs", "", "1e9", "0.1", "\u0665"])
def test_what_is_no_size_is_refused_with_examples(size: str) -> None:
    with pytest.raises(click.UsageError, match=r"is no size\. Give a number of bytes, or one with a unit: 5MB"):
        NUM_BYTES.convert(size, None, None)
