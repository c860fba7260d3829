"""A mirror's push that has deleted something, and got no further, has failed: the remote graph is not what it was."""

from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, Fault, answer, drop_answer
from tests.asset_chain import NO_RETRY, Chain, people
from tests.unit.test_begun_pushes import killed
from tests.unit.test_failed_pushes import latest_check

FORGET = "/api/v1/forget"


@pytest.fixture
def replacing(remote: FakeRemote, tmp_path: Path) -> Chain:
    """A mirror that is emptied before it is sent, as the next push has to."""
    options = {"retry_policy": NO_RETRY, "sync": None, "on_removed": "replace", "max_removed": 1.0}
    chain = Chain(remote=remote, directory=tmp_path, options=options, graph=people(size=5))
    assert chain.run().success
    chain.graph = people(size=3)
    return chain


@pytest.mark.parametrize("fault", [answer(413), answer(401), answer(429)])
def test_a_push_that_has_emptied_the_remote_graph_has_failed_also_where_the_upload_is_refused(
    replacing: Chain, remote: FakeRemote, fault: Fault
) -> None:
    remote.faults.on(UPLOADS, fault)
    assert not replacing.run().success
    assert not remote.graph("people").nodes
    assert not latest_check(replacing).passed
    assert not replacing.check().passed


def test_a_remote_that_refuses_to_be_emptied_has_what_it_had(replacing: Chain, remote: FakeRemote) -> None:
    remote.faults.on(FORGET, answer(403))
    assert not replacing.run().success
    assert latest_check(replacing).passed
    assert replacing.check().passed


def test_of_a_deletion_without_an_answer_nobody_knows_what_was_deleted(replacing: Chain, remote: FakeRemote) -> None:
    remote.faults.on(FORGET, drop_answer())
    assert not replacing.run().success
    assert not latest_check(replacing).passed


def test_executed_the_check_knows_of_a_push_that_was_killed_when_it_had_only_deleted(
    replacing: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.faults.on(UPLOADS, answer(413))
    with killed(monkeypatch):
        assert not replacing.run().success
    evaluation = replacing.check()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "A push into dataset 'people'" in str(evaluation.description)
    assert "did not see its end" in str(evaluation.description)
    assert replacing.run().success
    assert replacing.check().passed
