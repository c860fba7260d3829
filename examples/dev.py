"""``make dev``: the demo's two Cognees, and ``dagster dev`` over the repository's definitions, until Ctrl-C."""

import contextlib
import socket
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console

from cognee_dagster.errors import CogneeDagsterError
from cognee_dagster.system.child_process import ChildProcess
from examples.playground import DEFINITIONS, Playground, playground

START_SECONDS = 120.0


def main() -> int:
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="cognee-dagster-dev-") as directory, contextlib.ExitStack() as stack:
        with console.status("Starting a remote Cognee, a local Cognee and Dagster (about a minute) …"):
            stage = stack.enter_context(playground(Path(directory)))
            port = _free_port()
            dagster = stack.enter_context(
                stage.dagster("dagster", "dev", "-f", str(DEFINITIONS), "-h", "127.0.0.1", "-p", str(port))
            )
            _wait_for_ui(dagster, port=port)
        _introduce(console, stage, port=port)
        dagster.wait(None)
        console.print(f"Dagster ended by itself. Its log ends with:\n{dagster.log_tail()}", markup=False)
    return 1


def _introduce(console: Console, stage: Playground, *, port: int) -> None:
    console.print(f"Dagster's UI      http://127.0.0.1:{port}/assets", soft_wrap=True)
    console.print(f"remote Cognee     {stage.remote.url}", soft_wrap=True)
    console.print(f"its API key       {stage.remote.api_key}", soft_wrap=True)
    console.print(f"language model    {stage.llm}", soft_wrap=True)
    console.print(f"everything below  {stage.directory}", soft_wrap=True)
    console.print(
        "Materialize demo and handbook there. Ctrl-C stops all of this and removes what it stored.", soft_wrap=True
    )


def _wait_for_ui(dagster: ChildProcess, *, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and dagster.returncode is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/server_info", trust_env=False).status_code == httpx.codes.OK:
                return
        time.sleep(0.5)
    raise CogneeDagsterError(f"Dagster's UI did not start. Its log ends with:\n{dagster.log_tail()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CogneeDagsterError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit(0)
