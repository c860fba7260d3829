"""What others wrote is shown as one printable line, without our key, terminal escapes or markup."""

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.remote.wording import MAX_WORDS, quoted, safe
from cognee_dagster.system.key_spellings import without_key

KEY = "ck_marker_0123456789"


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        KEY.upper(),
        json.dumps("".join(f"\\u{ord(character):04x}" for character in KEY)).replace("\\\\", "\\"),
        "".join(f"%{ord(character):02X}" for character in KEY),
        quote(KEY).replace("_", "%5F"),
        quote(KEY.replace("_", "%5F")),
        "".join(f"&#{ord(character)};" for character in KEY),
        "".join(f"&#x{ord(character):x};" for character in KEY),
        html.escape(KEY),
        "\n".join([KEY[:7], KEY[7:]]),
        "\\n".join([KEY[:7], KEY[7:]]),
        "\u200b".join(KEY),
        " ".join(KEY),
        f"{KEY[:7]}\x1b[0m{KEY[7:]}",
        f"{KEY[:7]}<wbr>{KEY[7:]}",
        f'"{KEY[:7]}", "{KEY[7:]}"',
    ],
)
@pytest.mark.parametrize("around", ["{}", "you sent {} to us", "a{}b"])
def test_the_key_is_blanked_however_it_is_spelled(spelled: str, around: str) -> None:
    shown = safe(around.format(spelled), secret=KEY)
    assert "***" in shown
    letters = "".join(character for character in shown if character.isalnum())
    assert "marker" not in letters
    assert "0123" not in letters


@pytest.mark.parametrize(("key", "shown"), [("k3y-ab", "you sent ***"), ("k3yab", "you sent k-3-y-a-b")])
def test_a_key_of_six_characters_is_known_in_every_spelling_and_a_shorter_one_as_it_is(key: str, shown: str) -> None:
    assert safe("you sent " + "-".join(key.replace("-", "")), secret=key) == shown
    assert safe(f"you sent {key}", secret=key) == "you sent ***"


@pytest.mark.parametrize("length", range(4, len(KEY)))
def test_a_key_that_is_cut_off_is_blanked(length: int) -> None:
    assert safe(f"you sent {KEY[:length]}", secret=KEY) == "you sent ***"


KEYS = [
    "sk-AbC123def456GHI",
    "sk-\"a'b\"c12345", "sk-a\\b\\\\c123", "sk-cl\u00e9-\u00f1and\u00fa-12345", "sk-\U0001f600abc123456",
    "sk-%41bc%20d12345",
    "sk-%41bc&d%20'e12345", "sk-<a>&b;c12345", "sk a b c 123456", "sk+ab/cd=12345==",
]  # fmt: skip
SPELLINGS: dict[str, Callable[[str], str]] = {
    "json": json.dumps,
    "json in json": lambda key: json.dumps(json.dumps(key)),
    "url": quote,
    "url in url": lambda key: quote(quote(key)),
    "form": quote_plus,
    "html": html.escape,
    "repr": repr,
    "repr of bytes": lambda key: repr(key.encode()),
    "the wrong encoding": lambda key: key.encode().decode("latin-1"),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for urls": lambda key: base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
    "base64 in two lines": lambda key: "\n".join(base64.b64encode(key.encode()).decode().partition("N")),
    "basic": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "basic of another user": lambda key: base64.b64encode(f"users:{key}!!".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_of_any_characters_is_blanked_also_where_it_is_packed(key: str, spelling: str) -> None:
    spelled = SPELLINGS[spelling](key)
    shown = without_key(f"you sent {spelled}. Bye", key)
    assert shown.startswith("you sent ")
    assert shown.endswith("Bye")
    assert "***" in shown
    left = shown.removeprefix("you sent ").removesuffix(". Bye").replace("***", "")
    assert len(left) < len(spelled) / 2
    assert spelled[4:-4] not in shown


@pytest.mark.parametrize("text", [". " * 8_000, "a" * 16_000, "%61" * 5_000, "\\u0061" * 2_500, "&#97;" * 3_000])
@pytest.mark.parametrize("key", [".......x", "." * 40 + "x", "a" * 64, "a-a-a-a-a-a-a-b"])
def test_a_text_that_was_made_to_be_searched_for_long_is_searched_at_once(text: str, key: str) -> None:
    """What may stand between two characters of a key took half a minute to be tried out."""
    started = time.process_time()
    safe(text, secret=key)
    assert time.process_time() - started < 2


@given(before=st.text(max_size=600), after=st.text(max_size=600))
def test_no_text_around_a_key_brings_it_through(before: str, after: str) -> None:
    assert KEY not in safe(before + KEY + after, secret=KEY)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP+q\x1b\\text", "text"),
        ("\x1b[2J\x1b[Htext", "text"),
        ("a\r\nb\tc\x00d\x7f", "a b c d"),
        ("right\u202eleft", "right left"),
        ("\ud800x", "x"),
    ],
)
def test_terminal_escapes_and_control_characters_are_gone(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(text=st.text(max_size=2000))
def test_any_text_is_one_bounded_printable_line(text: str) -> None:
    line = safe(text)
    assert line.isprintable()
    assert len(line) <= MAX_WORDS


@given(text=st.text() | st.sampled_from(["[a](http://evil.example)", "`", "``` x", "<b>", "![x](y)"]))
def test_quoted_words_are_a_code_span_that_nothing_in_them_ends(text: str) -> None:
    span = quoted(text)
    assert span == "" or (span[0] == span[-1] == "`" and "`" not in span[1:-1])
