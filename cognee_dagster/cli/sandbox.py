"""``cognee-dagster sandbox``."""

import contextlib
import tempfile
from pathlib import Path

import click

from cognee_dagster.cli.options import DIRECTORY
from cognee_dagster.cli.terminal import say, stderr_console
from cognee_dagster.errors import LocalCogneeError


@click.command(short_help="Start a real Cognee server on this machine.")
@click.option(
    "--directory",
    type=DIRECTORY,
    help="Where it keeps its data, to find it again next time. Default: a temporary directory.",
)
def sandbox(*, directory: Path | None) -> None:
    """Start a real Cognee server on this machine and print how to reach it; Ctrl-C stops it.

    It listens on 127.0.0.1 only and needs the cognee package, but no key and no network: its searches find words that
    a question and the graph have in common. Pushes with --mode hybrid or
    re-derive also need a language model: set LLM_API_KEY (and LLM_MODEL …) before you start it.
    """
    from cognee_dagster.sandbox import CogneeServer  # no other command needs it

    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cognee-sandbox-")))
        server = CogneeServer(directory)
        with stderr_console().status("Starting Cognee (10 to 40 s) …"):
            stack.enter_context(server)
        say(f"export COGNEE_SERVICE_URL={server.url}")
        say(f"export COGNEE_API_KEY={server.api_key}")
        if not server.has_language_model:
            say(
                "It has no language model: pushes in mode hybrid or re-derive will fail, after some minutes. They need "
                "LLM_API_KEY, set before this command is started.",
                err=True,
            )
        say(f"Cognee is running; its log is {server.log}. Ctrl-C stops it.", err=True)
        server.wait()  # until Ctrl-C or SIGTERM
        raise LocalCogneeError(f"The sandbox's Cognee server ended by itself. See {server.log}.")
