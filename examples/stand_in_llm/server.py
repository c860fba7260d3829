"""A stand-in for a language model: an OpenAI-compatible endpoint on loopback that answers by rules, not by a model.

It knows the two schemas that ``cognify`` asks for (Cognee 1.6.5, ``shared/data_models.py``): ``KnowledgeGraph`` and
``SummarizedContent``. Cognee puts the schema into the system prompt, as a JSON block, for models that LiteLLM does not
know (``litellm_native/native_adapter.py``), and into ``response_format`` or ``tools`` for others.
"""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cognee_dagster.sandbox import has_language_model
from examples.stand_in_llm.extraction import Extraction, extract

BANNER = "rule-based stand-in for a language model: NOT a language model, for demos and tests only"
HOST = "127.0.0.1"
MODEL = "openai/rule-based-stand-in"
_MAX_SUMMARY_FACTS = 5
_SCHEMA_IN_PROMPT = re.compile(r"conforming to this schema:\s*```json\s*(\{.*?\})\s*```", re.DOTALL)


class LLMStandIn:
    """Serves the stand-in on a free loopback port from a thread of this process; a context manager.

    Attributes:
        url: What Cognee calls ``LLM_ENDPOINT``.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _RequestHandler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="llm-stand-in", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}/v1"

    @property
    def settings(self) -> dict[str, str]:
        """The variables with which Cognee uses it."""
        return {"LLM_PROVIDER": "custom", "LLM_MODEL": MODEL, "LLM_ENDPOINT": self.url, "LLM_API_KEY": "stand-in"}

    def __enter__(self) -> "LLMStandIn":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def language_model(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """``environ`` with a language model: the one that it has a key for, else a stand-in."""
    if has_language_model(environ):
        yield dict(environ)
    else:
        with LLMStandIn() as stand_in:
            yield {**environ, **stand_in.settings}


class UnknownSchemaError(Exception):
    """A request that the rules cannot answer."""


def complete(request: Mapping[str, Any]) -> str:
    """The answer's text to one chat-completions request.

    Raises:
        UnknownSchemaError: It asks for a structure that the rules do not know.
    """
    schema = _requested_schema(request)
    if schema is None:
        return f"This is the {BANNER}."
    title = str(schema.get("title", ""))
    answer = _ANSWERS.get(title)
    if answer is None:
        known = " and ".join(_ANSWERS)
        raise UnknownSchemaError(
            f"The {BANNER}. It knows the schemas {known}, not {title!r}. Set LLM_API_KEY to use a language model."
        )
    return json.dumps(answer(extract(_user_text(request))), ensure_ascii=False)


def knowledge_graph(extraction: Extraction) -> dict[str, Any]:
    """The extraction in the shape of Cognee's ``KnowledgeGraph``."""
    return {
        "nodes": [
            {"id": name, "name": name, "type": kind, "description": extraction.mentions[name]}
            for name, kind in extraction.types.items()
        ],
        "edges": [
            {
                "source_node_id": relation.source,
                "target_node_id": relation.target,
                "relationship_name": relation.relationship,
                "description": relation.sentence,
            }
            for relation in extraction.relations
        ],
    }


def summary(extraction: Extraction) -> dict[str, Any]:
    """The extraction in the shape of Cognee's ``SummarizedContent``: the names, then the first sentences."""
    names = ", ".join(list(extraction.types)[:_MAX_SUMMARY_FACTS]) or "no names"
    facts = "\n".join(f"- {sentence}" for sentence in extraction.sentences[:_MAX_SUMMARY_FACTS])
    return {"summary": f"This chunk is about:\n- Topics: {names}\nFacts:\n{facts}", "description": ""}


_ANSWERS: dict[str, Callable[[Extraction], dict[str, Any]]] = {
    "KnowledgeGraph": knowledge_graph,
    "SummarizedContent": summary,
}


def _requested_schema(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON schema of the wanted answer, wherever the client put it; None for plain text."""
    for tool in request.get("tools") or ():
        function = tool["function"]
        return {"title": function["name"], **function.get("parameters", {})}
    if json_schema := (request.get("response_format") or {}).get("json_schema"):
        return {"title": json_schema["name"], **json_schema["schema"]}
    for message in request.get("messages", ()):
        if message.get("role") == "system" and (found := _SCHEMA_IN_PROMPT.search(_text_of(message))):
            return dict(json.loads(found[1]))
    return None


def _user_text(request: Mapping[str, Any]) -> str:
    return "\n\n".join(_text_of(message) for message in request["messages"] if message.get("role") == "user")


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)


def _completion(request: Mapping[str, Any], text: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    finish_reason = "stop"
    if tools := request.get("tools"):
        call = {"name": tools[0]["function"]["name"], "arguments": text}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
        }
        finish_reason = "tool_calls"
    return {
        "id": "stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": BANNER}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith("/chat/completions"):
            self._answer(404, _error(f"The {BANNER}. It has no {self.path}."))
            return
        try:
            request = json.loads(body)
            self._answer(200, _completion(request, complete(request)))
        except UnknownSchemaError as error:
            self._answer(404, _error(str(error)))  # not found is the answer that Cognee does not repeat for minutes
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._answer(400, _error(f"Not a chat-completions request: {error!r}"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name for it)
        """Say nothing: Cognee's own log has every call."""

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
