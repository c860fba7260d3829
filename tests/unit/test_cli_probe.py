"""``cognee-dagster probe``: whether a remote dataset has an answer."""

import json

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.testing import FakeRemote, Node
from cognee_dagster.testing.faults import SEARCHES, answer
from tests.command_line import call

pytest_plugins = ["cognee_dagster.testing.plugin"]


@pytest.fixture
def remote(fake_remote_environment: FakeRemote) -> FakeRemote:
    dataset = fake_remote_environment.state.ensure_dataset("acme", fake_remote_environment.admin)
    dataset.graph.nodes["c"] = Node(None, "DocumentChunk", {"text": "Ada founded Acme.\x1b[31m"})
    return fake_remote_environment


ASK = ("probe", "acme", "Who founded Acme?", "--search-type", "CHUNKS", "--contains")


def test_an_answer_is_printed_and_ends_with_0(remote: FakeRemote) -> None:
    result = call(*ASK, "ADA")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "found: Ada founded Acme.\n")


def test_no_answer_ends_with_11_and_what_was_found_instead(remote: FakeRemote) -> None:
    result = call(*ASK, "Bea")
    assert result.exit_code == ExitCode.NO_ANSWER
    assert result.stdout == "`Who founded Acme?` does not find `Bea`, but `Ada founded Acme.` (CHUNKS).\n"


def test_json_has_the_answer_either_way(remote: FakeRemote) -> None:
    for contains, answered in (("Ada", True), ("Bea", False)):
        result = call(*ASK, contains, "--json")
        assert result.exit_code == (ExitCode.OK if answered else ExitCode.NO_ANSWER)
        assert json.loads(result.stdout) == {
            "answered": answered,
            "dataset_id": remote.dataset("acme").id,
            "question": "Who founded Acme?",
            "search_type": "CHUNKS",
            "must_contain": contains,
            "found": "Ada founded Acme.",
        }


def test_what_cannot_be_asked_is_no_answer_of_the_remotes(remote: FakeRemote) -> None:
    assert call("probe", "other", "Who?", "--contains", "Ada").exit_code == ExitCode.NO_DATASET
    assert call("probe", "acme", " ", "--contains", "Ada").exit_code == ExitCode.USAGE
    assert call("probe", "acme", "Who?").exit_code == ExitCode.USAGE
    remote.faults.on(SEARCHES, answer(404, "{}"))  # as of a server without that route
    assert call(*ASK, "Ada").exit_code == ExitCode.FAILED
