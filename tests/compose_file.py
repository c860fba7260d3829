"""``deploy/compose.yaml``, and its services run as processes of this machine, without Docker."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"

_HEALTHY_WITHIN = 240.0
_ENDS_WITHIN = 20.0


def deployed(name: str) -> Any:
    """What a YAML file of ``deploy/`` says."""
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file, by name."""
    found: dict[str, dict[str, Any]] = deployed("compose.yaml")["services"]
    return found


@dataclass(kw_only=True)
class Machine:
    """Where services run that share nothing but this directory and their ports.

    Attributes:
        directory: Their working directory.
        variables: What each process gets, whatever its service says.
        replaced: What stands here for a word of a command: the container's ports, and programs that are elsewhere.
        logs: Each service's output, by name.
    """

    directory: Path
    variables: dict[str, str]
    replaced: dict[str, str]
    logs: dict[str, Path] = field(default_factory=dict)

    def command(self, words: list[str]) -> list[str]:
        """A command of the compose file as it is run here."""
        program, *arguments = words
        here = self.replaced.get(program) or str(Path(sys.executable).with_name(program))
        return [here, *map(self._argument, arguments)]

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service; what is the test's own goes before."""
        said: Mapping[str, Any] = services()[service].get("environment", {})
        return {**{name: str(value) for name, value in said.items()}, **self.variables}

    def run(self, service: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
        """As ``docker compose exec`` does."""
        return subprocess.run(
            self.command(words),
            cwd=self.directory,
            env=self.environment(service),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )

    @contextmanager
    def up(self, *names: str) -> Iterator[None]:
        """Runs the commands of these services, once all of their health checks are content."""
        with ExitStack() as stack:
            processes = {name: stack.enter_context(self._process(name)) for name in names}
            for name, process in processes.items():
                self.wait_until_healthy(name, process)
            yield

    @contextmanager
    def _process(self, service: str) -> Iterator["subprocess.Popen[bytes]"]:
        log = self.logs[service] = self.directory.parent / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(services()[service]["command"]),
                cwd=self.directory,
                env=self.environment(service),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()  # what `docker stop` sends
            with suppress(subprocess.TimeoutExpired):  # a run in it goes on, until docker kills it, too
                process.wait(_ENDS_WITHIN)
            _kill_session(process)

    def wait_until_healthy(self, service: str, process: "subprocess.Popen[bytes] | None" = None) -> None:
        """Runs the service's health check until it is content."""
        how, *words = services()[service]["healthcheck"]["test"]
        assert how == "CMD"
        deadline = time.monotonic() + _HEALTHY_WITHIN
        while (checked := self.run(service, words)).returncode:
            log = self.logs[service].read_text()[-4000:] if service in self.logs else ""
            assert time.monotonic() < deadline, f"{service} is not healthy: {checked.stdout}\n{log}"
            assert process is None or process.poll() is None, f"{service} has ended:\n{log}"
            time.sleep(1.0)  # a check is a process of Dagster itself, and takes more than that

    def _argument(self, word: str) -> str:
        word = "127.0.0.1" if word == "0.0.0.0" else word
        for port, here in self.replaced.items():
            if port.isdigit() and (word == port or f"127.0.0.1:{port}/" in word):
                word = word.replace(port, here)
        return word


def _kill_session(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
    process.wait()
