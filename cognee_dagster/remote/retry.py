"""Trying again: when, how often, how long to wait, and when to stop since the remote has been down for too long."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

from cognee_dagster.errors import RemoteError, RemoteUnreachableError
from cognee_dagster.remote.moments import http_date

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; a server's Retry-After goes first.

    Attributes:
        attempts: How often a request is sent at most; 1: no retry.
        first_wait: Upper bound of the first wait, in seconds; it doubles from wait to wait.
        max_wait: Upper bound of any wait but for a Retry-After, in seconds.
        within: How long a remote may be down for one request with all its attempts and waits, in seconds.
    """

    attempts: int = 5
    first_wait: float = 1.0
    max_wait: float = 30.0
    within: float = 90.0

    def wait(self, retry_after: float | None, *, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after failed attempt number ``attempt`` (the first is 1).

        Full jitter: anything from 0 to the bound, so that clients which failed together do not come back together. A
        Retry-After is kept to, and jitter of at most ``first_wait`` comes on top, for the same reason.
        """
        if retry_after is not None:
            return retry_after + chance() * self.first_wait
        bound = min(self.max_wait, self.first_wait * 2.0 ** min(attempt - 1, 60))
        return chance() * bound


class Downtime:
    """How long a remote has been down for one request: from the first attempt on, with all waits.

    Args:
        within: How long it may be, in seconds.
    """

    def __init__(self, within: float) -> None:
        self.within = within
        self._ends_at = time.monotonic() + within

    @property
    def lasted(self) -> float:
        """Seconds that the remote has been down."""
        return self.within - self.left

    @property
    def left(self) -> float:
        """Seconds that the remote may go on to be down; 0 and less: none."""
        return self._ends_at - time.monotonic()

    def was_up(self, seconds: float) -> None:
        """For so many of the seconds that have passed, the remote was at work for us."""
        self._ends_at += max(0.0, seconds)

    def is_up(self) -> None:
        """The remote has just shown that it is at work for us: count anew."""
        self._ends_at = time.monotonic() + self.within


def wait_before_next(
    error: RemoteError,
    *,
    attempt: int,
    policy: RetryPolicy,
    downtime: Downtime,
    chance: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after an attempt that failed and may be repeated.

    Args:
        error: How it failed.
        attempt: Its number; the first is 1.
        policy: How often and how long.
        downtime: How long the remote may go on to be down.
        chance: A number from 0 to 1.

    Raises:
        RemoteError: There is no next attempt: that was the last one, or the remote would be down for too long. It
            says how long it has been.
    """
    error.down_for = downtime.lasted
    if attempt >= policy.attempts:
        raise error
    asked, left = error.retry_after, max(0.0, downtime.left)
    wait = policy.wait(asked, attempt=attempt, chance=chance)
    if wait < left:
        return wait
    if asked is not None:
        raise RemoteUnreachableError(
            f"{error} It asks for {asked:.0f} s before the next try (Retry-After), and {left:.0f} s are left of the "
            f"{downtime.within:.0f} s that a request is tried for: try again then.",
            status=error.status,
            body_sent=error.body_sent,
            retryable=True,
            retry_after=asked,
            down_for=error.down_for,
        ) from error
    raise error


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
    downtime: Downtime | None = None,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
    log: logging.Logger | None = None,
) -> _T:
    """The result of ``operation``, tried again as long as it fails with a retryable ``RemoteError``.

    Args:
        operation: One attempt.
        what: What it does, for the log: ``reading the datasets of …``.
        policy: How often and how long.
        downtime: How long the remote may be down; default: as the policy says, from now.
        sleep: Waits that many seconds.
        chance: A number from 0 to 1.
        log: Where every wait is written; default: this module's logger.

    Raises:
        RemoteError: The last attempt's error.
    """
    failed = FailedAttempts(what, attempts=policy.attempts, log=log or logger)
    downtime = downtime or Downtime(policy.within)
    attempt = 1
    while True:
        try:
            return operation()
        except RemoteError as error:
            if not error.retryable:
                raise
            seconds = wait_before_next(error, attempt=attempt, policy=policy, downtime=downtime, chance=chance)
            failed.say(error, attempt=attempt, seconds=seconds)
        sleep(seconds)
        attempt += 1


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
