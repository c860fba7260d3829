"""Texts of documents that a server would take for the address of something to open (Cognee 1.6.5, ``tasks/ingestion``).

It is the whole text that is asked, so that a chunk which begins with a link is enough: the server fetches it, or reads
a file of its own, and refuses the whole import where it cannot.
"""

from urllib.parse import urlparse

_OPENED = frozenset({"http", "https", "file", "s3"})
_BEGINNINGS = ("//", *map(chr, range(33)))  # a host's, and the blanks that are passed over
_HEAD = 40
_MARK = "\ufeff"  # no address begins with a byte order mark, and nobody sees it


def opened_as(text: str) -> str | None:
    """What a server would take the text for; None if it stores the text as it is."""
    if not text.startswith(_BEGINNINGS) and ":" not in text[:_HEAD]:
        return None  # most texts, at a hundredth of the price
    try:
        scheme = urlparse(text).scheme
    except ValueError:
        return "a broken address"
    return f"an address ({scheme}:)" if scheme in _OPENED else None


def may_be_a_file(text: str) -> bool:
    """Whether a server would store a file of its own in place of the text, if it has one of this name."""
    return text.startswith("/") and len(text) < 1024 and "\n" not in text


def storable_text(text: str) -> str:
    """The text, behind an invisible mark if a server would open it otherwise."""
    return text if opened_as(text) is None else _MARK + text
