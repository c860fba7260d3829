"""A pipeline of two: the next step is on its way while the caller is busy with the one before."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Step = TypeVar("Step")
Item = TypeVar("Item")


def one_ahead(steps: Iterator[Step], *, fetch: Callable[[Step], Item]) -> Iterator[Item]:
    """What ``fetch`` makes of each of the steps, in their order.

    A step is taken in another thread, and not before the one ahead of it was fetched, in this thread: so no two of them
    are there at once.

    Raises:
        Exception: Whatever ``steps`` or ``fetch`` raise.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="one-ahead") as thread:
        pending = thread.submit(next, steps, None)
        while (step := pending.result()) is not None:
            item = fetch(step)
            del step
            pending = thread.submit(next, steps, None)
            yield item
            del item  # or it would stay in memory while the caller waits for the next one
