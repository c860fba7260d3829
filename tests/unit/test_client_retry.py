"""How long to wait before trying again, and when not to."""

import logging
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.errors import RemoteRejectedError, RemoteUnreachableError
from cognee_dagster.remote.retry import RetryPolicy, parse_retry_after, with_retries

chances = st.floats(min_value=0.0, max_value=1.0, exclude_max=True)


def never(seconds: float) -> None:
    pytest.fail(f"waited {seconds} s")


class TestWait:
    @given(attempt=st.integers(1, 10_000), chance=chances)
    def test_full_jitter_stays_between_nothing_and_a_bound_that_doubles(self, attempt: int, chance: float) -> None:
        wait = RetryPolicy(first_wait=0.5, max_wait=20.0).wait(None, attempt=attempt, chance=lambda: chance)
        assert 0.0 <= wait <= min(20.0, 0.5 * 2.0 ** min(attempt - 1, 60))

    def test_the_bound_is_reached(self) -> None:
        policy = RetryPolicy(first_wait=0.5, max_wait=20.0)
        waits = [policy.wait(None, attempt=attempt, chance=lambda: 1.0) for attempt in range(1, 9)]
        assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]

    @given(asked=st.floats(0.0, 1e9), chance=chances)
    def test_a_server_is_never_asked_before_the_time_it_named(self, asked: float, chance: float) -> None:
        wait = RetryPolicy(first_wait=1.0).wait(asked, attempt=3, chance=lambda: chance)
        assert asked <= wait <= asked + 1.0

    def test_clients_that_failed_together_do_not_come_back_together(self) -> None:
        policy = RetryPolicy()
        assert len({policy.wait(None, attempt=3) for _ in range(50)}) > 40
        assert len({policy.wait(10.0, attempt=3) for _ in range(50)}) > 40


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("0", 0.0), ("7", 7.0), (" 7 ", 7.0), (None, None), ("", None), ("-1", None), ("1.5", None), ("soon", None)],
    )
    def test_seconds(self, value: str | None, seconds: float | None) -> None:
        assert parse_retry_after(value) == seconds

    def test_a_date_counts_from_the_answers_own_date(self) -> None:
        date = "Wed, 21 Oct 2015 07:28:00 GMT"
        assert parse_retry_after("Wed, 21 Oct 2015 07:29:30 GMT", date=date) == 90.0
        assert parse_retry_after("Wed, 21 Oct 2015 07:00:00 GMT", date=date) == 0.0

    @pytest.mark.parametrize("date", [None, "no date"])
    def test_a_date_counts_from_now_where_the_answer_has_none(self, date: str | None) -> None:
        before = datetime.now(timezone.utc)
        until = format_datetime(before + timedelta(seconds=300), usegmt=True)
        seconds = parse_retry_after(until, date=date)
        assert seconds is not None
        passed = (datetime.now(timezone.utc) - before).total_seconds()
        assert 299 - passed < seconds <= 300

    @given(value=st.text(), date=st.none() | st.text())
    def test_any_header_is_a_time_or_nothing(self, value: str, date: str | None) -> None:
        seconds = parse_retry_after(value, date=date)
        assert seconds is None or seconds >= 0


class TestWithRetries:
    def test_the_result_is_that_of_the_first_success(self) -> None:
        naps: list[float] = []
        outcomes = iter([RemoteUnreachableError("down", retryable=True), "up"])

        def operation() -> str:
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return str(outcome)

        assert with_retries(operation, what="asking", policy=RetryPolicy(), sleep=naps.append) == "up"
        assert len(naps) == 1

    @pytest.mark.parametrize("attempts", [1, 0])
    def test_one_attempt_is_no_retry(self, attempts: int) -> None:
        calls: list[int] = []

        def operation() -> None:
            calls.append(1)
            raise RemoteUnreachableError("down", retryable=True)

        with pytest.raises(RemoteUnreachableError, match="down"):
            with_retries(operation, what="asking", policy=RetryPolicy(attempts=attempts), sleep=never)
        assert len(calls) == 1

    def test_the_last_error_is_raised_as_it_is(self) -> None:
        error = RemoteUnreachableError("down", retryable=True)

        def operation() -> None:
            raise error

        with pytest.raises(RemoteUnreachableError) as caught:
            with_retries(operation, what="asking", policy=RetryPolicy(attempts=3), sleep=lambda seconds: None)
        assert caught.value is error
        assert error.__cause__ is error.__context__ is None

    @pytest.mark.parametrize("error", [RemoteRejectedError("no", status=400), KeyError("bug"), KeyboardInterrupt()])
    def test_what_another_attempt_cannot_mend_is_raised_at_once(self, error: BaseException) -> None:
        def operation() -> None:
            raise error

        with pytest.raises(type(error)):
            with_retries(operation, what="asking", policy=RetryPolicy(), sleep=never)

    def test_the_wait_is_told_in_the_log_it_is_given(self, caplog: pytest.LogCaptureFixture) -> None:
        def operation() -> None:
            raise RemoteUnreachableError("down for tea", retryable=True, retry_after=4.0)

        with pytest.raises(RemoteUnreachableError):
            with_retries(
                operation,
                what="Asking for tea",
                policy=RetryPolicy(attempts=2),
                sleep=lambda seconds: None,
                chance=lambda: 0.0,
                log=logging.getLogger("a.run"),
            )
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("a.run", "WARNING")
        assert record.getMessage() == ("Asking for tea failed (attempt 1 of 2), trying again in 4.0 s: down for tea")

    def test_a_failure_that_stays_the_same_is_told_in_full_once(self, caplog: pytest.LogCaptureFixture) -> None:
        failures = iter(["refused", "refused", "refused", "reset", "refused"])

        def operation() -> None:
            raise RemoteUnreachableError(next(failures), retryable=True)

        with pytest.raises(RemoteUnreachableError):
            with_retries(operation, what="Asking", policy=RetryPolicy(), sleep=lambda seconds: None, chance=lambda: 1.0)
        assert [record.getMessage() for record in caplog.records] == [
            "Asking failed (attempt 1 of 5), trying again in 1.0 s: refused",
            "Still so (attempt 2 of 5); again in 2.0 s",
            "Still so (attempt 3 of 5); again in 4.0 s",
            "Asking failed (attempt 4 of 5), trying again in 8.0 s: reset",
        ]
