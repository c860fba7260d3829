"""The rule-based stand-in for a language model, in the formats in which GraphRAG and its kin ask for a graph."""

import csv
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cognee_dagster.sandbox.embeddings import embedded
from examples.stand_in_llm.extraction import extract

_ENTITIES = re.compile(r"-----?Entities-----?\n+(?:```csv\n)?(?P<rows>(?:(?!-----).+\n)+)", re.IGNORECASE)

_DAY = re.compile(r"(?P<word>On|From|Since) (?P<start>[\d-]+)(?: to (?P<end>[\d-]+))? ")


def tuples(text: str, *, between: str, after: str, end: str, quote: str = '"') -> str:
    """What was found in a text, as rows of tuples in parentheses; ``quote`` is around each value."""
    found = extract(text)
    rows: list[tuple[str, ...]] = [("entity", name, kind, found.mentions[name]) for name, kind in found.types.items()]
    rows += [("relationship", r.source, r.target, r.sentence, "5") for r in found.relations]
    return (
        after.join(f"({between.join([_quoted(row[0]), *(quote + v + quote for v in row[1:])])})" for row in rows) + end
    )


def lines(text: str, *, between: str, end: str) -> str:
    """What was found in a text, a line each, as LightRAG asks for it."""
    found = extract(text)
    rows: list[tuple[str, ...]] = [("entity", name, kind, found.mentions[name]) for name, kind in found.types.items()]
    rows += [("relation", r.source, r.target, r.relationship.replace("_", " "), r.sentence) for r in found.relations]
    return "\n".join([*map(between.join, rows), end])


def claims(text: str) -> str:
    """What a text says of a day, or of the time from one, as GraphRAG asks for claims."""
    rows: list[tuple[str, ...]] = []
    for sentence in extract(text).sentences:
        if (day := _DAY.match(sentence)) is None:
            continue
        end = day["start"] if day["word"] == "On" else day["end"]
        days = [f"{date}T00:00:00" if date else "NONE" for date in (day["start"], end)]
        status = "SUSPECTED" if "suspected" in sentence else "TRUE"
        found = extract(sentence)
        pairs = [(r.source, r.target) for r in found.relations] or [(next(iter(found.types)), "NONE")]
        rows += [(of.upper(), other.upper(), "INCIDENT", status, *days, sentence, sentence) for of, other in pairs]
    return "##".join(f"({'<|>'.join(row)})" for row in rows) + "<|COMPLETE|>"


def text_in(prompt: str) -> str | None:
    """The text that GraphRAG's or nano-graphrag's prompt asks to extract a graph from; None for another prompt."""
    if "-Real Data-" not in prompt or "Entity_types" not in prompt:
        return None
    return prompt.rsplit("Text:", 1)[1].rsplit("Output:", 1)[0]


def report(prompt: str) -> str:
    """A report on the community whose members the prompt lists, as GraphRAG and nano-graphrag ask for it."""
    *_, last = _ENTITIES.finditer(prompt)  # those before it are examples
    _, *rows = csv.reader(last["rows"].replace("```", "").replace(",\t", ",").strip().splitlines())
    names = [row[1].strip().strip('"').title() for row in rows if len(row) > 1]
    together = (
        f"{', '.join(names[:-1])} and {names[-1]} belong together." if len(names) > 1 else f"{names[0]} is alone."
    )
    said = {
        "title": f"Around {names[0]}",
        "summary": together,
        "rating": 5.0,
        "rating_explanation": "The harbour works without most of it.",
        "findings": [{"summary": f"{names[0]} comes first", "explanation": f"{len(names)} names are linked."}],
    }
    return json.dumps(said)


@contextmanager
def served() -> Iterator[str]:
    """An OpenAI-compatible endpoint on loopback, for GraphRAG; gives its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _RequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _quoted(word: str) -> str:
    return f'"{word}"'


def _completed(request: Mapping[str, Any]) -> str:
    asked = [message["content"] for message in request["messages"] if message["role"] == "user"]
    if (text := text_in(asked[-1])) is not None:
        return tuples(text, between="<|>", after="##", end="<|COMPLETE|>", quote="")
    if "-Real Data-" in asked[-1] and "Claim description:" in asked[-1]:
        return claims(asked[-1].rsplit("Text:", 1)[1].rsplit("Output:", 1)[0])
    if re.search(r"community|report rating", asked[-1], re.IGNORECASE):
        return report(asked[-1])
    described = re.search(r"Description List: (\[.*\])", asked[-1], re.DOTALL)
    return " ".join(json.loads(described[1])) if described else "<|COMPLETE|>"


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(_vectors(request) if self.path.endswith("/embeddings") else _completion(request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Say nothing."""


def _vectors(request: Mapping[str, Any]) -> dict[str, Any]:
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    found = [{"object": "embedding", "index": i, "embedding": embedded(str(text))} for i, text in enumerate(texts)]
    return {"object": "list", "model": "m", "data": found, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def _completion(request: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": _completed(request)}
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
