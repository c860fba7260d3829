"""Reading a server's answer with bounds, and telling in words what a refusal means and what to do next."""

import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import orjson

from cognee_dagster.errors import (
    RemoteAuthError,
    RemoteError,
    RemotePermissionError,
    RemoteRejectedError,
    RemoteUnreachableError,
    UnexpectedAnswerError,
)
from cognee_dagster.remote.retry import parse_retry_after
from cognee_dagster.remote.transport import REDIRECT_TARGET

MAX_WORDS = 500  # characters of the server's own text that a message quotes

# 429 and the gateway answers; 520-524 are Cloudflare's, which sits before hosted instances.
GATEWAY_STATUSES = frozenset({429, 502, 503, 504, 520, 521, 522, 523, 524})

_HINTS = {
    400: "Correct the request; trying again will not help.",
    404: "Check that the URL is the server's base address (without /api/v1) and that the server is a Cognee.",
    405: "Check that the URL is the server's base address (without /api/v1) and that the server is a Cognee.",
    409: "Cognee answers this when an archive arrived incomplete or its import failed; its log says which.",
    413: "A proxy before the server limits the size of uploads (nginx: client_max_body_size): raise that limit.",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked of whom, as messages say it, and the key that no message may repeat.

    Attributes:
        what: ``reading the graph of dataset …``.
        remote: The remote's URL.
        source: Where the URL came from.
        secret: The API key, to blank it out where a server echoes it.
    """

    what: str
    remote: str
    source: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"Question(what={self.what!r}, remote={self.remote!r})"


@dataclass(frozen=True)
class Answer:
    """A whole answer, read."""

    status: int
    headers: httpx.Headers
    body: bytes


def read_answer(response: httpx.Response, question: Question, *, limit: int, within: float | None) -> Answer:
    """The whole body, as long as it is no longer than ``limit`` bytes and arrives ``within`` seconds (None: any time).

    Raises:
        UnexpectedAnswerError: Longer than ``limit``.
        RemoteUnreachableError: Still dripping after ``within`` seconds.
        httpx.HTTPError: The connection broke.
    """
    body, start = bytearray(), time.monotonic()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > limit:
            raise UnexpectedAnswerError(
                f"{question.remote} answers with more than {limit:,} bytes when {question.what}. {_NOT_COGNEE}",
                status=response.status_code,
            )
        if within is not None and time.monotonic() - start > within:
            raise RemoteUnreachableError(
                f"{question.remote} is still sending its answer after {within:.0f} s when {question.what}. The server "
                "or the network is overloaded; try again later, or raise the time limit.",
                status=response.status_code,
            )
    return Answer(response.status_code, response.headers, bytes(body))


def json_of(answer: Answer, question: Question) -> Any:
    """The JSON of a 2xx answer.

    Raises:
        RemoteError: Any other status, in words; see ``refusal``.
        UnexpectedAnswerError: The body is not JSON.
    """
    if not 200 <= answer.status < 300:
        raise refusal(answer, question)
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = _page_title(_without_key(answer, question)) or (
            "nothing" if not answer.body.strip() else "something that is not JSON"
        )
    raise unexpected(f"sends {found}", question, status=answer.status)


def unexpected(problem: str, question: Question, *, status: int | None = None) -> UnexpectedAnswerError:
    """The error for an answer that no Cognee gives."""
    return UnexpectedAnswerError(f"{question.remote} {problem} when {question.what}. {_NOT_COGNEE}", status=status)


_NOT_COGNEE = "That is not an answer of Cognee's: check the URL, and the proxies on the way."


def refusal(answer: Answer, question: Question) -> RemoteError:
    """The error that an answer other than 2xx stands for: who, which status, in which words, what to do next."""
    status = answer.status
    words = _own_words(_without_key(answer, question))
    said = f"{question.remote} answers {status} when {question.what}" + (f": {words.rstrip('.')}." if words else ".")
    if 300 <= status < 400:
        return _redirect(answer, question)
    if status == 401:
        return RemoteAuthError(f"{said} {_auth_hint(question)}", status=status)
    if status == 403:
        return RemotePermissionError(
            f"{said} The key's user has no right to this, or it does not exist (any more): Cognee answers both alike.",
            status=status,
        )
    if status in GATEWAY_STATUSES:
        retry_after = parse_retry_after(answer.headers.get("retry-after"), date=answer.headers.get("date"))
        return RemoteUnreachableError(
            f"{said} The server, or a proxy before it, is overloaded, starting or down; try again later.",
            status=status,
            retryable=True,
            retry_after=retry_after,
        )
    hint = _HINTS.get(status, "The server failed; its log says why." if status >= 500 else "")
    if "Invalid COGX archive" in words:
        hint = "`cognee-dagster validate ARCHIVE` tells what is wrong with an archive; so does the server's log."
    return RemoteRejectedError(f"{said} {hint}".rstrip(), status=status)


def unreachable(error: httpx.HTTPError, question: Question) -> RemoteError:
    """The error for a connection that gave no whole answer."""
    reason = _one_line(_blanked(str(error) or type(error).__name__, question))
    if any(_is_tls_refusal(cause) for cause in _causes(error)):
        return RemoteUnreachableError(
            f"No secure connection to {question.remote} when {question.what}: {reason}. If its certificate comes from "
            "an authority of your own, name that with ca_bundle or COGNEE_DAGSTER_CA_BUNDLE."
        )
    if isinstance(error, httpx.ProxyError):
        return RemoteUnreachableError(
            f"The proxy on the way to {question.remote} refuses when {question.what}: {reason}. Check HTTPS_PROXY, "
            "HTTP_PROXY and NO_PROXY.",
            retryable=not reason.startswith("4"),
        )
    if isinstance(error, httpx.TimeoutException):
        reason = f"no progress in time ({type(error).__name__})"
    return RemoteUnreachableError(
        f"{question.remote} (from {question.source}) gives no answer when {question.what}: {reason}. Check the URL, "
        "that the server is up, and the network.",
        retryable=True,
    )


def _redirect(answer: Answer, question: Question) -> UnexpectedAnswerError:
    """Redirects are never followed: the key would go along."""
    try:
        parts = urlsplit(str(httpx.URL(question.remote).join(answer.headers.get(REDIRECT_TARGET, ""))))
        target = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except (httpx.InvalidURL, ValueError):
        target = "something that is no address"
    shown = _one_line(_blanked(target, question))
    return UnexpectedAnswerError(
        f"{question.remote} redirects ({answer.status}) to {shown} when {question.what}. Redirects are not followed, "
        "because the API key would go along. If the server lives there now, use that address.",
        status=answer.status,
    )


def _auth_hint(question: Question) -> str:
    if not question.secret:
        return "No API key was given: pass api_key, set COGNEE_API_KEY, or log in with `cognee-cli serve`."
    return (
        f"The API key is not one of this instance's (URL from {question.source}). Make a key there, then pass api_key, "
        "set COGNEE_API_KEY, or log in again with `cognee-cli serve`."
    )


def _own_words(answer: Answer) -> str:
    """What the server says: ``{"detail": …}`` (text or a list of problems), ``{"error": …}``, or a page's title."""
    title = _page_title(answer)
    if title:
        return f"{title}."
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        content = answer.body[: 4 * MAX_WORDS].decode("utf-8", errors="replace")
    if isinstance(content, dict):
        content = content.get("detail") or content.get("error") or content.get("message") or content
    if isinstance(content, list):
        content = "; ".join(_problem(item) for item in content)
    return _one_line(content if isinstance(content, str) else orjson.dumps(content).decode())


def _problem(item: object) -> str:
    """One entry of FastAPI's list of validation errors, without the input it repeats."""
    if not isinstance(item, dict):
        return str(item)
    location = item.get("loc")
    place = ".".join(str(part) for part in location) if isinstance(location, list) else ""
    return f"{place}: {item.get('msg', '')}"


def _page_title(answer: Answer) -> str:
    """What to call an HTML page, which only a proxy or another service sends; empty for anything else."""
    if "html" not in answer.headers.get("content-type", "") and answer.body.lstrip()[:1] != b"<":
        return ""
    match = re.search(rb"<title[^>]*>(.*?)</title>", answer.body[:65536], re.IGNORECASE | re.DOTALL)
    title = _one_line(match[1].decode("utf-8", errors="replace")) if match else ""
    return f"an HTML page titled {title!r}" if title else "an HTML page"


def _without_key(answer: Answer, question: Question) -> Answer:
    """The answer as a message may quote it: some servers and proxies echo what they were sent."""
    if not question.secret:
        return answer
    return Answer(answer.status, answer.headers, answer.body.replace(question.secret.encode(), b"***"))


def _blanked(text: str, question: Question) -> str:
    return text.replace(question.secret, "***") if question.secret else text


def _one_line(text: str) -> str:
    """Printable text of at most ``MAX_WORDS`` characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def _is_tls_refusal(error: BaseException) -> bool:
    """Whether TLS failed for good: an untrusted certificate, no TLS at all; not a connection that broke."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
