"""Whose run it is does not hang on the ``Date`` of an answer: a proxy before the server sets that by its own clock."""

import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from cognee_dagster.pushing.delivery.attempt import DeliveryAttempt
from cognee_dagster.pushing.delivery.unanswered.run_lookup import RunLookup
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.compat import Strategy
from cognee_dagster.testing import FakeRemote
from tests.pushes import HASTY, client_of


class SlowUpload:
    """An upload, while which a rival's import begins; ours begins after it. Neither ends, and no answer comes."""

    def __init__(self, remote: FakeRemote) -> None:
        self.body_sent = threading.Event()
        self.body_sent_at: datetime | None = None
        self.rival = self.ours = ""
        self._remote = remote
        self._waits = 0

    def wait(self, _: float) -> dict[str, Any] | None:
        self._waits += 1
        if self._waits == 1:
            self.rival = self._remote.add_run("demo")
        elif self._waits == 2:
            self.body_sent_at = datetime.now(timezone.utc)
            self.body_sent.set()
        elif self._waits == 3:
            self.ours = self._remote.add_run("demo")
        elif self._waits == 5:
            item = {"kind": "migration_import", "mode": "preserve", "record_counts": {"entity": 1}}
            return {"status": "completed", "pipeline_run_id": self.ours, "items": [item]}
        return None


def request_of(client: CogneeClient) -> Any:
    return SimpleNamespace(
        client=client,
        dataset=client.ensure_dataset("demo"),
        archive=SimpleNamespace(record_counts={"entity": 1}),
        strategy=Strategy.DETACHED,
        mode="preserve",
        settings=HASTY,
        num_documents=0,
        cognifies=False,
        note=lambda _: None,
        heed_stop=lambda: None,
    )


@pytest.mark.parametrize("seconds", [-3600, -30, 0, 30])
def test_a_run_that_began_while_we_sent_is_not_ours_whatever_clock_the_remote_shows(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    monkeypatch.setattr(CogneeClient, "clock_offset", timedelta(seconds=seconds))
    with client_of(remote.url, remote.api_key) as client:
        request, upload = request_of(client), SlowUpload(remote)
        with RunLookup(request, is_needed=True) as lookup:
            result = DeliveryAttempt(request, upload, lookup).see_through()  # type: ignore[arg-type]
    assert result.pipeline_run_id == upload.ours


def test_what_is_seen_once_the_body_is_out_may_be_ours(remote: FakeRemote) -> None:
    """The look began before, and its answer came after that."""
    with client_of(remote.url, remote.api_key) as client, RunLookup(request_of(client), is_needed=True) as lookup:
        run = remote.add_run("demo")
        body_sent = threading.Event()
        body_sent.set()
        lookup.look_before(body_sent)
        sighting = lookup.look(body_sent_at=datetime.now(timezone.utc))
    assert sighting is not None
    assert sighting.run_id == run
