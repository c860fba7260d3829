"""Every error this package raises on purpose.

::

    CogneeDagsterError
    ├── ConnectionConfigError (RuntimeError)     where the remote is, or how to log in, is not known
    │   └── NoConnectionError
    ├── RemoteError (RuntimeError)               the remote, or the way to it, said no
    │   ├── RemoteUnreachableError               no answer: refused, reset, timed out, TLS, 429/502/503/504
    │   ├── RemoteAuthError                      401
    │   ├── RemotePermissionError                403
    │   ├── RemoteRejectedError                  400, 409, 413, 415, 422 and other final answers, a 500 that stays
    │   ├── CogxUnsupportedError                 the server has no COGX import
    │   ├── BackgroundUnsupportedError           the server cannot import in the background
    │   ├── UnexpectedAnswerError                an answer that is not Cognee's
    │   ├── ImportFailedError                    the import ended in failure, or stalled
    │   ├── ImportUnconfirmedError               whether the import brought the archive is not known
    │   ├── LockLostError                        another host took over the push's turn at a mirror
    │   └── PushInterruptedError                 the caller stopped the push
    ├── DatasetDefinitionError (ValueError)      a CogneeDataset, or a setting, that cannot work
    ├── InvalidPushError (ValueError)            arguments that can never work
    │   ├── InvalidModeError
    │   ├── InvalidTargetError                   a dataset name the remote refuses
    │   ├── EmptyGraphError                      0 nodes: nothing to push
    │   └── RemovedRecordsError                  more of a mirror would be removed than is allowed
    │       └── UnremovableEdgesError            the server leaves removed edges where they are
    ├── ArchiveError (ValueError)                a COGX archive that is not one
    │   ├── ArchiveNotFoundError                 no file where one was named
    │   └── ArchiveLimitError                    beyond what a Cognee server accepts
    ├── ArchiveNotStoredError (LookupError)      the archive store does not have it
    ├── PromotionError (RuntimeError)            no target has confirmed what is to be promoted
    ├── GraphFileError (ValueError)              a graph object or file that cannot become an archive
    │   └── GraphFileNotFoundError               no file, or no folder with a graph, where one was named
    ├── DocumentsGoneError (RuntimeError)        documents left their folder, and none of them is to be forgotten
    ├── DatasetNotFoundError (LookupError)       no such local dataset
    ├── DatasetPermissionError (PermissionError) the user may not read it
    ├── DirectoryError (OSError)                 a directory of this machine that is needed cannot be made
    ├── UnfitFileError (OSError)                 what stands in a file's place is none, or is too large for one
    └── LocalCogneeError (RuntimeError)          the local Cognee does not work
        ├── CogneeNotInstalledError
        ├── StoreNotFoundError                   there is no Cognee where one is looked for
        ├── StoreBusyError                       another process is writing the graph
        ├── StoreFormatError                     the graph file is not readable by this Ladybug
        └── StoreDamagedError                    the graph file, or what belongs to it, is damaged

The builtin base classes are those that ``cognee.push()`` raises, so that code written for it keeps working.
"""

import re

_TWO_STOPS = re.compile(r"""(?<=[\w)\]"'`])\.\.(?=\s|$)""")
# A quoted text, such as a node's id: no apostrophe within a word begins one.
_LONG_QUOTE = re.compile(r"(?<!\w)'((?:[^'\\]|\\.){500,}?)'(?!\w)", re.DOTALL)
_SHOWN_OF_QUOTE = 100
_LONGEST = 20_000  # characters of a message: a log, an event or a terminal has to show it
_NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


def reason_and_advice(message: str) -> tuple[str, str]:
    """What happened, and what to do about it (perhaps nothing): a message's first line or sentence, and the rest."""
    reason, _, advice = message.partition("\n")
    if not advice:
        reason, *more = _NEXT_SENTENCE.split(message, maxsplit=1)
        advice = more[0] if more else ""
    return reason, advice


def _readable(message: str) -> str:
    """A message with the beginnings of texts that are too long for one, so that the verdict behind them is seen."""
    if len(message) <= _LONGEST // 10:
        return message
    message = _LONG_QUOTE.sub(lambda quote: f"'{quote[1][:_SHOWN_OF_QUOTE]}…' ({len(quote[1]):,} characters)", message)
    if len(message) > _LONGEST:
        half = _LONGEST // 2
        message = f"{message[:half]} … ({len(message) - _LONGEST:,} characters) … {message[-half:]}"
    return message


class CogneeDagsterError(Exception):
    """Base of every error that this package raises on purpose."""

    def __str__(self) -> str:
        """The message, of a length that can be read; where it ends a sentence with somebody else's words and their full
        stop, with one stop.
        """
        return _TWO_STOPS.sub(".", _readable(super().__str__()))


class ConnectionConfigError(CogneeDagsterError, RuntimeError):
    """The remote's address or key is missing, damaged or unsafe to use."""


class NoConnectionError(ConnectionConfigError):
    """No source names a remote."""


