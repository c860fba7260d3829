"""What is found without a language model, and what a server says where nothing can be found."""

from typing import Any

import httpx
import pytest

from tests.contract.archives import handbook, people
from tests.contract.remote_under_test import Account, RemoteUnderTest

KINDS = ("GRAPH_COMPLETION", "HYBRID_COMPLETION", "CHUNKS", "CHUNKS_LEXICAL", "SUMMARIES")


def search(
    remote: RemoteUnderTest, dataset_id: str, *, as_user: Account | None = None, **changes: Any
) -> httpx.Response:
    asked = {"searchType": "GRAPH_COMPLETION", "query": "Who leads Bea?", "topK": 10, "datasetIds": [dataset_id]}
    return remote.search({**asked, "onlyContext": True, "verbose": True, **changes}, as_user=as_user)


def test_each_search_finds_what_the_graph_holds_and_names_the_dataset(remote: RemoteUnderTest, name: str) -> None:
    assert remote.upload(handbook(name), name).status_code == 200
    (dataset_id,) = remote.dataset_ids(name)
    held = {
        "GRAPH_COMPLETION": ("Node: Ada", "Ada --[leads]--> Bea"),
        "HYBRID_COMPLETION": ("Ada", "Bea"),
        "CHUNKS": ("Ada leads.",),
        "CHUNKS_LEXICAL": ("Ada leads.",),
        "SUMMARIES": ("Leading.",),
    }
    for kind, texts in held.items():
        answer = search(remote, dataset_id, searchType=kind)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()
        assert (result["dataset_id"], result["dataset_name"]) == (dataset_id, name)
        assert isinstance(result["context_result"], str)
        assert [text for text in texts if text not in result["context_result"]] == [], kind
        assert "Who leads" not in result["context_result"]  # the question is no part of what was found


def test_a_graph_without_texts_is_nothing_to_search_for_them(remote: RemoteUnderTest, name: str) -> None:
    assert remote.upload(people(name), name).status_code == 200
    (dataset_id,) = remote.dataset_ids(name)
    for kind in KINDS:
        answer = search(remote, dataset_id, searchType=kind)
        if kind in ("GRAPH_COMPLETION", "HYBRID_COMPLETION"):
            assert "Ada --[leads]--> Bea" in answer.json()[0]["context_result"]
        else:
            assert (answer.status_code, "[NoDataError]" in answer.json()["detail"]) == (404, True)


def test_an_empty_dataset_is_nothing_to_search(remote: RemoteUnderTest, name: str) -> None:
    dataset_id = remote.create_dataset(name)
    for kind in ("GRAPH_COMPLETION", "CHUNKS_LEXICAL"):
        answer = search(remote, dataset_id, searchType=kind)
        assert (answer.status_code, "[NoDataError]" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"searchType": "NONSENSE"}, 400),
        ({"query": " "}, 422),
        ({"datasetIds": ["no-uuid"]}, 400),
        ({"datasetIds": ["11111111-1111-5111-8111-111111111111"]}, 403),
    ],
)
def test_what_cannot_be_searched_is_refused(
    remote: RemoteUnderTest, name: str, changes: dict[str, Any], status: int
) -> None:
    assert search(remote, remote.create_dataset("searched"), **changes).status_code == status


def test_a_dataset_that_one_may_not_read_is_not_searched(remote: RemoteUnderTest, name: str) -> None:
    assert search(remote, remote.create_dataset(name), as_user=remote.bob).status_code == 403
