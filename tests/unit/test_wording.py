"""What others wrote is shown as one printable line, without our key, terminal escapes or markup."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.remote.wording import MAX_WORDS, quoted, safe

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
