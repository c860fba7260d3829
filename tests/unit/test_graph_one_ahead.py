"""Pages are made one ahead, in order, and never two at a time."""

import threading
from collections.abc import Iterator

import pytest

from cognee_dagster.sources.cognee.prefetch import one_ahead


def test_the_next_step_is_taken_while_the_caller_has_the_one_before() -> None:
    taken = [threading.Event() for _ in range(3)]

    def steps() -> Iterator[int]:
        for number, event in enumerate(taken):
            event.set()
            yield number

    items = one_ahead(steps(), fetch=str)
    assert next(items) == "0"
    assert taken[1].wait(10)
    assert not taken[2].is_set()
    assert list(items) == ["1", "2"]


def test_a_step_begins_only_when_the_one_before_was_fetched() -> None:
    seen: list[str] = []

    def steps() -> Iterator[int]:
        for number in range(1, 4):
            seen.append(f"step {number}")
            yield number

    assert list(one_ahead(steps(), fetch=lambda number: seen.append(f"fetch {number}") or number)) == [1, 2, 3]  # type: ignore[func-returns-value]
    assert seen == ["step 1", "fetch 1", "step 2", "fetch 2", "step 3", "fetch 3"]


@pytest.mark.parametrize("where", ["steps", "fetch"])
def test_errors_come_through(where: str) -> None:
    def steps() -> Iterator[int]:
        yield 1
        yield 1 // (where != "steps")

    items = one_ahead(steps(), fetch=lambda number: number // (where != "fetch"))
    with pytest.raises(ZeroDivisionError):
        list(items)


def test_leaving_early_waits_for_the_step_that_is_on_its_way() -> None:
    """Or a database would be closed under a query."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def steps() -> Iterator[int]:
        yield 1
        begun.set()
        may_end.wait(10)
        ended.set()
        yield 2

    items = one_ahead(steps(), fetch=int)
    assert next(items) == 1
    assert begun.wait(10)
    threading.Timer(0.05, may_end.set).start()
    items.close()  # type: ignore[attr-defined]
    assert ended.is_set()