class RemoteError(CogneeDagsterError, RuntimeError):
    """The remote Cognee, or the way to it, refused.

    Attributes:
        status: The HTTP status, if there was an answer.
        retryable: Whether the same request may well succeed later.
        retry_after: Seconds that the answer's Retry-After asks to wait, if it did.
        body_sent: The whole request body had gone out. An upload's work may be going on at the remote then: look for
            it there before sending it again.
        down_for: Seconds that the remote had been down by then, with all attempts and waits; 0.0 where nobody counted.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        body_sent: bool = False,
        down_for: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after
        self.body_sent = body_sent
        self.down_for = down_for


class RemoteUnreachableError(RemoteError):
    """No usable answer: connection refused or reset, a timeout, a TLS failure, or 429/502/503/504 to the end."""


class RemoteAuthError(RemoteError):
    """The remote does not accept the API key (401)."""


class RemotePermissionError(RemoteError):
    """The key's user may not do this, or the dataset is not there: Cognee answers both with 403."""


class RemoteRejectedError(RemoteError):
    """The remote refused the request for good, or fails at it (500) however often it is asked."""


class CogxUnsupportedError(RemoteError):
    """The remote Cognee cannot import COGX archives."""


class BackgroundUnsupportedError(RemoteError):
    """The remote Cognee cannot do this import in the background."""


class UnexpectedAnswerError(RemoteError):
    """The answer is not one that a Cognee server gives; most often a proxy or another service answered."""


class ImportFailedError(RemoteError):
    """The remote started the import and did not bring it to an end."""


class ImportUnconfirmedError(RemoteError):
    """The server's answer was lost or makes no sense, and the remote graph does not tell what became of the import."""


class LockLostError(RemoteError):
    """A push to a mirror ended halfway, since another host took over its lock, or the store did not answer."""


class PushInterruptedError(RemoteError):
    """The caller stopped the push before it was over."""


class DatasetDefinitionError(CogneeDagsterError, ValueError):
    """A ``CogneeDataset``, or a setting of the code location, that can never work."""


class InvalidPushError(CogneeDagsterError, ValueError):
    """Arguments of a push that can never work."""


class InvalidModeError(InvalidPushError):
    """An import mode that does not exist."""


class InvalidTargetError(InvalidPushError):
    """A target dataset name that a Cognee server refuses."""


class EmptyGraphError(InvalidPushError):
    """The dataset has no nodes."""


class RemovedRecordsError(InvalidPushError):
    """A push that would remove more from a mirror than is allowed; nothing was sent."""


class UnremovableEdgesError(RemovedRecordsError):
    """A mirror has lost edges whose two nodes stay, and its server does not delete those. The message says whether
    the rest was sent."""


class ArchiveError(CogneeDagsterError, ValueError):
    """A file that is not a valid COGX archive."""


class ArchiveNotFoundError(ArchiveError):
    """No file where an archive was named."""


class ArchiveLimitError(ArchiveError):
    """An archive beyond the limits of a Cognee server."""


class ArchiveNotStoredError(CogneeDagsterError, LookupError):
    """The archive store does not have the archive that is asked for."""


class PromotionError(CogneeDagsterError, RuntimeError):
    """The target that an archive is to be promoted from has not confirmed one."""


class GraphFileError(CogneeDagsterError, ValueError):
    """A NetworkX graph or a graph file that cannot be expressed as COGX."""


class GraphFileNotFoundError(GraphFileError):
    """No file, and no folder that holds a graph, where one was named."""


class DocumentsGoneError(CogneeDagsterError, RuntimeError):
    """Documents of a dataset have left their folder, and ``documents_removed``, or their number, keeps them."""


class DatasetNotFoundError(CogneeDagsterError, LookupError):
    """The local Cognee has no such dataset for this user."""


class DatasetPermissionError(CogneeDagsterError, PermissionError):
    """The user may not read the dataset."""


class DirectoryError(CogneeDagsterError, OSError):
    """A directory of this machine that is needed, such as the archive store's, is not there and cannot be made."""


class UnfitFileError(CogneeDagsterError, OSError):
    """What stands in the place of a file of ours is something else, or has more bytes than such a file can have.

    Attributes:
        problem: What it is, as the end of a sentence that begins with its name.
    """

    def __init__(self, message: str, *, problem: str = "") -> None:
        super().__init__(message)
        self.problem = problem


class LocalCogneeError(CogneeDagsterError, RuntimeError):
    """The local Cognee cannot be used."""


class CogneeNotInstalledError(LocalCogneeError):
    """The interpreter that should run Cognee does not have it."""


class StoreNotFoundError(LocalCogneeError):
    """There is no local Cognee where one is looked for, and so no dataset."""


class StoreBusyError(LocalCogneeError):
    """Another process is writing the dataset's graph."""


class StoreFormatError(LocalCogneeError):
    """The graph file cannot be read by the installed Ladybug."""


class StoreDamagedError(LocalCogneeError):
    """The graph file is damaged, or was left in the middle of a change that nobody will finish."""
