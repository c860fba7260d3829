"""Says of an answer that is long in coming that it is still waited for, so that nobody takes the wait for a defect."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_AFTER = 10.0  # seconds; each pause is twice as long as the one before
LONGEST_PAUSE = 300.0
LOGGER = "cognee_dagster.remote.slow_answers"

logger = logging.getLogger(LOGGER)


@contextmanager
def waiting_aloud(url: str, what: str) -> Iterator[None]:
    """Says now and then, for as long as it is open, that an answer is waited for.

    Args:
        url: Whose.
        what: What is asked: ``listing its datasets``.
    """
    done = threading.Event()
    thread = threading.Thread(target=remind, args=(url, what, done.wait), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def remind(url: str, what: str, over: Callable[[float], bool]) -> None:
    """Say it until it is over.

    Args:
        url: As for ``waiting_aloud``.
        what: As for ``waiting_aloud``.
        over: Waits that many seconds, and says whether the answer came meanwhile.
    """
    waited = 0.0
    for pause in pauses():
        if over(pause):
            return
        waited += pause
        logger.info("Still waiting for %s after %.0f s of %s", url, waited, what)


def pauses() -> Iterator[float]:
    """How many seconds pass before each reminder."""
    pause = FIRST_AFTER
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
