"""The command line, called in this process."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cognee_dagster.cli import main
from cognee_dagster.errors import DatasetNotFoundError
from tests.cogx_graphs import MemoryReader


def call(*arguments: str) -> Result:
    """What the command line did, with standard output and standard error apart."""
    # Before click 8.2 they are together unless told otherwise, and the option is gone since.
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return CliRunner(**apart).invoke(main, arguments, catch_exceptions=False)


def have_datasets(monkeypatch: pytest.MonkeyPatch, graphs: Mapping[str, Callable[[], MemoryReader]]) -> None:
    """A local Cognee with these datasets."""

    @contextmanager
    def open_dataset(dataset: Any, **_: Any) -> Iterator[MemoryReader]:
        if dataset not in graphs:
            raise DatasetNotFoundError(f"There is no dataset {dataset!r}.")
        yield graphs[dataset]()

    for module in ("cognee_dagster.sources", "cognee_dagster.sources.cognee.datasets"):  # face and origin
        monkeypatch.setattr(f"{module}.open_dataset", open_dataset)


def have_no_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No remote and no ``.env`` of the developer's; ``home`` is the home directory."""
    no_env_file = home / "empty.env"
    no_env_file.touch()
    monkeypatch.setenv("COGNEE_ENV_FILE", str(no_env_file))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("COGNEE_SERVICE_URL", raising=False)
    monkeypatch.delenv("COGNEE_API_KEY", raising=False)
