"""What to make of an upload that did not end with an answer of success: what to do next, and what to tell the user."""

from enum import Enum

from cognee_dagster.errors import RemoteError, RemoteUnreachableError, UnexpectedAnswerError
from cognee_dagster.remote.meanings import SERVERS_WORDS, UPLOAD_REFUSED_MEANS

_TOOK_NOTHING = (429, 503)  # what a server, or a proxy before it, says instead of taking the request
# What they say who have not begun to do what they were asked; 409, 415 and 422 a server says of an import, too.
_REFUSALS = frozenset({400, 401, 403, 404, 405, 411, 413, 414, 429, 431})


class NextStep(Enum):
    """What follows a failed upload."""

    GIVE_UP = "give up"
    RETRY = "upload again"
    LOOK_ONCE = "look once for the run that it may have started, then upload again"
    LOOK_FOR_RUN = "look for the run that it may have started, for as long as it may take to appear"

    @property
    def looks(self) -> bool:
        """Whether the dataset's runs are looked at."""
        return self in (NextStep.LOOK_ONCE, NextStep.LOOK_FOR_RUN)


def is_refused(error: BaseException) -> bool:
    """Whether the remote, or a proxy before it, has said that it did nothing."""
    return isinstance(error, RemoteError) and error.status in _REFUSALS


def after_failure(error: RemoteError, *, body_sent: bool, conflicts: int) -> NextStep:
    """Decide what follows a failed upload.

    An import merges by node id and edge key, so uploading again is safe; but it costs the server the whole import, so
    when our whole body was sent its run is looked for first.

    Args:
        error: How the upload failed.
        body_sent: Whether the whole body went out.
        conflicts: How many 409 answers came before this one. A truncated upload is answered with 409 (Cognee 1.6.5),
            and so are real defects: it is worth exactly one more try.
    """
    if error.status == 409:
        return NextStep.RETRY if conflicts == 0 else NextStep.GIVE_UP
    garbled = isinstance(error, UnexpectedAnswerError) and 200 <= (error.status or 0) < 300
    is_lost = isinstance(error, RemoteUnreachableError)  # also one that is still coming when its time is over
    if body_sent and (garbled or is_lost or error.retryable):
        return NextStep.LOOK_ONCE if error.status in _TOOK_NOTHING else NextStep.LOOK_FOR_RUN
    return NextStep.RETRY if error.retryable else NextStep.GIVE_UP


def explain(error: RemoteError, *, mode: str, target: str) -> RemoteError:
    """The same error, with what Cognee's own words leave out: what it means in this mode, and what is imported already.

    Measured on Cognee 1.6.5; the keys are the mode and the status of the answer.
    """
    hint = UPLOAD_REFUSED_MEANS.get((mode, error.status or 0))
    if hint is None:
        return error
    verdict, separator, words = str(error).partition(SERVERS_WORDS)
    message = f"{verdict} {hint.format(target=target)}{separator}{words}"
    return type(error)(message, status=error.status, body_sent=error.body_sent, retryable=False)
