"""A key in somebody else's text, however it is spelled there: escaped, packed, in pieces, or cut off at the end.

What is compared are letters and digits alone, so that it does not matter what stands between them.
"""

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cognee_dagster.system.urls import MASK

_SHORTEST_KEY = 6  # shorter ones are found as they are only: anything could be read into them
_FEWEST_LETTERS = 5  # of a key that may be found in any spelling
_SHORTEST_END = 4  # of a key that is cut off
_ESCAPED_TIMES = 2
_ESCAPED = re.compile(
    r"(?P<url>(?:%[0-9a-f]{2})+)|(?P<bytes>(?:\\x[0-9a-f]{2})+)|(?P<json>(?:\\u[0-9a-f]{4})+)"
    r"|(?P<html>&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});)|\\(?P<itself>[\\/'\"])|\\[bfnrt]|<[^<>]{0,20}>",
    re.IGNORECASE,
)


def without_key(text: str, secret: str, *, mask: str = MASK) -> str:
    """The text with ``mask`` for the secret."""
    if not secret:
        return text
    text = text.replace(secret, mask)
    if len(secret) < _SHORTEST_KEY:
        return text
    read, spans = _Reading.of(text), list[tuple[int, int]]()
    lengths = range(min(len(secret), len(text)), _SHORTEST_END - 1, -1)
    if (cut := next((length for length in lengths if text.endswith(secret[:length])), 0)) > 0:
        spans.append((len(text) - cut, len(text)))
    spellings = _spellings(secret)
    for _ in range(_ESCAPED_TIMES + 1):
        spans += read.places_of(spellings)
        read = read.unescaped()
    pieces, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            pieces += [text[end:start], mask]
        end = max(end, stop)
    return "".join((*pieces, text[end:]))


@dataclass(frozen=True)
class _Reading:
    """What a text says; of each character the place in the text that it stands for."""

    says: str
    starts: list[int]
    stops: list[int]

    @classmethod
    def of(cls, text: str) -> "_Reading":
        return cls(text, list(range(len(text))), list(range(1, len(text) + 1)))

    def unescaped(self) -> "_Reading":
        says, starts, stops, at = list[str](), list[int](), list[int](), 0
        for found in _ESCAPED.finditer(self.says):
            first, end = found.span()
            meaning = _meaning(found)
            says += (self.says[at:first], meaning)
            starts += self.starts[at:first] + [self.starts[first]] * len(meaning)
            stops += self.stops[at:first] + [self.stops[end - 1]] * len(meaning)
            at = end
        return _Reading("".join((*says, self.says[at:])), starts + self.starts[at:], stops + self.stops[at:])

    def places_of(self, spellings: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Where they are in the text, and where one begins that the text's end cuts off."""
        letters = [number for number, character in enumerate(self.says) if character.isalnum()]
        line = _letters(self.says)
        for spelling in spellings:
            at = line.find(spelling)
            while at >= 0:
                yield self.starts[letters[at]], self.stops[letters[at + len(spelling) - 1]]
                at = line.find(spelling, at + 1)
        if not letters or letters[-1] != len(self.says) - 1:
            return
        for spelling in spellings:
            lengths = range(min(len(spelling), len(line)), _SHORTEST_END - 1, -1)
            if (cut := next((length for length in lengths if line.endswith(spelling[:length])), None)) is not None:
                yield self.starts[letters[-cut]], self.stops[-1]


def _spellings(secret: str) -> frozenset[str]:
    """Its letters and digits, and those of what it may be packed in, at any place in that."""
    content = secret.encode("utf-8", "surrogatepass")
    found = {_letters(secret), _letters(content.decode("latin-1")), content.hex()}
    read = _Reading.of(secret)
    for _ in range(_ESCAPED_TIMES):  # what looks like an escape in it is taken back with those around it
        read = read.unescaped()
        found.add(_letters(read.says))
    for before, unknown in enumerate((0, 2, 3)):
        packed = base64.b64encode(b"\0" * before + content).decode().rstrip("=")[unknown:]
        found.add(_letters(packed[:-1] if (before + len(content)) % 3 else packed))
    return frozenset(each for each in found if len(each) >= _FEWEST_LETTERS)


def _letters(text: str) -> str:
    return "".join(character.lower()[0] for character in text if character.isalnum())


def _meaning(escaped: re.Match[str]) -> str:
    kind, text = escaped.lastgroup, escaped[0]
    if kind == "itself":
        return escaped["itself"]
    if kind == "html":
        return html.unescape(text)
    if kind is None:
        return " "
    content = bytes.fromhex(re.sub(r"%|\\.", "", text))
    if kind == "json":
        return content.decode("utf-16-be", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
