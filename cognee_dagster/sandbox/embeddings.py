"""A stand-in for an embedding model, so that searches in the sandbox find words without a key and without a network.

An OpenAI-compatible endpoint on loopback that hashes the words of a text into a vector: texts that share words are
near each other. No match for a model, which also knows what words mean.
"""

import json
import math
import re
import threading
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
DIMENSIONS = 256
_MODEL = "text-embedding-3-small"  # of a name whose tokenizer Cognee has without a download (1.6.5, ``resolver.py``)
_WORD = re.compile(r"[^\W_]+")


def embedded(text: str) -> list[float]:
    """The vector of a text, of length 1: each word adds to one of its dimensions, or takes away from it."""
    vector = [0.0] * DIMENSIONS
    for word, count in Counter(_WORD.findall(text.lower())).items():
        mark = zlib.crc32(word.encode())
        vector[mark % DIMENSIONS] += math.copysign(math.sqrt(count), -(mark >> 31 & 1) or 1)
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0.0:
        return [1.0] + [0.0] * (DIMENSIONS - 1)  # a text without words still has to be somewhere
    return [value / length for value in vector]


class EmbeddingsStandIn:
    """Serves the stand-in on a free loopback port from a thread of this process, from ``start()`` to ``stop()``."""

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Serve, unless it does already."""
        if self._server is None:
            self._server = ThreadingHTTPServer((HOST, 0), _RequestHandler)
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, name="embeddings-stand-in", daemon=True).start()

    def stop(self) -> None:
        """Serve no longer."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def settings(self) -> dict[str, str]:
        """The variables with which Cognee uses it; once it serves."""
        assert self._server is not None  # noqa: S101 - it was started
        return {
            "MOCK_EMBEDDING": "false",
            "EMBEDDING_PROVIDER": "openai_compatible",
            "EMBEDDING_MODEL": _MODEL,
            "EMBEDDING_ENDPOINT": f"http://{HOST}:{self._server.server_address[1]}/v1",
            "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
            "EMBEDDING_API_KEY": "stand-in",
        }


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            texts = _texts(json.loads(body))
        except (ValueError, TypeError, KeyError) as error:
            self._answer(400, {"error": {"message": f"Not a request for embeddings: {error!r}"}})
            return
        self._answer(200, _answer_to(texts))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Say nothing: Cognee's own log has what matters."""

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _texts(request: Mapping[str, Any]) -> list[str]:
    given = request["input"]
    texts = [given] if isinstance(given, str) else list(given)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("input must be a string or a list of strings")
    return texts


def _answer_to(texts: Sequence[str]) -> dict[str, Any]:
    found = [{"object": "embedding", "index": index, "embedding": embedded(text)} for index, text in enumerate(texts)]
    return {"object": "list", "model": _MODEL, "data": found, "usage": {"prompt_tokens": 0, "total_tokens": 0}}
