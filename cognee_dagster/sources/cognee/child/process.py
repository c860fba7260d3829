"""Runs ``cognee_child.py`` under the interpreter that has Cognee, and never leaves it behind."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from cognee_dagster.environment import ENV_FILE_VARIABLE
from cognee_dagster.errors import (
    CogneeDagsterError,
    CogneeNotInstalledError,
    DatasetNotFoundError,
    DatasetPermissionError,
    LocalCogneeError,
)
from cognee_dagster.sources.cognee.config import PYTHON_VARIABLE, SYSTEM_ROOT_VARIABLE, LocalCogneeConfig

SCRIPT = Path(__file__).with_name("cognee_child.py")
STOP_SECONDS = 1.5  # a cancelled Dagster step is to end within 2 s
_CHUNK_BYTES = 1 << 16
_TAIL_BYTES = 20_000
_TAIL_CHARACTERS = 2_000
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK_FRAMES = re.compile(r"^[│╭╰].*\n?", re.MULTILINE)  # Cognee logs source code around every frame
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
_SECRET_LENGTH = 6  # shorter values are words like "true" and "dummy"


def ask_cognee(
    operation: str, request: Mapping[str, Any], *, config: LocalCogneeConfig, limit_seconds: float
) -> Generator[dict[str, Any], None, None]:
    """Yield the child's messages to the end of the operation.

    Closing the iterator, or any exception or interrupt in the loop over it, ends the child and all that it started.

    Args:
        operation: A key of ``cognee_child.OPERATIONS``.
        request: What the operation needs, JSON-able; ``dataset`` or ``dataset_id`` among it.
        config: The local Cognee.
        limit_seconds: After so long the child is ended.

    Raises:
        CogneeNotInstalledError: The interpreter does not exist or has no Cognee.
        DatasetNotFoundError: Cognee knows no such dataset of the user.
        DatasetPermissionError: Cognee refuses the user, or does not know the user.
        LocalCogneeError: Cognee failed, or took too long; with the end of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="cognee-dagster-") as scratch, _started(config, Path(scratch)) as child:
        for line in child.lines({**request, "operation": operation}, limit_seconds=limit_seconds):
            message = json.loads(line)
            if message["event"] == "done":
                return
            if message["event"] == "refused":
                said = child.readable(message["message"])
                raise _refusal(message["reason"], said, request=request, config=config, last_words=child.last_words())
            yield message
        raise LocalCogneeError(
            f"Cognee ended in the middle of {operation} for dataset {_dataset(request)}. It said last:\n"
            f"{child.last_words()}"
        )


class _Child:
    def __init__(self, process: "subprocess.Popen[bytes]", *, log: Path, secrets: frozenset[str]) -> None:
        self._process = process
        self._log = log
        self._secrets = secrets

    def lines(self, request: Mapping[str, Any], *, limit_seconds: float) -> Iterator[bytes]:
        """The lines that the child writes, until it closes its output."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        with contextlib.suppress(BrokenPipeError):  # it died at once: then its last words say why
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        output = self._process.stdout.fileno()
        deadline = time.monotonic() + limit_seconds
        pending: list[bytes] = []
        while True:
            if not select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise LocalCogneeError(
                    f"Cognee did not finish {request['operation']} for dataset {_dataset(request)} within "
                    f"{limit_seconds:g} s and was ended. It said last:\n{self.last_words()}"
                )
            chunk = os.read(output, _CHUNK_BYTES)
            if not chunk:
                return
            *complete, rest = chunk.split(b"\n")
            for part in complete:
                yield b"".join([*pending, part])
                pending = []
            pending.append(rest)

    def last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = self.readable(log.read().decode("utf-8", "replace"))
        return text[-_TAIL_CHARACTERS:] or "(nothing)"

    def readable(self, text: str) -> str:
        """What Cognee said, without colours, source code and the values of settings that are secret."""
        text = _TRACEBACK_FRAMES.sub("", _TERMINAL_CODES.sub("", text))
        for secret in self._secrets:
            text = text.replace(secret, "[…]")
        return text.strip()

    def end(self) -> None:
        """End the child and its whole process group."""
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


@contextlib.contextmanager
def _started(config: LocalCogneeConfig, scratch: Path) -> Iterator[_Child]:
    log = scratch / "cognee.log"
    with log.open("wb") as output:
        secrets = frozenset(
            value
            for name, value in config.environ.items()
            if _SECRET_NAME.search(name) and len(value) >= _SECRET_LENGTH
        )
        child = _Child(_start(config, scratch, output), log=log, secrets=secrets)
    try:
        yield child
    finally:
        child.end()


def _start(config: LocalCogneeConfig, scratch: Path, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own interpreter and our own script, no shell
            [config.interpreter, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_child_environment(config, scratch),
            start_new_session=True,  # so that what Cognee starts can be ended with it
        )
    except OSError as error:
        raise CogneeNotInstalledError(
            f"The interpreter {config.interpreter} cannot be started ({error}). Correct {PYTHON_VARIABLE}."
        ) from error


def _child_environment(config: LocalCogneeConfig, scratch: Path) -> dict[str, str]:
    """The resolved settings, and no ``.env`` that could override them: Cognee lets the file win."""
    settings_file = scratch / "empty.env"
    settings_file.touch()
    environ = {**config.environ, ENV_FILE_VARIABLE: str(settings_file)}
    if config.interpreter != sys.executable:
        environ = {key: value for key, value in environ.items() if key not in {"PYTHONPATH", "PYTHONHOME"}}
    return environ


def _refusal(
    reason: str, said: str, *, request: Mapping[str, Any], config: LocalCogneeConfig, last_words: str
) -> CogneeDagsterError:
    dataset = _dataset(request)
    if reason == "dataset_not_found":
        return DatasetNotFoundError(
            f"The local Cognee has no dataset {dataset} of this user ({said}). A dataset shared by another user is "
            "found by its UUID only."
        )
    if reason in {"permission_denied", "no_user"}:
        return DatasetPermissionError(
            f"This user may not use dataset {dataset} ({said}). Cognee wants an explicit grant, even of its owner and "
            "of superusers: have it shared, or use it as another user."
        )
    if reason == "not_installed":
        return CogneeNotInstalledError(
            f"Cognee is not installed for {config.interpreter}. Install it (pip install 'cognee-dagster[cognee]'), or "
            f"set {PYTHON_VARIABLE} to an interpreter that has it."
        )
    if reason == "no_store":
        root = config.environ.get(SYSTEM_ROOT_VARIABLE, "the default directory")
        return LocalCogneeError(
            f"There is no Cognee store in {root} ({said}). Set {SYSTEM_ROOT_VARIABLE} to the directory of the Cognee "
            f"that holds dataset {dataset}, or make it with cognee.add()."
        )
    return LocalCogneeError(
        f"Cognee failed on dataset {dataset}: {said}. Check its settings (stores, LLM_API_KEY, LLM_MODEL …) "
        f"and run again; what was done already is kept. It said last:\n{last_words}"
    )


def _dataset(request: Mapping[str, Any]) -> str:
    return repr(request["dataset"] or request["dataset_id"])
