"""Reading a server's answer within bounds, whatever it is packed in."""

import json
import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx

from cognee_dagster.remote.failures import JSON_ERRORS, Answer, Question, page_title, refusal, too_long, unexpected
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.remote_graph import GraphRows
from cognee_dagster.remote.wording import quoted

_T = TypeVar("_T")
_Rows = TypeVar("_Rows", bound=GraphRows)

_SMALL = 16 * 2**20  # bytes that may come out of any number
_MAX_RATIO = 100  # beyond those; a graph with its ids gives about 10

_SHORTEST_KEY = 16
_NO_CONTENT = 204

MAX_REFUSAL_BYTES = 64 * 2**10  # of an answer that is only quoted; the rest is not read


def read_answer(response: httpx.Response, question: Question, *, limit: int) -> Answer:
    """The whole body, as long as it is no longer than ``limit`` bytes, unpacked; of a refusal only its beginning.

    Raises:
        UnexpectedAnswerError: Longer than ``limit``, or in an encoding that was not asked for.
        httpx.HTTPError: The connection broke, or the limits of its exchange are reached.
    """
    refused = not response.is_success
    room = min(limit, MAX_REFUSAL_BYTES) if refused else limit
    if refused and _encoding_of(response) not in _ENCODINGS:
        return Answer(response.status_code, response.headers, b"")
    body = bytearray()
    for part in _parts(response, question, room=room):
        body += part
        if len(body) > room:
            if not refused:
                raise too_long(limit, question, status=response.status_code)
            del body[room:]
            break
    return Answer(response.status_code, response.headers, body)


def read_graph(
    response: httpx.Response, question: Question, rows: _Rows, *, limit: int, max_values: int
) -> GraphAnswer[_Rows]:
    """The graph that an answer holds, taken in as it comes; no more than ``limit`` bytes of it, unpacked.

    ``max_values`` is for what is no row of it.

    Raises:
        RemoteError: Any other status than 2xx, in words; see ``refusal``.
        UnexpectedAnswerError: It is no graph, is too long, or more than ``rows`` holds.
        httpx.HTTPError: As ``read_answer``.
    """
    if not response.is_success:
        raise refusal(read_answer(response, question, limit=limit), question)
    graph, size, begin = GraphAnswer(rows, max_values=max_values), 0, b""
    try:
        for part in _parts(response, question, room=limit):
            if (size := size + len(part)) > limit:
                raise too_long(limit, question, status=response.status_code)
            begin = begin or bytes(part[:MAX_REFUSAL_BYTES])
            graph.take(part)
        graph.end()
        return graph
    except (ValueError, RecursionError) as error:
        found = _what_else(Answer(response.status_code, response.headers, begin), question, error)
    raise unexpected(f"sends {found}", question, status=response.status_code)


_ENCODINGS = ("identity", "gzip", "x-gzip")


def _encoding_of(response: httpx.Response) -> str:
    return response.headers.get("content-encoding", "").strip().lower() or "identity"


def _parts(response: httpx.Response, question: Question, *, room: int) -> Iterator[bytes]:
    """The body's bytes as they come, unpacked."""
    encoding = _encoding_of(response)
    if encoding not in _ENCODINGS:
        raise unexpected(f"sends an answer in the encoding {quoted(encoding)}, which nobody asked for", question)
    yield from _unpacked(response.iter_raw(), encoding, room=room + 1)


def _unpacked(chunks: Iterator[bytes], encoding: str, *, room: int) -> Iterator[bytes]:
    """The body's bytes, never more than ``room`` at a time whatever they were packed from."""
    if encoding == "identity":
        yield from chunks
        return
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    packed_bytes = unpacked_bytes = 0
    for chunk in chunks:
        try:
            unpacked = unpacker.decompress(chunk, room)
        except zlib.error as error:
            problem = str(error)
            break
        packed_bytes += len(chunk)
        unpacked_bytes += len(unpacked)
        if unpacked_bytes > _SMALL + _MAX_RATIO * packed_bytes:
            problem = f"{packed_bytes:,} bytes unpack to more than {unpacked_bytes:,}"
            break
        yield unpacked
    else:
        return
    raise httpx.DecodingError(problem)


def content_of(
    answer: Answer,
    question: Question,
    parse: Callable[[bytes | bytearray], _T],
    *,
    max_values: int,
) -> _T:
    """What a 2xx answer says.

    Args:
        answer: The answer.
        question: What was asked.
        parse: Reads the body; raises ``ValueError`` with what it is instead.
        max_values: How many JSON values it may hold: "[[],[],…" takes twenty times its size in memory.

    Raises:
        RemoteError: Any other status, in words; see ``refusal``.
        UnexpectedAnswerError: The body is not JSON, holds too much, or cannot be read.
    """
    if not 200 <= answer.status < 300:
        raise refusal(answer, question)
    if sum(map(answer.body.count, (b",", b"[", b"{"))) > max_values:
        raise unexpected(f"sends more than {max_values:,} values", question, status=answer.status)
    try:
        return parse(_without_key(b"null" if answer.status == _NO_CONTENT else answer.body, question.secret))
    except (ValueError, RecursionError) as error:
        found = _what_else(answer, question, error)
    raise unexpected(f"sends {found}", question, status=answer.status)


def _without_key(body: bytes | bytearray, key: str) -> bytes | bytearray:
    """The body with ``***`` for a key that the server repeats: what it says is shown, logged and kept.

    A key that could be a part of something else is left.
    """
    if len(key) < _SHORTEST_KEY or (key.isalnum() and (key.isdigit() or key.isalpha())):
        return body
    for spelled in {key, json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}:
        if (content := spelled.encode("utf-8", "surrogatepass")) in body:
            body = body.replace(content, b"***")
    return body


def _what_else(answer: Answer, question: Question, error: ValueError | RecursionError) -> str:
    """What an answer is instead of what was asked for."""
    if not isinstance(error, JSON_ERRORS):
        return str(error)
    title = quoted(page_title(answer), secret=question.secret)
    return title or ("something that is not JSON" if answer.body.strip() else "nothing")
