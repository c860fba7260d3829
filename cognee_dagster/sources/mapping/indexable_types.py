"""Names of node types that a Cognee server can make a vector table of, and that are not Cognee's own by accident."""

import hashlib
import re
from collections.abc import Collection

from cognee_dagster.sources.mapping.cognee_types import DECLARED

# Of a node type and an indexed attribute LanceDB makes the name of a table: letters, digits, ``_ - .``, and no more
# than about 240 in all (tried on Cognee 1.6.5).
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_LENGTH = 120
ORIGINAL_TYPE = "original_type"  # the attribute that keeps what the type was called


def safe_type(name: str) -> str:
    """The type's name, or one like it that a server takes; different names stay different."""
    safe = _UNSAFE.sub("_", name.strip()).strip("_.-")
    if safe == name and len(name) <= _MAX_LENGTH:
        return name
    if len(safe) > _MAX_LENGTH or not safe or not _is_latin(name):
        return f"{safe[: _MAX_LENGTH - 9] or 'Type'}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return safe


def loses_attributes(node_type: str, attributes: Collection[str]) -> bool:
    """Whether a server would make one of its own classes of such a node, and forget what that does not declare."""
    declared = DECLARED.get(node_type)
    if declared is None or not declared.required <= set(attributes):
        return False  # where a field is missing, it keeps the node as it is
    return bool(set(attributes) - declared.fields)


def own_type(node_type: str) -> str:
    """A name for a type that happens to be called like one of Cognee's."""
    return f"{node_type}Node"


def _is_latin(name: str) -> bool:
    """Whether replacing what is unsafe leaves enough to tell two names apart."""
    return len(_UNSAFE.sub("", name)) * 2 > len(name)
