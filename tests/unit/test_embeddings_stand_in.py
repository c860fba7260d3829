"""The sandbox's embeddings bring texts with the same words together, and answer as an OpenAI-compatible model does."""

from collections.abc import Iterator

import httpx
import pytest

from cognee_dagster.sandbox.embeddings import DIMENSIONS, EmbeddingsStandIn, embedded


def likeness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embedded(one), embedded(other), strict=True))


def test_texts_that_share_words_are_nearer_than_others() -> None:
    question = "Who wrote Compass?"
    assert likeness(question, "Ada Moreno wrote Compass.") > likeness(question, "Kestrel reports to Watchtower.")
    assert likeness("Bees, bees!", "BEES") == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "…", "one", "one one two", "人"])
def test_every_vector_has_the_length_1(text: str) -> None:
    assert sum(value * value for value in embedded(text)) == pytest.approx(1)


@pytest.fixture
def server() -> Iterator[str]:
    stand_in = EmbeddingsStandIn()
    stand_in.start()
    stand_in.start()  # once is enough
    yield stand_in.settings["EMBEDDING_ENDPOINT"]
    stand_in.stop()
    stand_in.stop()


def test_it_answers_in_the_order_of_the_texts(server: str) -> None:
    answer = httpx.post(f"{server}/embeddings", json={"input": ["a", "b"], "model": "any"}, trust_env=False).json()
    assert [row["embedding"] for row in answer["data"]] == [embedded("a"), embedded("b")]
    assert len(answer["data"][0]["embedding"]) == DIMENSIONS
    single = httpx.post(f"{server}/embeddings", json={"input": "a"}, trust_env=False).json()
    assert [row["index"] for row in single["data"]] == [0]


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"input": [1]}'])
def test_what_it_cannot_embed_is_refused(server: str, body: bytes) -> None:
    assert httpx.post(f"{server}/embeddings", content=body, trust_env=False).status_code == 400
