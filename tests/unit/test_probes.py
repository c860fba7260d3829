"""``Probe``: what counts as found, which probes cannot work, and what is said of a remote that cannot be asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from cognee_dagster import Probe
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probes.asking import ask_dataset, ask_probes, judged
from cognee_dagster.remote import CogneeClient, Connection, RetryPolicy
from cognee_dagster.remote.searches import parse_results
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, SEARCHES, Fault, answer, reset
from cognee_dagster.testing.graph import Node

FOUNDER = Probe("Who founded Acme?", contains="Ada")


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        dataset = server.state.ensure_dataset("acme", server.admin)
        dataset.graph.nodes |= {
            "a": Node("Ada", "Entity", {"description": "An engineer."}),
            "b": Node("Acme", "Entity", {"description": "A company."}),
            "c": Node(None, "DocumentChunk", {"text": "Ada founded Acme\nin a garage."}),
        }
        dataset.graph.edges["a", "founded", "b"] = {}
        yield server


@pytest.fixture
def client(remote: FakeRemote) -> Iterator[CogneeClient]:
    connection = Connection(url=remote.url, api_key=SecretStr(remote.api_key))
    with CogneeClient(connection, retry=RetryPolicy(attempts=1)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("contains", "found"),
    [
        ("Ada", "Ada founded Acme."),
        ("ADA FOUNDED", "… ada  founded Acme"),  # case
        ("founded Acme in a", "Ada founded\n Acme\tin a garage"),  # white space
        ("Zoe\u0308", "Zo\u00eb wrote it"),  # two spellings of one letter
        ("a.b", "it is a.b"),
        ("da", "Ada"),  # inside of a word, too
    ],
)
def test_what_must_be_found_is_found_whatever_its_case_and_white_space(contains: str, found: str) -> None:
    assert judged(Probe("?", contains=contains), found).is_found is True


@pytest.mark.parametrize(
    ("contains", "found"), [("Ada", "Bea"), ("Ada", ""), ("a.b", "axb"), ("Ada Lovelace", "AdaLovelace"), ("e", "é")]
)
def test_anything_else_is_not_found_and_is_shown_instead(contains: str, found: str) -> None:
    answered = judged(Probe("?", contains=contains), found)
    assert (answered.is_found, answered.found) == (False, found)
    assert (f"but `{found}`" if found else "nor anything else") in answered.reason


def test_where_it_was_found_is_shown_however_much_was() -> None:
    answered = judged(FOUNDER, "x " * 5_000 + "then Ada came" + " y" * 5_000)
    assert "then Ada came" in answered.found
    assert len(answered.found) <= 500


def test_what_others_wrote_is_shown_on_one_line_without_escapes_markup_or_the_key() -> None:
    hostile = "</code>`\n# Boo\x1b[31m red\x1b[0m [click](http://x) SECRETKEY-123456 " + "z" * 5_000
    answered = judged(FOUNDER, hostile, secret="SECRETKEY-123456")
    assert len(answered.found) <= 500
    for text in (answered.found, answered.reason):
        assert text.isprintable()
        assert "SECRETKEY" not in text
        assert "\x1b" not in text
    quoted = answered.reason.partition("but ")[2]
    assert quoted.count("`") == 2  # nothing ends the code span


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"question": " "}, "question"),
        ({"question": "x" * 1_001}, "question"),
        ({"contains": ""}, "contains"),
        ({"contains": "x" * 501}, "contains"),
        ({"contains": "\ud800"}, "contains"),
        ({"contains": 7}, "contains"),
        ({"search_type": "RAG_COMPLETION"}, "search_type"),
        ({"search_type": "NATURAL_LANGUAGE"}, "search_type"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 101}, "top_k"),
        ({"top_k": True}, "top_k"),
        ({"severity": "fatal"}, "severity"),
    ],
)
def test_a_probe_that_cannot_work_is_refused_where_it_is_said(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"{named}=.* cannot be used"):
        Probe(**{"question": "Who founded Acme?", "contains": "Ada", **fields})


@pytest.mark.parametrize("search_type", ["GRAPH_COMPLETION", "HYBRID_COMPLETION", "CHUNKS", "CHUNKS_LEXICAL"])
def test_the_remote_is_asked(client: CogneeClient, search_type: Any) -> None:
    probe = Probe("Who founded Acme?", contains="ada", search_type=search_type)
    (answered,) = ask_probes(client, [probe], target_dataset="acme")
    assert (answered.is_found, answered.reason) == (True, "")
    assert "Ada" in answered.found


def test_what_stands_in_the_question_only_is_not_found(client: CogneeClient) -> None:
    """Cognee gives the question back with the context, unless it is asked for the context alone."""
    (answered,) = ask_probes(client, [Probe("Did Zoe found Acme?", contains="Zoe")], target_dataset="acme")
    assert answered.is_found is False


def test_nothing_that_could_be_searched_is_nothing_found(remote: FakeRemote, client: CogneeClient) -> None:
    probe = Probe("Who founded Acme?", contains="Ada", search_type="SUMMARIES")
    (answered,) = ask_probes(client, [probe], target_dataset="acme")
    assert (answered.is_found, answered.found) == (False, "")


def test_a_dataset_that_is_gone_has_no_answer(client: CogneeClient) -> None:
    (answered,) = ask_probes(client, [FOUNDER], target_dataset="other")
    assert answered.is_found is False
    assert "has no dataset 'other'" in answered.reason


def said(status: int, body: object) -> Fault:
    return answer(status, json.dumps(body))


UNKNOWN = {
    "no search": said(404, {"detail": "Not Found"}),
    "no such search type": said(400, {"detail": [{"loc": ["body", "searchType"], "msg": "Input should be"}]}),
    "no permission": said(403, {"detail": "Request owner does not have necessary permission"}),
    "embeddings fail": said(500, {"error": "Internal server error", "detail": "EmbeddingException"}),
    "no result": said(200, []),
    "no list": said(200, {"context_result": "Ada"}),
    "another shape": said(200, ["Ada"]),
    "no context": said(200, [{"dataset_id": "x", "search_result": "Ada"}]),
    "a context that is none": said(200, [{"dataset_id": "x", "context_result": {"a": "Ada"}}]),
    "access control is off": said(200, [{"context_result": "Ada"}]),
    "another dataset": said(200, [{"dataset_id": "0b6ee0a2", "context_result": "Ada"}]),
    "a lost connection": reset(),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_remote_that_cannot_be_asked_is_not_known_and_never_a_pass(
    remote: FakeRemote, client: CogneeClient, case: str
) -> None:
    fault = UNKNOWN[case]
    remote.faults.on(SEARCHES, fault)
    (answered,) = ask_dataset(client, [FOUNDER], dataset_id=remote.dataset("acme").id)
    assert answered.is_found is None
    assert answered.reason


def test_a_dataset_that_cannot_be_looked_up_is_not_known(remote: FakeRemote, client: CogneeClient) -> None:
    remote.faults.on(DATASETS, said(500, {"detail": "oh"}))
    answers = ask_probes(client, [FOUNDER, FOUNDER], target_dataset="acme")
    assert [answered.is_found for answered in answers] == [None, None]


def test_a_remote_that_is_silent_is_asked_once_and_one_that_refuses_a_probe_is_asked_the_others(
    remote: FakeRemote, client: CogneeClient
) -> None:
    dataset_id = remote.dataset("acme").id
    remote.faults.on(SEARCHES, said(400, {"detail": "no"}), None)
    assert [found.is_found for found in ask_dataset(client, [FOUNDER, FOUNDER], dataset_id=dataset_id)] == [None, True]
    before = len(remote.requests)
    remote.faults.on(SEARCHES, reset(), None, None)
    assert [found.is_found for found in ask_dataset(client, [FOUNDER] * 3, dataset_id=dataset_id)] == [None] * 3
    assert len(remote.requests) == before + 1


def test_a_context_is_read_as_a_string_a_list_or_nothing() -> None:
    for context in ("Ada", ["Ada", "Bea"], "", [], None):
        (result,) = parse_results(json.dumps([{"dataset_id": "x", "context_result": context, "more": {}}]).encode())
        assert result.context_result == context
