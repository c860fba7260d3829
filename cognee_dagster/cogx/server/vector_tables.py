"""Names of vector tables: a server makes one of each node type and each attribute that it indexes."""

import hashlib
import re
from functools import lru_cache

# LanceDB: letters, digits, ``_ - .``; and a directory's name of 255 bytes holds the table's and ``.lance``.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,249}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
ORIGINAL_TYPE = "original_type"  # the attribute that keeps what a type was called
_MAX_TYPE = 120  # of a type that is chosen here, so that any sensible attribute fits behind it


@lru_cache(1024)
def is_table_name(node_type: str, attribute: str) -> bool:
    """Whether a server can make a vector table for this attribute of nodes of this type."""
    return _NAME.fullmatch(f"{node_type}_{attribute}") is not None


def safe_type(name: str) -> str:
    """The type's name, or one like it that a server takes and that no very different name becomes, too."""
    safe = _UNSAFE.sub("_", name.strip()).strip("_.-")
    if safe == name and len(name) <= _MAX_TYPE:
        return name
    if len(safe) > _MAX_TYPE or not safe or not _is_latin(name):
        return f"{safe[: _MAX_TYPE - 9] or 'Type'}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return safe


def _is_latin(name: str) -> bool:
    """Whether replacing what is unsafe leaves enough to tell two names apart."""
    return len(_UNSAFE.sub("", name)) * 2 > len(name)
