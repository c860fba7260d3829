"""What breaks between us and the server, and what is there in the end: each fault, in the fore- and the background.

Every row: a fault of the way to the server, and how many uploads then reach it whole. Whatever happens, the graph is
on the remote once the push says so, and no push delivers the archive twice where one delivery was enough.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import RemoteError, RemoteRejectedError, RemoteUnreachableError, UnexpectedAnswerError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.remote.transport import Timeouts
from cognee_dagster.testing import FakeRemote, faults
from tests.fault_proxy import FaultProxy
from tests.pushes import HASTY, client_of, demo_archive, push_archive
from tests.unit.test_delivery import import_outcomes, wait_until

UPLOAD = faults.UPLOADS
RUNS = "/api/v1/activity/pipeline-runs"


@dataclass(frozen=True)
class Case:
    """A fault that the push gets over, and the number of uploads that arrive whole."""

    name: str
    path: str
    faults: tuple[faults.Fault | None, ...]
    uploads: int = 1


HEALS = [
    Case("nothing", UPLOAD, ()),
    Case("upload_refused_once", UPLOAD, (faults.reset(),)),
    Case("upload_cut_in_the_middle", UPLOAD, (faults.cut_request(300),)),
    Case("answer_lost", UPLOAD, (faults.cut_answer(0),)),
    Case("answer_cut_short", UPLOAD, (faults.cut_answer(40),)),
    Case("gateway_times_out_after_delivery", UPLOAD, (faults.answer(504, deliver=True),)),
    Case("gateway_bad_after_delivery", UPLOAD, (faults.answer(502, deliver=True),)),
    Case("gateway_page_instead_of_the_answer", UPLOAD, (faults.answer(200, "<html>", deliver=True),)),
    Case("empty_answer_after_delivery", UPLOAD, (faults.answer(200, deliver=True),)),
    Case("server_unavailable_before_delivery", UPLOAD, (faults.answer(503),)),
    Case("too_many_requests", UPLOAD, (faults.answer(429, headers={"retry-after": "0"}),)),
    Case("conflict_once", UPLOAD, (faults.answer(409, '{"error": "An error occurred."}'),)),
    Case("slow_upload", UPLOAD, (faults.slow_upload(20_000),)),
    Case("answer_drips", UPLOAD, (faults.drip(0.001),)),
    Case("answer_comes_late", UPLOAD, (faults.delay_answer(0.5),)),
    Case("health_fails_once", "/health", (faults.answer(503),)),
    Case("a_read_fails_with_500", RUNS, (faults.server_failed(), None, faults.server_failed())),
    Case("dataset_cannot_be_made_at_first", "/api/v1/datasets", (faults.reset(),)),
    Case("runs_cannot_be_listed_for_a_while", RUNS, (faults.answer(503), faults.reset())),
]


def push_through(proxy: FaultProxy, remote: FakeRemote, directory: Path, **options: Any) -> PushResult:
    with client_of(proxy.url, remote.api_key, timeouts=Timeouts(connect=5, read=5, write=5)) as client:
        return push_archive(demo_archive(directory), client=client, settings=HASTY, **options)


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("case", HEALS, ids=lambda case: case.name)
def test_a_push_gets_over_it_and_the_graph_is_there(case: Case, run_in_background: bool, tmp_path: Path) -> None:
    with FakeRemote(import_seconds=0.15) as remote, FaultProxy(remote.url) as proxy:
        if case.faults:
            proxy.on(case.path, *case.faults)
        result = push_through(proxy, remote, tmp_path, run_in_background=run_in_background)
        assert result.status in ("completed", "started")
        wait_until(lambda: import_outcomes(remote) == {result.pipeline_run_id: "succeeded"})
        assert (len(remote.graph("demo").nodes), len(remote.graph("demo").edges)) == (3, 2)
        assert len(remote.documents("demo")) == 1
        assert len(remote.uploads) == case.uploads


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize(
    ("fault", "error", "words", "tries"),
    [
        (faults.reset(), RemoteUnreachableError, "Check the URL, that the server is up", 3),
        (faults.answer(503), RemoteUnreachableError, "503", 3),
        (faults.answer(400, '{"error": "Invalid COGX archive."}'), RemoteRejectedError, "cognee-dagster validate", 1),
        (faults.answer(413), RemoteRejectedError, "client_max_body_size", 1),
        (faults.answer(409, '{"error": "An error occurred."}'), RemoteRejectedError, "409", 2),
        (faults.redirect("http://127.0.0.1:9/login?token=x"), UnexpectedAnswerError, "not followed", 1),
        (faults.html(403), RemoteError, "HTML page", 1),
    ],
    ids=["refused", "unavailable", "invalid", "too_large", "conflict", "redirect", "login_page"],
)
def test_a_fault_that_stays_ends_in_an_error_that_says_what_to_do_and_leaves_no_graph(
    fault: faults.Fault, error: type[RemoteError], words: str, tries: int, run_in_background: bool, tmp_path: Path
) -> None:
    with FakeRemote() as remote, FaultProxy(remote.url) as proxy:
        proxy.always(UPLOAD, fault)
        with pytest.raises(error, match=words) as caught:
            push_through(proxy, remote, tmp_path, run_in_background=run_in_background)
        assert remote.api_key not in str(caught.value)
        assert remote.graph("demo").nodes == {}
        assert len([p for p in proxy.passages if p.path == UPLOAD]) == tries


def test_an_import_that_fails_after_its_answer_was_lost_is_told_as_failed(tmp_path: Path) -> None:
    with FakeRemote(import_seconds=0.15) as remote, FaultProxy(remote.url) as proxy:
        remote.fail_next_import("RuntimeError")
        proxy.on(UPLOAD, faults.cut_answer(0))
        with pytest.raises(RemoteError, match="RuntimeError"):
            push_through(proxy, remote, tmp_path)
        assert len(remote.uploads) == 1


@pytest.mark.parametrize(
    "fault",
    [faults.html(200), faults.html(403), faults.answer(403), faults.answer(404)],
    ids=["page", "403 page", "403", "404"],
)
@pytest.mark.parametrize("path", ["/health", RUNS, "/api/v1/datasets", "(?!/api/v1/remember).*"])
def test_a_foreground_push_needs_nothing_but_remember_and_says_what_it_could_not_check(
    path: str, fault: faults.Fault, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An ingress often lets through what ``cognee.push()`` needs, and answers the rest itself."""
    with FakeRemote() as remote, FaultProxy(remote.url) as proxy:
        proxy.always(path, fault)
        result = push_through(proxy, remote, tmp_path)
        assert result.status == "completed"
        assert len(remote.graph("demo").nodes) == 3
        assert len(remote.uploads) == 1
    assert "cannot be" in caplog.text
