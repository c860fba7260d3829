"""The command line, called in this process."""

import inspect
from typing import Any

from click.testing import CliRunner, Result

from cognee_dagster.cli import main


def call(*arguments: str) -> Result:
    """What the command line did, with standard output and standard error apart."""
    # Before click 8.2 they are together unless told otherwise, and the option is gone since.
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return CliRunner(**apart).invoke(main, arguments, catch_exceptions=False)
