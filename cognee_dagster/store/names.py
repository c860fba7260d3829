"""Names that Dagster and every file system accept, made of names that only Cognee has to accept."""

import hashlib
import re

# 63 is the limit of a Dagster tag value; asset key segments and file names may be longer.
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,63}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_READABLE_LENGTH = 50
_DIGEST_LENGTH = 10


def is_plain(text: str) -> bool:
    """Whether ``text`` can stand in an asset key, a tag, a selection and a path as it is."""
    return _PLAIN.fullmatch(text) is not None


def safe_segment(text: str) -> str:
    """``text`` itself where it is plain, else what is readable of it and a digest of the whole.

    The digest keeps different names apart (``my data`` and ``my.data``) and gives a name without any plain letter a
    segment at all. The result never holds a separator, so that it cannot leave the directory it is used in.
    """
    if is_plain(text):
        return text
    readable = _NOT_PLAIN.sub("_", text)[:_READABLE_LENGTH].strip("_-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    return f"{readable}_{digest}" if readable else f"dataset_{digest}"


def as_identifier(segment: str) -> str:
    """A plain segment as a Dagster group, job or op name, where a hyphen is not allowed."""
    return segment.replace("-", "_")
