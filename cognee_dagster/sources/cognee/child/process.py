"""Runs ``cognee_child.py`` under the interpreter that has Cognee, and never leaves it behind."""

import contextlib
import json
import os
import re
import select
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from cognee_dagster.environment import ENV_FILE_VARIABLE
from cognee_dagster.errors import (
    CogneeDagsterError,
    CogneeNotInstalledError,
    DatasetNotFoundError,
    DatasetPermissionError,
    LocalCogneeError,
    StoreNotFoundError,
)
from cognee_dagster.sources.cognee.config import PYTHON_VARIABLE, SYSTEM_ROOT_VARIABLE, LocalCogneeConfig
from cognee_dagster.sources.cognee.user_reference import NameOrId, UserRef, user_key
from cognee_dagster.system.child_process import ChildProcess, is_secret
from cognee_dagster.system.key_spellings import without_key

SCRIPT = Path(__file__).with_name("cognee_child.py")
STOP_SECONDS = 1.5  # a cancelled Dagster step is to end within 2 s
_CHUNK_BYTES = 1 << 16
_TAIL_LINES = 1_000
_TAIL_CHARACTERS = 2_000
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK_FRAMES = re.compile(r"^[│╭╰].*\n?", re.MULTILINE)  # Cognee logs source code around every frame
_SECRET_LENGTH = 6  # shorter values are words like "true" and "dummy"


def dataset_request(dataset: str | UUID, *, user: UserRef) -> dict[str, Any]:
    """What each operation needs to know: which dataset, as which user.

    Raises:
        DatasetPermissionError: ``user`` names nobody at all.
    """
    key = user_key(user)
    user_request = None if key is None else {"id": str(key)} if isinstance(key, UUID) else {"email": key}
    by_id = isinstance(dataset, UUID)
    return {
        "dataset": None if by_id else dataset,
        "dataset_id": str(dataset) if by_id else None,
        "or_dataset_id": isinstance(dataset, NameOrId),
        "user": user_request,
    }


def ask_cognee(
    operation: str, request: Mapping[str, Any], *, config: LocalCogneeConfig, limit_seconds: float
) -> Generator[dict[str, Any], None, None]:
    """Yield the child's messages to the end of the operation.

    Closing the iterator, or any exception or interrupt in the loop over it, ends the child and all that it started.

    Args:
        operation: A key of ``cognee_child.OPERATIONS``.
        request: From ``dataset_request``, and what else the operation needs, JSON-able.
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


class _CogneeChild:
    """A running ``cognee_child.py``, and what it says."""

    def __init__(self, process: ChildProcess, *, secrets: frozenset[str]) -> None:
        self._process = process
        self._secrets = secrets

    def lines(self, request: Mapping[str, Any], *, limit_seconds: float) -> Iterator[bytes]:
        """The lines that the child writes, until it closes its output."""
        with contextlib.suppress(BrokenPipeError):  # it died at once: then its last words say why
            self._process.input.write(json.dumps(request).encode() + b"\n")
            self._process.input.flush()
        output = self._process.output.fileno()
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
        return self.readable(self._process.log_tail(lines=_TAIL_LINES))[-_TAIL_CHARACTERS:] or "(nothing)"

    def readable(self, text: str) -> str:
        """What Cognee said, without colours, source code and the values of settings that are secret."""
        text = _TRACEBACK_FRAMES.sub("", _TERMINAL_CODES.sub("", text))
        for secret in self._secrets:
            text = without_key(text, secret, mask="[…]")
        return text.strip()


@contextlib.contextmanager
def _started(config: LocalCogneeConfig, scratch: Path) -> Iterator[_CogneeChild]:
    secrets = frozenset(
        value for name, value in config.environ.items() if is_secret(name) and len(value) >= _SECRET_LENGTH
    )
    with _start(config, scratch) as process:
        yield _CogneeChild(process, secrets=secrets)


def _start(config: LocalCogneeConfig, scratch: Path) -> ChildProcess:
    try:
        return ChildProcess(
            [config.interpreter, str(SCRIPT)],
            environ=_child_environment(config, scratch),
            log=scratch / "cognee.log",
            answers=True,
            stop_seconds=STOP_SECONDS,
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
        return StoreNotFoundError(
            f"There is no Cognee store in {root} ({said}). Set {SYSTEM_ROOT_VARIABLE} to the directory of the Cognee "
            f"that holds dataset {dataset}, or make it with cognee.add()."
        )
    return LocalCogneeError(
        f"Cognee failed on dataset {dataset}: {said}. Check its settings (stores, LLM_API_KEY, LLM_MODEL …) "
        f"and run again; what was done already is kept. It said last:\n{last_words}"
    )


def _dataset(request: Mapping[str, Any]) -> str:
    return repr(request["dataset"] or request["dataset_id"])
