"""Whatever comes back over HTTP ends in content or in one of our errors, in bounds, and without the key."""

import json
from dataclasses import replace

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.errors import RemoteError, RemoteRejectedError, RemoteUnreachableError
from cognee_dagster.remote.answers import content_of
from cognee_dagster.remote.failures import Answer, Question, unreachable
from cognee_dagster.remote.transport import REDIRECT_TARGET

KEY = "ck_marker_0123456789"
WORTH_ANOTHER_TRY = {408, 425, 429, 502, 503, 504, *range(520, 527), 530}
QUESTION = Question(what="asking", remote="https://a.example.com", source="arguments", secret=KEY)

words = st.text(max_size=40) | st.just(KEY) | st.just(f"a{KEY}b")
content = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["detail", "error", "message", "loc", "msg", "body"]) | words, inner, max_size=3
        )
    ),
    max_leaves=10,
)
bodies = (
    st.binary(max_size=200)
    | content.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | words.map(lambda text: f"<html><title>{text}</title>".encode("utf-8", "surrogatepass"))
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["application/json", "text/html; charset=utf-8", "text/plain"]),
        "retry-after": st.sampled_from(["1", "x", "Wed, 21 Oct 2015 07:28:00 GMT", ""]),
        REDIRECT_TARGET: st.text(st.characters(min_codepoint=32, max_codepoint=255)),
    },
)


@given(status=st.integers(100, 599), body=bodies, fields=headers)
def test_any_answer_is_content_or_an_error_of_ours(status: int, body: bytes, fields: dict[str, str]) -> None:
    answer = Answer(
        status, httpx.Headers([(key.encode(), value.encode("latin-1")) for key, value in fields.items()]), body
    )
    try:
        content_of(answer, QUESTION, msgspec.json.decode, max_values=1000)
    except RemoteError as error:
        failure = error
    else:
        assert 200 <= status < 300
        return
    assert failure.status == status
    assert failure.retryable is (status in WORTH_ANOTHER_TRY)
    assert KEY not in str(failure)
    assert len(str(failure)) < 1200
    assert str(failure).isprintable()
    assert "https://a.example.com" in str(failure)


@given(text=words | st.text())
@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.ProxyError])
def test_any_broken_connection_is_told_without_the_key(kind: type[httpx.TransportError], text: str) -> None:
    failure = unreachable(kind(text), QUESTION)
    assert isinstance(failure, RemoteUnreachableError)
    assert KEY not in str(failure)
    assert str(failure).isprintable()


def test_an_invalid_archive_is_answered_with_how_to_find_out_what_is_wrong() -> None:
    """The server does not say (Cognee 1.6.5)."""
    answer = Answer(400, httpx.Headers(), b'{"error":"Invalid COGX archive."}')
    with pytest.raises(RemoteRejectedError, match="cognee-dagster validate"):
        content_of(answer, QUESTION, msgspec.json.decode, max_values=1000)


@pytest.mark.parametrize("key", [KEY, 'ck_"0123456789"\\a', "ck_cl\u00e9_0123456789"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_key_in_what_a_server_answers_is_blanked_before_it_is_read(key: str, ascii_only: bool) -> None:
    body = json.dumps({"name": f"you sent {key}"}, ensure_ascii=ascii_only).encode()
    answer = Answer(200, httpx.Headers(), body)
    question = replace(QUESTION, secret=key)
    assert content_of(answer, question, json.loads, max_values=10) == {"name": "you sent ***"}
