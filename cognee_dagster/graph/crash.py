"""What is said of a process that ended while it was reading a graph."""

import signal

from cognee_dagster.errors import LocalCogneeError, StoreDamagedError
from cognee_dagster.system.worker import WorkerEndedError

_CRASHES = {-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)}


def reading_ended(ended: WorkerEndedError, *, what: str) -> LocalCogneeError:
    """The error for it: a crash is the store's fault, any other end somebody's who ended it."""
    if ended.code in _CRASHES:
        return StoreDamagedError(
            f"Reading {what} crashed ({signal.Signals(-ended.code).name}): its file is damaged. Restore the store from "
            "a backup, or delete the dataset and cognify its documents again."
        )
    return LocalCogneeError(
        f"The process that reads {what} ended early, with code {ended.code}. Try again, with more memory if it was "
        f"ended for that. It said last: {ended.last_words}"
    )
