"""Trying again: when, how often, how long to wait."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from cognee_dagster.errors import RemoteError
from cognee_dagster.remote.moments import http_date

if TYPE_CHECKING:
    import tenacity

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; a server's Retry-After goes first.

    Attributes:
        attempts: How often a request is sent at most; 1: no retry.
        first_wait: Upper bound of the first wait, in seconds; it doubles from wait to wait.
        max_wait: Upper bound of any wait, in seconds.
        max_retry_after: The longest Retry-After that is obeyed, in seconds; a longer one is cut to this.
    """

    attempts: int = 5
    first_wait: float = 1.0
    max_wait: float = 30.0
    max_retry_after: float = 120.0

    def wait(self, retry_after: float | None, *, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after failed attempt number ``attempt`` (the first is 1).

        Full jitter: anything from 0 to the bound, so that clients which failed together do not come back together. A
        Retry-After is kept to, and jitter of at most ``first_wait`` comes on top, for the same reason.
        """
        if retry_after is not None:
            return min(retry_after, self.max_retry_after) + chance() * self.first_wait
        bound = min(self.max_wait, self.first_wait * 2.0 ** min(attempt - 1, 60))
        return chance() * bound


class FailedAttempts:
    """Says how attempts fail and when the next one follows: in full what is new, in few words the same once more.

    Args:
        what: What they do, for the log: ``Reading the datasets of …``.
        attempts: How many there are at most.
        log: Where every wait is written.
    """

    def __init__(self, what: str, *, attempts: int, log: logging.Logger) -> None:
        self._what = what
        self._attempts = attempts
        self._log = log
        self._said = ""

    def say(self, error: RemoteError, *, attempt: int, seconds: float) -> None:
        """The attempt of that number (the first is 1) failed, and in so many seconds comes the next."""
        message = str(error)
        if message == self._said:
            self._log.warning("Still so (attempt %d of %d); again in %.1f s", attempt, self._attempts, seconds)
        else:
            failed = "%s failed (attempt %d of %d), trying again in %.1f s: %s"
            self._log.warning(failed, self._what, attempt, self._attempts, seconds, message)
        self._said = message


def with_retries(
    operation: Callable[[], _T],
    *,
    what: str,
    policy: RetryPolicy,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
    log: logging.Logger | None = None,
) -> _T:
    """The result of ``operation``, tried again as long as it fails with a retryable ``RemoteError``.

    Args:
        operation: One attempt.
        what: What it does, for the log: ``reading the datasets of …``.
        policy: How often and how long.
        sleep: Waits that many seconds.
        chance: A number from 0 to 1.
        log: Where every wait is written; default: this module's logger.

    Raises:
        RemoteError: The last attempt's error.
    """
    import tenacity

    failed = FailedAttempts(what, attempts=policy.attempts, log=log or logger)

    def wait(state: tenacity.RetryCallState) -> float:
        return policy.wait(_failure(state).retry_after, attempt=state.attempt_number, chance=chance)

    def report(state: tenacity.RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        failed.say(_failure(state), attempt=state.attempt_number, seconds=seconds)

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(max(policy.attempts, 1)),
        wait=wait,
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, RemoteError) and error.retryable),
        before_sleep=report,
        sleep=sleep,
        reraise=True,
    )
    return retrying(operation)


def parse_retry_after(value: str | None, *, date: str | None = None) -> float | None:
    """Seconds that a Retry-After header asks to wait; None when there is none, or none that makes sense.

    Args:
        value: The header: seconds, or an HTTP date (RFC 9110, 10.2.3).
        date: The same answer's Date header, so that a server's clock is compared with itself.
    """
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    until, now = http_date(value), http_date(date) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds()) if until is not None else None


def _failure(state: "tenacity.RetryCallState") -> RemoteError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, RemoteError)  # noqa: S101 - tenacity calls back for retried errors only
    return error
