"""Alerts, by the documentation's recipes and by the component, reach a mail server and a webhook on loopback."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import networkx as nx
import pytest
from dagster.components.testing.utils import component_defs

from cognee_dagster import CogneeComponent, PushFailure
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people
from tests.printed import blocks
from tests.readers_machine import push_all

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.md"
FAILURE = PushFailure(
    id="import 5192d7fb",
    kind="import",
    state="stalled",
    dataset="héritage",
    push_asset="héritage/remote_push",
    target_dataset="heritage",
    remote_url="https://cognee.example.com",
    pipeline_run_id="5192d7fb",
    reason="Import 5192d7fb <into> heritage & more has not ended.",
    advice="See whether the server still runs.",
    failed_at="2026-01-31T03:00:12+00:00",
    dagster_url="https://dagster.example.com/runs/1",
)


def recipe(name: str) -> Any:
    """A function that the page defines."""
    (code,) = [block.text for block in blocks(ALERTS, "python") if f"def {name}(" in block.text]
    namespace: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(code, f"alerts.md, {name}", "exec"), namespace)
    return namespace[name]


class MailSession(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that sends one message."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            verb = line.split()[0].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                content = b"".join(line.removeprefix(b".") for line in lines)
                message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
                self.server.messages.append(message)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")


class Webhook(BaseHTTPRequestHandler):
    """Takes what is posted; the server's ``status`` is its answer."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    server.messages = []
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_the_mail_has_all_of_it_and_the_same_id_when_it_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    send_mail = recipe("send_mail")
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailSession)) as server:
        monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("SMTP_PORT", str(server.server_address[1]))
        send_mail(FAILURE)
        send_mail(FAILURE)
        send_mail(FAILURE.model_copy(update={"id": "import another"}))
    first, again, other = server.messages
    assert (
        first["Subject"]
        == FAILURE.title
        == ("Cognee import of héritage into heritage on https://cognee.example.com stalled")
    )
    assert first["To"] == "data-team@example.com"
    assert first.get_content().strip().splitlines() == FAILURE.text.splitlines()
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]


def test_the_post_to_slack_has_all_of_it_and_a_refusal_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    post_to_slack = recipe("post_to_slack")
    with serving(HTTPServer(("127.0.0.1", 0), Webhook)) as server:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"http://127.0.0.1:{server.server_address[1]}/services/T/B/X")
        post_to_slack(FAILURE)
        server.status = 403
        with pytest.raises(httpx.HTTPStatusError):
            post_to_slack(FAILURE)
    (text,) = {message["text"] for message in server.messages}
    assert "Import 5192d7fb &lt;into&gt; heritage &amp; more has not ended." in text
    assert "In Dagster: https://dagster.example.com/runs/1" in text


def test_a_component_posts_to_slack_what_its_alert_sensor_finds(tmp_path: Path) -> None:
    nx.write_graphml(people(), tmp_path / "people.graphml")
    dataset = {"name": "people", "graph": str(tmp_path / "people.graphml"), "target_dataset": "R&D's"}
    with (
        FakeRemote() as remote,
        serving(HTTPServer(("127.0.0.1", 0), Webhook)) as server,
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
    ):
        attributes = {
            "datasets": [{**dataset, "retry_policy": {"max_retries": 0}}],
            "remote": {"url": remote.url, "api_key": remote.api_key, "max_attempts": 1},
            "archives": {"base_directory": str(tmp_path / "archives")},
            "alerts": {
                "slack_webhook_url": f"http://127.0.0.1:{server.server_address[1]}/services/T/B/X",
                "webserver_base_url": "https://dagster.example.com",
            },
        }
        defs = component_defs(component=CogneeComponent.from_attributes_dict(attributes=attributes))
        remote.kill()
        run_id = push_all(defs, instance).run_id
        with dg.build_sensor_context(instance=instance, definitions=defs) as context:
            sensor = defs.resolve_sensor_def("cognee_alert_sensor")
            assert sensor.evaluate_tick(context).skip_message == "1 alerted."
    (message,) = server.messages
    assert f"Cognee push of people into R&amp;D's on {remote.url} failed" in message["text"]  # quotes are no markup
    assert f"In Dagster: https://dagster.example.com/runs/{run_id}" in message["text"]


def test_the_requested_run_gets_the_failure() -> None:
    request = recipe("request_ticket")(FAILURE)
    job: dg.JobDefinition = recipe("ticket")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=request.run_config, instance=instance)
        logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert f"A ticket for {FAILURE.title}: {FAILURE.advice}" in logged
