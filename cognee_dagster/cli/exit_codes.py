"""What the command line's exit codes mean, and which error ends with which."""

from enum import IntEnum

from cognee_dagster.errors import (
    ArchiveError,
    ArchiveNotFoundError,
    ArchiveNotStoredError,
    CogneeDagsterError,
    ConnectionConfigError,
    DatasetNotFoundError,
    DatasetPermissionError,
    EmptyGraphError,
    GraphFileError,
    GraphFileNotFoundError,
    ImportFailedError,
    ImportUnconfirmedError,
    InvalidModeError,
    InvalidTargetError,
    PushInterruptedError,
    RemoteAuthError,
    RemotePermissionError,
    RemoteUnreachableError,
    RemovedRecordsError,
    StoreNotFoundError,
)


class ExitCode(IntEnum):
    """Exit codes; part of the command line's interface."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_CONNECTION = 3
    NO_DATASET = 4
    INVALID_ARCHIVE = 5
    IMPORT_FAILED = 6
    UNREACHABLE = 7
    STILL_RUNNING = 8
    TOO_MANY_REMOVED = 9
    CHANGES = 10
    NO_ANSWER = 11
    NO_OUTPUT = 12
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    TERMINATED = 143  # 128 + SIGTERM


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed for another reason than those below",
    ExitCode.USAGE: "the command line is wrong: unknown option, mode or a name that a remote refuses",
    ExitCode.NO_CONNECTION: "no remote is configured, or it does not accept the API key",
    ExitCode.NO_DATASET: "no such dataset, file, archive, archive store or import, or no permission for it",
    ExitCode.INVALID_ARCHIVE: "not a graph or COGX archive that can be pushed, or beyond a server's limits",
    ExitCode.IMPORT_FAILED: "the remote's import failed or stalled, or it took less than was sent",
    ExitCode.UNREACHABLE: "the remote does not answer",
    ExitCode.STILL_RUNNING: "the import has not ended yet (status without --wait)",
    ExitCode.TOO_MANY_REMOVED: "more would be removed from a mirror than is allowed, or than its server removes",
    ExitCode.CHANGES: "the remote differs, or would be changed (verify, plan, push --dry-run)",
    ExitCode.NO_ANSWER: "the remote does not find what must be found (probe)",
    ExitCode.NO_OUTPUT: "done, but standard output cannot be written: what belongs there is on standard error",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C",
    ExitCode.TERMINATED: "ended by SIGTERM",
}

# What to do next, where an error's message does not say it.
ADVICE = {
    ExitCode.FAILED: "Correct what the reason names, and run the command again.",
    ExitCode.USAGE: "See `cognee-dagster COMMAND --help`.",
    ExitCode.NO_CONNECTION: "See `cognee-dagster doctor`.",
    ExitCode.NO_DATASET: "`cognee-dagster datasets` lists what the remote has, `cognee-dagster runs` its imports.",
    ExitCode.INVALID_ARCHIVE: "Export the dataset again.",
    ExitCode.IMPORT_FAILED: "See the server's log, then push again.",
    ExitCode.UNREACHABLE: "Check the URL, that the server is up, and the network; see `cognee-dagster doctor`.",
    ExitCode.STILL_RUNNING: "Ask again later, or with --wait.",
    ExitCode.TOO_MANY_REMOVED: "See `cognee-dagster plan`; if it is meant, allow more with --max-removed.",
    ExitCode.CHANGES: "Push to bring the remote up to date.",
    ExitCode.NO_ANSWER: "See `cognee-dagster verify` for what the remote dataset lacks.",
    ExitCode.NO_OUTPUT: "It is done; read standard error.",
    ExitCode.INTERRUPTED: "Run the command again; `cognee-dagster runs` shows an import that went on without it.",
    ExitCode.TERMINATED: "Run the command again; `cognee-dagster runs` shows an import that went on without it.",
}

_OF_ERRORS: tuple[tuple[type[CogneeDagsterError], ExitCode], ...] = (
    (InvalidModeError, ExitCode.USAGE),
    (InvalidTargetError, ExitCode.USAGE),
    (ConnectionConfigError, ExitCode.NO_CONNECTION),
    (RemoteAuthError, ExitCode.NO_CONNECTION),
    (DatasetNotFoundError, ExitCode.NO_DATASET),
    (DatasetPermissionError, ExitCode.NO_DATASET),
    (RemotePermissionError, ExitCode.NO_DATASET),
    (ArchiveNotStoredError, ExitCode.NO_DATASET),
    (ArchiveNotFoundError, ExitCode.NO_DATASET),
    (GraphFileNotFoundError, ExitCode.NO_DATASET),
    (StoreNotFoundError, ExitCode.NO_DATASET),
    (ArchiveError, ExitCode.INVALID_ARCHIVE),
    (GraphFileError, ExitCode.INVALID_ARCHIVE),
    (EmptyGraphError, ExitCode.INVALID_ARCHIVE),
    (ImportFailedError, ExitCode.IMPORT_FAILED),
    (ImportUnconfirmedError, ExitCode.IMPORT_FAILED),
    (RemoteUnreachableError, ExitCode.UNREACHABLE),
    (RemovedRecordsError, ExitCode.TOO_MANY_REMOVED),
    (PushInterruptedError, ExitCode.INTERRUPTED),
)


def exit_code_of(error: CogneeDagsterError) -> ExitCode:
    """The exit code for an error that ends a command."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), ExitCode.FAILED)


def exit_code_table() -> str:
    """The table for ``--help``; ``\\b`` keeps click from re-wrapping it."""
    rows = "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
    return f"\b\nExit codes:\n{rows}"
