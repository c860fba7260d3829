"""OpenTelemetry: the spans of a push, what they say, and what the server is told; nothing where nobody traces."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cognee_dagster import Probe, tracing
from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing import MirrorOptions, PushOptions, push_graph
from cognee_dagster.remote import CogneeClient, Connection, resolve_connection
from cognee_dagster.sources import from_networkx
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.asset_chain import NO_RETRY, Chain, people
from tests.printed import blocks

KEY = "a-key-that-is-nobody-elses"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a push without Dagster keeps what it must know again."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def connection(remote: FakeRemote) -> Connection:
    return resolve_connection(remote.url, remote.api_key, environ={})


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What an application that traces would export. Its provider is for this test alone."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name.removeprefix("cognee_dagster."): span for span in spans.get_finished_spans()}


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def span_id(span: ReadableSpan) -> int:
    found = span.get_span_context()
    assert found is not None
    return found.span_id


def traceparents(remote: FakeRemote) -> list[str]:
    return [request.headers.get("traceparent", "") for request in remote.requests]


def push_people(connection: Connection, *, mirror: bool = False) -> None:
    graph = nullcontext(from_networkx(people(), dataset_name="people"))
    options = PushOptions(target_dataset="team")
    result = push_graph(graph, connection=connection, options=options, mirror=MirrorOptions() if mirror else None)
    assert result.status == "completed"


def test_a_push_is_one_trace_of_its_parts(
    spans: InMemorySpanExporter,
    connection: Connection,
    remote: FakeRemote,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push_people(connection, mirror=True)
    found = by_name(spans)
    assert set(found) == {"push", "read", "pack", "plan", "upload", "wait"}
    whole = found["push"]
    assert {span.get_span_context().trace_id for span in found.values()} == {whole.get_span_context().trace_id}  # type: ignore[union-attr]
    assert {name: parent_of(span) for name, span in found.items()} == {
        "push": None,
        **dict.fromkeys(("read", "pack", "plan", "upload"), span_id(whole)),
        "wait": span_id(found["upload"]),
    }
    said = attributes(found["upload"])
    assert said["cognee_dagster.dataset"] == "people"
    assert said["cognee_dagster.target_dataset"] == "team"
    assert said["server.address"] == "127.0.0.1"
    assert (said["cognee_dagster.num_nodes"], said["cognee_dagster.num_edges"]) == (3, 2)
    assert said["cognee_dagster.pipeline_run_id"] in {run["pipeline_run_id"] for run in remote.runs}
    digests = {name: attributes(found[name])["cognee_dagster.archive_digest"] for name in ("read", "pack", "plan")}
    assert len(set(digests.values())) == 1
    wait, upload = found["wait"], found["upload"]
    assert upload.start_time and wait.start_time and wait.end_time and upload.end_time  # noqa: PT018
    assert upload.start_time <= wait.start_time <= wait.end_time <= upload.end_time


def test_the_server_is_told_which_span_asks(
    spans: InMemorySpanExporter,
    connection: Connection,
    remote: FakeRemote,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = context.attach(baggage.set_baggage("customer", "of the application's"))
    push_people(connection)
    context.detach(token)
    found = by_name(spans)
    told = traceparents(remote)
    assert [header for header in told if not re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]", header)] == []
    (sent,) = remote.uploads
    assert sent.headers["traceparent"].split("-")[2] == f"{span_id(found['upload']):016x}"
    assert [request.headers["baggage"] for request in remote.requests if "baggage" in request.headers] == []


def test_a_span_that_fails_says_why_and_none_holds_a_key(spans: InMemorySpanExporter, remote: FakeRemote) -> None:
    remote.state.users[remote.admin.email] = type(remote.admin)(
        email=remote.admin.email, api_key=KEY, is_superuser=True
    )
    remote.faults.on(UPLOADS, *[answer(413, f'{{"detail": "too large for {KEY}"}}')] * 9)
    with pytest.raises(RemoteError):
        push_people(resolve_connection(remote.url, KEY, environ={}))
    failed = by_name(spans)["upload"]
    assert failed.status.description is not None
    assert "413" in failed.status.description
    assert [event.name for event in failed.events] == ["exception"]
    assert by_name(spans)["push"].status.is_ok is False
    assert KEY not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_step_of_dagsters_is_the_parent_and_names_its_run(
    spans: InMemorySpanExporter, remote: FakeRemote, tmp_path: Path
) -> None:
    options = {"retry_policy": NO_RETRY, "probes": [Probe("Person 0?", contains="Person 0")], "sync": "incremental"}
    chain = Chain(remote=remote, directory=tmp_path, options=options)
    result = chain.run("my_graph", "cognified_graph", "cogx_archive", "remote_push")
    assert result.success
    found = by_name(spans)
    assert set(found) == {"step", "read", "pack", "plan", "upload", "wait", "verify", "probe"}
    assert {attributes(span)["dagster.run_id"] for span in spans.get_finished_spans()} == {result.run_id}
    steps = {
        attributes(span)["dagster.step"]: span_id(span)
        for span in spans.get_finished_spans()
        if span.name == "cognee_dagster.step"
    }
    for name in ("plan", "upload", "verify", "probe"):
        assert parent_of(found[name]) == steps["people__remote_push"]
        assert attributes(found[name])["dagster.step"] == "people__remote_push"
    (sent,) = remote.uploads
    assert sent.headers["traceparent"].split("-")[1] == f"{found['upload'].get_span_context().trace_id:032x}"  # type: ignore[union-attr]


def test_a_step_that_fails_is_a_span_that_failed(
    spans: InMemorySpanExporter, remote: FakeRemote, tmp_path: Path
) -> None:
    remote.kill()
    chain = Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY})
    assert not chain.run("my_graph", "cognified_graph", "cogx_archive", "remote_push").success
    failed = [span for span in spans.get_finished_spans() if not span.status.is_ok and span.status.description]
    assert "cognee_dagster.step" in {span.name for span in failed}


def test_without_a_provider_nothing_is_told_and_nothing_sent(connection: Connection, remote: FakeRemote) -> None:
    """OpenTelemetry is loaded in this process, as some library may have done, and nobody has set it up."""
    with CogneeClient(connection) as client, tracing.span("push", dataset="people") as begun:
        begun.set(num_nodes=3)
        client.datasets()
    assert traceparents(remote) == [""]


ASK = """
import sys
{before}
from cognee_dagster import tracing
from cognee_dagster.remote import CogneeClient, resolve_connection
with tracing.span("push"), CogneeClient(resolve_connection({url!r}, {key!r}, environ={{}})) as client:
    client.datasets()
{after}
"""
EXPORTER = """
from types import ModuleType
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
module = ModuleType("trace_exporter")
module.OTLPSpanExporter = lambda **options: exporter
sys.modules["opentelemetry.exporter.otlp.proto.grpc.trace_exporter"] = module
"""


def printed_by_another_process(remote: FakeRemote, home: Path, *, before: str, after: str) -> list[str]:
    """What a process prints that does something before it asks the remote and something after."""
    code = ASK.format(before=before, after=after, url=remote.url, key=remote.api_key)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_opentelemetry_is_neither_needed_nor_loaded(remote: FakeRemote, tmp_path: Path) -> None:
    after = "print(*[name for name in sys.modules if name.startswith('opentelemetry')])"
    block = "sys.modules['opentelemetry'] = None"  # as if it were not installed
    assert printed_by_another_process(remote, tmp_path, before=block, after=after) == ["opentelemetry"]
    assert set(traceparents(remote)) == {""}


def test_what_the_page_prints_switches_it_on(remote: FakeRemote, tmp_path: Path) -> None:
    (printed,) = [block for block in blocks(ROOT / "docs" / "observability.md") if block.language == "python"]
    after = "provider.force_flush(); print(*[span.name for span in exporter.get_finished_spans()])"
    names = printed_by_another_process(remote, tmp_path, before=EXPORTER + printed.text, after=after)
    assert names == ["cognee_dagster.push"]
    assert "" not in traceparents(remote)


def test_the_page_lists_every_span_and_every_attribute() -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")

    def listed(table: str) -> list[str]:
        rows = page.split(f"<!-- table: {table} -->\n")[1].split("\n\n")[0].splitlines()[2:]
        return [row.split("|")[1].strip().strip("`") for row in rows]

    assert listed("spans") == [f"cognee_dagster.{name}" for name in tracing.SPANS]
    assert listed("attributes") == list(tracing.ATTRIBUTES.values())


def test_every_span_in_the_code_is_listed() -> None:
    """A name that is not is a span that nobody finds described."""
    named = {
        name
        for path in (ROOT / "cognee_dagster").rglob("*.py")
        for name in re.findall(r"\b(?:record_)?span\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert named == set(tracing.SPANS)
