"""Reading a server's answer within bounds, whatever it is packed in."""

import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx

from cognee_dagster.remote.failures import JSON_ERRORS, Answer, Question, page_title, refusal, too_long, unexpected
from cognee_dagster.remote.wording import quoted

_T = TypeVar("_T")

_SMALL = 16 * 2**20  # bytes that may come out of any number
_MAX_RATIO = 100  # beyond those; a graph with its ids gives about 10

MAX_REFUSAL_BYTES = 64 * 2**10  # of an answer that is only quoted; the rest is not read


def read_answer(response: httpx.Response, question: Question, *, limit: int) -> Answer:
    """The whole body, as long as it is no longer than ``limit`` bytes, unpacked; of a refusal only its beginning.

    Raises:
        UnexpectedAnswerError: Longer than ``limit``, or in an encoding that was not asked for.
        httpx.HTTPError: The connection broke, or the limits of its exchange are reached.
    """
    refused = not response.is_success
    room = min(limit, MAX_REFUSAL_BYTES) if refused else limit
    encoding = response.headers.get("content-encoding", "").strip().lower() or "identity"
    if encoding not in ("identity", "gzip", "x-gzip"):
        if refused:
            return Answer(response.status_code, response.headers, b"")
        raise unexpected(f"sends an answer in the encoding {quoted(encoding)}, which nobody asked for", question)
    body = bytearray()
    for chunk in _unpacked(response.iter_raw(), encoding, room=room + 1):
        body += chunk
        if len(body) > room:
            if not refused:
                raise too_long(limit, question, status=response.status_code)
            del body[room:]
            break
    return Answer(response.status_code, response.headers, body)


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
        return parse(answer.body)
    except JSON_ERRORS:
        found = quoted(page_title(answer), secret=question.secret) or (
            "nothing" if not answer.body.strip() else "something that is not JSON"
        )
    except ValueError as error:
        found = str(error)
    raise unexpected(f"sends {found}", question, status=answer.status)
