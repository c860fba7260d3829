"""A server that fails at a request now and then fails nobody who only reads; one that always does ends in an error."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from cognee_dagster.errors import RemoteError, RemoteRejectedError
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.verify import compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.meanings import REPEATABLE_STATUSES
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import server_failed
from tests.asset_chain import NO_RETRY, Chain, people
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, QUICK_RETRIES, client_of, push_archive
from tests.unit.scripted_server import ScriptedServer
from tests.unit.scripted_server import answer as scripted

ANY = ".*"
ID = "011a0f69-ce99-5a5e-acf4-81e800cfd2fc"
READS: dict[str, Callable[[CogneeClient], object]] = {
    "health": lambda client: client.health(),
    "user": lambda client: client.user(),
    "datasets": lambda client: client.datasets(),
    "documents": lambda client: list(client.data(ID)),
    "graph": lambda client: client.graph(ID),
    "runs": lambda client: client.runs(),
}


def fail_every_other_read(remote: FakeRemote) -> None:
    remote.faults.on(ANY, *[server_failed(), None] * 1_000, method="GET")


def test_a_mirror_stays_exact_though_every_other_read_fails(remote: FakeRemote, tmp_path: Path) -> None:
    """Push, removal, plan, verify: each question is asked again, and its second answer counts."""
    fail_every_other_read(remote)
    graph, path = ChangingGraph(1, nodes=40), tmp_path / "graph.cogx.tar.gz"
    given: dict[str, Any] = {
        "base": UPath(tmp_path / "mirrors"),
        "options": PushOptions(target_dataset="demo", delivery=HASTY),
        "mirror": MirrorOptions(segment_nodes=8, max_removed=1.0),
    }
    with client_of(remote.url, remote.api_key) as client:
        assert push_mirror([graph.archive(path)], client=client, **given).status == "completed"
        graph.remove_node()
        archive = graph.archive(path)
        assert not plan_mirror([archive], client=client, **given).as_json()["in_sync"]
        assert push_mirror([archive], client=client, **given).status == "completed"
        assert compare_archives([archive], client=client, target_dataset="demo").is_exact
        assert push_mirror([archive], client=client, **given).status == "unchanged"


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
def test_a_push_gets_through_though_every_other_read_fails(
    remote: FakeRemote, tmp_path: Path, run_in_background: bool
) -> None:
    fail_every_other_read(remote)
    archive = ChangingGraph(1, nodes=10).archive(tmp_path / "graph.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client:
        result = push_archive(archive, client=client, settings=HASTY, run_in_background=run_in_background)
    assert result.status in ("completed", "started")
    assert len(remote.uploads) == 1


@pytest.mark.parametrize("check", ["remote_in_sync", "remote_graph_complete", "remote_import_succeeded"])
def test_a_check_knows_what_it_asks_though_every_other_read_fails(
    remote: FakeRemote, tmp_path: Path, check: str
) -> None:
    chain = Chain(
        remote=remote,
        directory=tmp_path,
        graph=people(size=5),
        options={"sync": "incremental", "verify": "graph", "retry_policy": NO_RETRY},
        remote_options={"max_attempts": 2, "max_retry_wait": 0.01},
    )
    fail_every_other_read(remote)
    assert chain.run().success
    assert chain.check(check).passed


def test_who_asks_is_not_taken_for_unknown_where_the_server_fails(remote: FakeRemote) -> None:
    """A dataset of somebody else would be taken for one's own, or one's own for none."""
    remote.faults.on("/api/v1/users/me", *[server_failed()] * QUICK_RETRIES.attempts)
    with client_of(remote.url, remote.api_key) as client:
        client.ensure_dataset("demo")
        with pytest.raises(RemoteRejectedError, match="500"):
            client.find_dataset("demo")
        assert client.find_dataset("demo") is not None


@pytest.mark.parametrize("read", READS)
def test_a_read_that_always_fails_ends_in_the_servers_own_words_after_its_attempts(read: str) -> None:
    failing = scripted(500, {"detail": "its own words"})
    with ScriptedServer(*[failing] * 9) as server, client_of(server.url, "key") as client:
        with pytest.raises(
            RemoteRejectedError, match=r"500 .*The server failed; its log says why.*its own words"
        ) as raised:
            READS[read](client)
        assert len(server.requests) == QUICK_RETRIES.attempts
    assert (raised.value.status, raised.value.retryable) == (500, True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([200, 400, 401, 403, 404, 409, 422, 500, 501, 502, 503, 504]), min_size=3, max_size=5))
def test_a_read_takes_no_more_requests_than_its_attempts_whatever_is_answered(statuses: list[int]) -> None:
    """As long as each answer may pass, and none after the first that is final."""
    final = next((number for number, status in enumerate(statuses, 1) if status not in REPEATABLE_STATUSES), 9)
    tries = min(final, QUICK_RETRIES.attempts)
    script = [scripted(status, []) for status in statuses]
    with ScriptedServer(*script) as server, client_of(server.url, "key") as client:
        with pytest.raises(RemoteError) if statuses[tries - 1] != 200 else contextlib.nullcontext() as raised:
            client.datasets()
        assert len(server.requests) == tries
    if raised is not None:
        assert raised.value.status == statuses[tries - 1]
