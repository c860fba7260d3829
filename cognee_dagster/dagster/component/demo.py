"""The remote of a component in demo mode: a real Cognee on this machine, started when a step asks for it."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from cognee_dagster import remote
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.system.host_lock import host_lock

if TYPE_CHECKING:
    from cognee_dagster.remote.connection import Connection

DEMO_DIRECTORY = "~/.cognee-dagster/demo"


class SandboxRemote(CogneeRemote):
    """A sandbox in place of a remote: its server runs from a step's first question to the step's end.

    What was pushed stays in its directory. Steps of several processes wait for each other, since a Cognee with its
    default stores has one server.
    """

    directory: str = Field(description="Where the sandbox keeps its data.")

    _running: ExitStack = PrivateAttr(default_factory=ExitStack)
    _found: "Connection | None" = PrivateAttr(default=None)

    def connection(self) -> "Connection":
        """Where the sandbox is; it is started where it does not run yet.

        Raises:
            CogneeNotInstalledError: This interpreter has no Cognee.
            LocalCogneeError: The server does not start.
        """
        if self._found is None:
            # httpx comes with it, and loading a code location should not wait for that.
            from cognee_dagster.sandbox import CogneeServer

            log, directory = dg.get_dagster_logger(), Path(self.directory).expanduser()
            with ExitStack() as begun:  # what fails here gives the lock back, or the next step would wait for ever
                begun.enter_context(
                    host_lock(
                        "sandbox",
                        str(directory),
                        stop=threading.Event(),
                        waiting=lambda pid: log.info("Waiting for the sandbox, which process %s uses", pid),
                    )
                )
                log.info("Demo mode: starting a sandbox in %s (10 to 40 s) in place of the remote", directory)
                server = begun.enter_context(CogneeServer(directory))
                self._found = remote.resolve_connection(server.url, server.api_key)
                self._running = begun.pop_all()
        return self._found

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """Stop the server."""
        self._found = None
        self._running.close()


def sandboxed(dataset: CogneeDataset) -> CogneeDataset:
    """The dataset as it is pushed to a sandbox: in the foreground, since the server ends with the step."""
    targets = tuple(replace(target, run_in_background=False) for target in dataset.targets)
    return replace(dataset, run_in_background=False, targets=targets)
