"""What went wrong with a request, in words: who says it, what it means, what to do, and the server's own words last."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from cognee_dagster.errors import (
    RemoteAuthError,
    RemoteError,
    RemotePermissionError,
    RemoteRejectedError,
    RemoteUnreachableError,
    UnexpectedAnswerError,
)
from cognee_dagster.remote.exchange_limits import Exchange
from cognee_dagster.remote.meanings import (
    INVALID_ARCHIVE,
    INVALID_ARCHIVE_MEANS,
    OVERLOADED,
    REPEATABLE_STATUSES,
    RETRYABLE_STATUSES,
    SERVER_FAILED,
    SERVERS_WORDS,
    STATUS_MEANS,
)
from cognee_dagster.remote.retry import parse_retry_after
from cognee_dagster.remote.transport import REDIRECT_TARGET
from cognee_dagster.remote.wording import quoted
from cognee_dagster.system.causes import causes_of

JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked of whom, as messages say it, and the key that no message may repeat.

    Attributes:
        what: ``reading the graph of dataset …``.
        remote: The remote's URL.
        source: Where the URL came from.
        key_source: Where the key came from.
        no_key_because: Why there is no key though one is known.
        secret: The API key, to blank it out where a server echoes it.
        may_repeat: Whether asking again does no harm even where the server failed in the midst of it.
    """

    what: str
    remote: str
    source: str
    key_source: str = ""
    no_key_because: str = ""
    secret: str = ""
    may_repeat: bool = False

    def __repr__(self) -> str:
        return f"Question(what={self.what!r}, remote={self.remote!r})"


@dataclass(frozen=True)
class Answer:
    """A whole answer, read."""

    status: int
    headers: httpx.Headers
    body: bytes | bytearray


def unexpected(problem: str, question: Question, *, status: int | None = None) -> UnexpectedAnswerError:
    """The error for an answer that no Cognee gives."""
    return UnexpectedAnswerError(f"{question.remote} {problem} when {question.what}. {_NOT_COGNEE}", status=status)


_NOT_COGNEE = "That is not an answer of Cognee's: check the URL, and the proxies on the way."


def too_long(limit: int, question: Question, *, status: int | None = None) -> UnexpectedAnswerError:
    """The error for an answer without end."""
    return UnexpectedAnswerError(
        f"{question.remote} answers with more than {limit:,} bytes when {question.what}. {_NOT_COGNEE}", status=status
    )


def refusal(answer: Answer, question: Question) -> RemoteError:
    """The error that an answer other than 2xx stands for."""
    status = answer.status
    if 300 <= status < 400:
        return _redirect(answer, question)
    page = page_title(answer)
    words = quoted(page or _first_sentence(_own_words(answer), of=status), secret=question.secret)
    advice, kind = _advice(status, words, page=bool(page), question=question), _KINDS.get(status, RemoteRejectedError)
    ending = f"{SERVERS_WORDS}{words}." if words else ""
    message = f"{question.remote} answers {status} when {question.what}." + (f" {advice}" if advice else "") + ending
    if status in RETRYABLE_STATUSES:
        retry_after = parse_retry_after(answer.headers.get("retry-after"), date=answer.headers.get("date"))
        return RemoteUnreachableError(message, status=status, retryable=True, retry_after=retry_after)
    if page and status in _KINDS:  # Cognee never sends a page; a proxy's no says nothing about keys and datasets
        kind = UnexpectedAnswerError
    return kind(message, status=status, retryable=question.may_repeat and status in REPEATABLE_STATUSES)


_KINDS: Mapping[int, type[RemoteError]] = {401: RemoteAuthError, 403: RemotePermissionError}


def _advice(status: int, words: str, *, page: bool, question: Question) -> str:
    if status in RETRYABLE_STATUSES:
        return OVERLOADED
    if page and status in _KINDS:
        return _PROXY_REFUSES
    if status == 401:
        return _auth_hint(question)
    if INVALID_ARCHIVE in words:
        return INVALID_ARCHIVE_MEANS
    return STATUS_MEANS.get(status, SERVER_FAILED if status >= 500 else "")


_PROXY_REFUSES = (
    "A proxy or login portal before the server refuses this, not Cognee: check the URL, and ask who runs the proxy to "
    "let these requests through."
)


