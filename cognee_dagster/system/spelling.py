"""Whether one name may be a misspelling of another. A hint that is far off sends people the wrong way."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_SIMILAR = 0.75  # of the letters, in order: name and nmae are, name and mode are not
_BEGINNING = 3  # letters that a name must have to be the beginning of another
_NUMBER = re.compile(r"\d+")


def nearest(name: str, known: Iterable[str], *, besides: str = "") -> list[str]:
    """Those of ``known`` that somebody who wrote ``name`` may have meant, the nearest first; most often none.

    Args:
        name: What was written.
        known: What there is.
        besides: What all of them begin with, which makes none of them nearer.
    """
    short = {other: other.removeprefix(besides).strip("-").lower() for other in known}
    written = name.removeprefix(besides).strip("-").lower()
    if same := [other for other, letters in short.items() if letters == written]:
        return same
    likeness = {other: _likeness(written, letters) for other, letters in short.items()}
    return sorted((other for other in short if likeness[other] >= _SIMILAR), key=lambda other: -likeness[other])


def _likeness(written: str, other: str) -> float:
    """From 0 to 1, also where only the other's beginning, or its first word, is like it; 0 where numbers differ."""
    if _NUMBER.findall(written) != _NUMBER.findall(other):
        return 0.0
    if len(written) >= _BEGINNING and other.startswith(written):
        return 1.0
    first_word = re.split(r"[-_]", other, maxsplit=1)[0]
    return max(SequenceMatcher(None, written, text).ratio() for text in (other, first_word))
