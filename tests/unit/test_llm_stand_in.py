"""The stand-in for a language model answers by rules what ``cognify`` asks, and says plainly what it is."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from examples.stand_in_llm import MODEL, LLMStandIn, language_model
from examples.stand_in_llm.extraction import UNTYPED, extract, split_sentences

GRAPH_SCHEMA = {"title": "KnowledgeGraph", "properties": {"nodes": {}, "edges": {}}, "type": "object"}
SUMMARY_SCHEMA = {"title": "SummarizedContent", "properties": {"summary": {}}, "type": "object"}
TEXT = "Ada Moreno is an engineer who leads Data Platform. She wrote Compass and Atlas."


@pytest.fixture(scope="module")
def llm() -> Iterator[httpx.Client]:
    with LLMStandIn() as stand_in, httpx.Client(base_url=stand_in.url, trust_env=False) as client:
        yield client


def _in_prompt(schema: dict[str, Any]) -> dict[str, Any]:
    """How Cognee 1.6.5 asks a model that LiteLLM does not know (litellm_native/native_adapter.py)."""
    instruction = (
        "You MUST respond with valid JSON conforming to this schema:\n"
        f"```json\n{json.dumps(schema, indent=2)}\n```\nDo not include any text outside the JSON object."
    )
    messages = [{"role": "system", "content": f"Prompt.\n\n{instruction}"}, {"role": "user", "content": TEXT}]
    return {"model": "any", "messages": messages, "response_format": {"type": "json_object"}}


def _ask(llm: httpx.Client, request: dict[str, Any]) -> dict[str, Any]:
    response = llm.post("/chat/completions", json=request)
    assert response.status_code == 200, response.text
    message: dict[str, Any] = response.json()["choices"][0]["message"]
    return message


def test_a_knowledge_graph_has_names_types_and_facts_with_the_sentence_they_come_from(llm: httpx.Client) -> None:
    graph = json.loads(_ask(llm, _in_prompt(GRAPH_SCHEMA))["content"])
    assert {node["name"]: node["type"] for node in graph["nodes"]} == {
        "Ada Moreno": "Engineer",
        "Data Platform": UNTYPED,
        "Compass": UNTYPED,
        "Atlas": UNTYPED,
    }
    assert [(edge["source_node_id"], edge["relationship_name"], edge["target_node_id"]) for edge in graph["edges"]] == [
        ("Ada Moreno", "leads", "Data Platform"),
        ("Ada Moreno", "wrote", "Compass"),
        ("Ada Moreno", "wrote", "Atlas"),
    ]
    assert graph["edges"][0]["description"] == "Ada Moreno is an engineer who leads Data Platform."


def test_a_summary_holds_the_text_s_sentences(llm: httpx.Client) -> None:
    summary = json.loads(_ask(llm, _in_prompt(SUMMARY_SCHEMA))["content"])
    assert "- She wrote Compass and Atlas." in summary["summary"]


@pytest.mark.parametrize("place", ["response_format", "tools"])
def test_the_schema_is_found_wherever_a_client_puts_it(llm: httpx.Client, place: str) -> None:
    request: dict[str, Any] = {"messages": [{"role": "user", "content": TEXT}]}
    if place == "tools":
        request["tools"] = [{"type": "function", "function": {"name": "KnowledgeGraph", "parameters": GRAPH_SCHEMA}}]
        answer = _ask(llm, request)["tool_calls"][0]["function"]["arguments"]
    else:
        json_schema = {"name": "KnowledgeGraph", "schema": GRAPH_SCHEMA}
        request["response_format"] = {"type": "json_schema", "json_schema": json_schema}
        answer = _ask(llm, request)["content"]
    assert len(json.loads(answer)["edges"]) == 3


def test_an_answer_in_words_says_that_it_is_no_language_model(llm: httpx.Client) -> None:
    message = _ask(llm, {"messages": [{"role": "user", "content": "Who leads Data Platform?"}]})
    assert "NOT a language model" in message["content"]


def test_an_unknown_schema_is_refused_with_a_status_that_cognee_does_not_repeat(llm: httpx.Client) -> None:
    response = llm.post("/chat/completions", json=_in_prompt({"title": "ExtractedTypes"}))
    assert response.status_code == 404
    assert "LLM_API_KEY" in response.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{not json", b'{"messages": [{"role": "system"}, 3]}'])
def test_what_is_no_request_is_refused(llm: httpx.Client, body: bytes) -> None:
    assert llm.post("/chat/completions", content=body).status_code == 400


def test_a_user_s_own_language_model_is_used_instead() -> None:
    with language_model({"LLM_API_KEY": "a key"}) as environ:
        assert environ == {"LLM_API_KEY": "a key"}
    with language_model({"LLM_API_KEY": " "}) as environ:
        assert environ["LLM_MODEL"] == MODEL


def test_markdown_is_read_as_prose() -> None:
    text = "# Head\n\n- **Ada** leads `Atlas`.\n2. See [Ines\nDuarte](https://example.com/A_b).\n\n---\n> Mei left.\n"
    assert list(split_sentences(text)) == ["Ada leads Atlas.", "See Ines Duarte.", "Mei left."]


@pytest.mark.parametrize("text", ["", "no names here.", "???", "É", "A.", "It is."])
def test_a_text_without_facts_gives_no_facts(text: str) -> None:
    assert extract(text).relations == ()
