"""OpenTelemetry spans of the parts of a push, for an application that has switched tracing on; nothing for any other.

OpenTelemetry is never loaded here. Whoever sets up a tracer provider, in code or by ``opentelemetry-instrument``, has
loaded its API, and from there it is used; where nobody has, there is nobody to tell.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cognee_dagster._version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

SCOPE = "cognee_dagster"
Value = str | bool | int | float

# Every span there is, and every attribute, by what the code calls it; docs/observability.md says what they are.
SPANS = ("step", "push", "read", "pack", "plan", "upload", "wait", "verify", "probe")
ATTRIBUTES = {
    "dataset": "cognee_dagster.dataset",
    "target_dataset": "cognee_dagster.target_dataset",
    "remote_host": "server.address",  # as OpenTelemetry's conventions name it
    "num_nodes": "cognee_dagster.num_nodes",
    "num_edges": "cognee_dagster.num_edges",
    "archive_digest": "cognee_dagster.archive_digest",
    "archive_bytes": "cognee_dagster.archive_bytes",
    "pipeline_run_id": "cognee_dagster.pipeline_run_id",
    "dagster_run_id": "dagster.run_id",
    "dagster_step": "dagster.step",
    "dagster_partition": "dagster.partition",
}

_API = "opentelemetry.trace"
_MAX_MESSAGE = 1_000  # characters of an error

# What spans inside of one say, too, such as the run that they belong to.
_handed_down: ContextVar[dict[str, Value] | None] = ContextVar("cognee_dagster.tracing", default=None)


class SpanInUse:
    """A span that is under way, or in its place nothing.

    Args:
        begun: OpenTelemetry's.
    """

    def __init__(self, begun: "Span | None") -> None:
        self._begun = begun

    def set(self, **attributes: Value | None) -> None:
        """Say what has come to be known."""
        if self._begun is not None:
            self._begun.set_attributes(_named(attributes))

    def fail(self, error: BaseException) -> None:
        """Record an error: its class and message, which holds no key, and no traceback, whose values may."""
        if self._begun is None:
            return
        from opentelemetry.trace import Status, StatusCode  # loaded already: the span came from there

        message = str(error)[:_MAX_MESSAGE]
        self._begun.add_event("exception", {"exception.type": type(error).__name__, "exception.message": message})
        self._begun.set_status(Status(StatusCode.ERROR, message))


@contextmanager
def span(name: str, **attributes: Value | None) -> Iterator[SpanInUse]:
    """A span around what is done inside; an error that ends that is recorded on it.

    Args:
        name: One of ``SPANS``.
        attributes: Those of ``ATTRIBUTES`` that are known. Spans inside have them, too.
    """
    tracer = _tracer()
    if tracer is None:
        yield SpanInUse(None)
        return
    known = {**(_handed_down.get() or {}), **_named(attributes)}
    token = _handed_down.set(known)
    try:
        with tracer.start_as_current_span(
            f"{SCOPE}.{name}", attributes=known, record_exception=False, set_status_on_exception=False
        ) as begun:
            in_use = SpanInUse(begun)
            try:
                yield in_use
            except BaseException as error:
                in_use.fail(error)
                raise
    finally:
        _handed_down.reset(token)


def record_span(name: str, *, since: datetime, **attributes: Value | None) -> None:
    """A span of what began at that time and is over now; it was not known then that it would."""
    tracer = _tracer()
    if tracer is not None:
        known = {**(_handed_down.get() or {}), **_named(attributes)}
        tracer.start_span(f"{SCOPE}.{name}", attributes=known, start_time=int(since.timestamp() * 1e9)).end()


def trace_headers() -> dict[str, str]:
    """The headers that tell a server which span asks: ``traceparent``, perhaps ``tracestate``; none without a span.

    Baggage, which may hold anything of the application's, is not sent.
    """
    current = getattr(sys.modules.get(_API), "get_current_span", None)
    if current is None or not current().get_span_context().is_valid:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


def host_of(url: str) -> str:
    """A remote's host: its address without port, path, and whoever logs in."""
    return urlsplit(url).hostname or ""


def _tracer() -> "Tracer | None":
    api: Any = sys.modules.get(_API)
    get_tracer = getattr(api, "get_tracer", None)  # another thread may be at loading it
    tracer: Tracer | None = get_tracer(SCOPE, __version__) if get_tracer is not None else None
    return tracer


def _named(attributes: dict[str, Value | None]) -> dict[str, Value]:
    return {ATTRIBUTES[name]: value for name, value in attributes.items() if value is not None}
