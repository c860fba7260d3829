"""What a step of the engine looks like to Dagster: its log in the run's log, its errors as failures."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from cognee_dagster.dagster.failures import failure_of, is_retryable
from cognee_dagster.tracing import span

ENGINE_LOGGER = "cognee_dagster"
PROGRESS_INTERVAL = 10.0  # seconds


@contextmanager
def engine_step(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[dict[str, Any]]:
    """Inside it, what the engine logs goes to the run's log, and what it raises on purpose fails the step.

    An error that a later attempt may get past is left to the step's retry policy; any other ends the step at once. So
    does the last attempt's, whatever it is: Dagster would only say how many attempts there were.
    Dagster cancels a run with a ``BaseException``, which passes through here untouched.

    Yields:
        The metadata that a failure gets besides its reason: what the step has come to know until then.

    Raises:
        dagster.Failure: In place of what was raised, with its message.
    """
    known: dict[str, Any] = {}
    with _engine_log_in(context.log), span("step", **_about(context)):
        try:
            yield known
        except dg.Failure:
            raise
        except Exception as error:
            may_pass = is_retryable(error) and _is_tried_again(context)
            raise failure_of(error, allow_retries=may_pass, known=known) from error


def _about(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> dict[str, str | None]:
    """What its span says of it."""
    step = context.op_execution_context
    try:
        return {
            "dagster_run_id": step.run_id,
            "dagster_step": step.op_def.name,
            "dagster_partition": step.partition_key if step.has_partition_key else None,
        }
    except dg.DagsterError:  # a context that a test made has no step
        return {}


def _is_tried_again(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> bool:
    step = context.op_execution_context
    policy = step.op_def.retry_policy
    return policy is not None and step.retry_number < policy.max_retries


def progress_in_log(log: logging.Logger, *, what: str) -> Callable[[int, int], None]:
    """A callback for (done, total) that says now and then how far ``what`` has come."""
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL:
            last = now
            log.info("%s: %d of %d bytes (%.0f %%)", what, done, total, 100 * done / max(total, 1))

    return report


class _ForwardTo(logging.Handler):
    def __init__(self, target: logging.Logger) -> None:
        super().__init__()
        self._target = target
        self._forwarding = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        # Where Dagster manages this very logger, its own logging would come back here.
        if getattr(self._forwarding, "active", False):
            return
        self._forwarding.active = True
        try:
            self._target.log(record.levelno, record.getMessage())
        finally:
            self._forwarding.active = False


@contextmanager
def _engine_log_in(target: logging.Logger) -> Iterator[None]:
    engine = logging.getLogger(ENGINE_LOGGER)
    level, handler = engine.level, _ForwardTo(target)
    engine.addHandler(handler)
    engine.setLevel(min(engine.getEffectiveLevel(), logging.INFO))
    try:
        yield
    finally:
        engine.setLevel(level)
        engine.removeHandler(handler)