def unreachable(error: httpx.HTTPError, question: Question, *, exchange: Exchange | None = None) -> RemoteError:
    """The error for a connection that gave no whole answer, or none within the limits of its exchange."""
    if exchange is not None and exchange.too_long:
        return too_long(exchange.max_bytes, question)
    if exchange is not None and exchange.out_of_time and exchange.has_begun:
        return RemoteUnreachableError(
            f"{question.remote} is still sending its answer after {exchange.seconds or 0:.0f} s when {question.what}. "
            "The server or the network is overloaded; try again later, or raise the time limit."
        )
    reason = quoted(str(error), secret=question.secret) or type(error).__name__
    if any(_is_tls_refusal(cause) for cause in causes_of(error)):
        return RemoteUnreachableError(
            f"No secure connection to {question.remote} when {question.what}: {reason}. If its certificate comes from "
            "an authority of your own, name that with ca_bundle or COGNEE_DAGSTER_CA_BUNDLE."
        )
    if isinstance(error, httpx.ProxyError):
        code = re.match(r"\d{3}\b", str(error))
        answered = f"answers {code[0]}" if code else "refuses"
        return RemoteUnreachableError(
            f"The proxy on the way to {question.remote} {answered} when {question.what}: {reason}. Check HTTPS_PROXY, "
            "HTTP_PROXY and NO_PROXY.",
            retryable=not str(error).startswith("4"),
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
        target = "something that is not an address"
    return UnexpectedAnswerError(
        f"{question.remote} redirects ({answer.status}) to {quoted(target, secret=question.secret)} when "
        f"{question.what}. Redirects are not followed, because the API key would go along. If the server lives there "
        "now, use that address.",
        status=answer.status,
    )


def _auth_hint(question: Question) -> str:
    if question.secret:
        return (
            f"The API key is not one of this instance's: the key is from {question.key_source}, the URL from "
            f"{question.source}. Make a key there, then pass api_key (--api-key), set COGNEE_API_KEY, or log in again "
            "with `cognee-cli serve`."
        )
    if question.no_key_because:
        return f"No API key was sent: {question.no_key_because}. Give the key of this one with --api-key."
    return "No API key was given: pass api_key (--api-key), set COGNEE_API_KEY, or log in with `cognee-cli serve`."


def _own_words(answer: Answer) -> str:
    """What the server says: ``{"detail": …}`` (text or a list of problems), ``{"error": …}``, or what it sent."""
    try:
        content = msgspec.json.decode(answer.body)
    except JSON_ERRORS:
        return answer.body.decode("utf-8", errors="replace")
    if isinstance(content, dict):
        content = content.get("detail") or content.get("error") or content.get("message") or content
    if isinstance(content, list):
        content = "; ".join(_problem(item) for item in content)
    return content if isinstance(content, str) else msgspec.json.encode(content).decode()


def _first_sentence(words: str, *, of: int) -> str:
    """Of a 401 the first sentence: Cognee (1.6.5) goes on with advice to who deploys a server, not to who asks one."""
    return words.partition(". ")[0] if of == httpx.codes.UNAUTHORIZED else words


def _problem(item: object) -> str:
    """One entry of FastAPI's list of validation errors, without the input it repeats."""
    if not isinstance(item, dict):
        return str(item)
    location = item.get("loc")
    where = ".".join(str(part) for part in location) if isinstance(location, list) else ""
    return f"{where}: {item.get('msg', '')}"


def page_title(answer: Answer) -> str:
    """What to call an HTML page, which only a proxy or another service sends; empty for anything else."""
    if "html" not in answer.headers.get("content-type", "") and answer.body.lstrip()[:1] != b"<":
        return ""
    match = re.search(rb"<title[^>]*>(.*?)</title>", answer.body[:65536], re.IGNORECASE | re.DOTALL)
    title = " ".join(match[1].decode("utf-8", errors="replace").split()) if match else ""
    return f"an HTML page titled {title!r}" if title else "an HTML page"


def _is_tls_refusal(error: BaseException) -> bool:
    """Whether TLS failed for good: an untrusted certificate, no TLS at all; not a connection that broke."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
