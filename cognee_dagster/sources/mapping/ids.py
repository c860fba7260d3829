"""Ids of foreign nodes: always the same for the same key, so that pushing again updates the same node."""

import json
from functools import lru_cache
from hashlib import sha1
from typing import Any
from uuid import UUID

from cognee_dagster.cogx.ids import id_for
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.mapping.attributes import as_json_value

_MAX_REMEMBERED = 64  # characters of a text whose id is remembered; a graph may well have texts of megabytes
_VARIANT = "89ab" * 4  # of an RFC 4122 UUID, by the hex digit that it replaces
NODE_NAMESPACE = UUID("5d0a2a4e-7f0c-5c0b-9a57-6d1b8f3e2c41")  # of the ids of nodes whose key is no UUID


def node_id(key: Any) -> str:
    """The id of the node with this key: the key itself if it is a UUID, else one derived from its text.

    Raises:
        TypeError: The key has no text that would be the same in the next process.
        ValueError: The key is too long or too deep.
    """
    text = key_text(key)
    return _remembered_id(text) if len(text) <= _MAX_REMEMBERED else _id_of_text(text)


def checked_id(key: Any) -> str:
    """``node_id``, with an error that says what to do.

    Raises:
        GraphFileError: The key has no lasting text.
    """
    try:
        return node_id(key)
    except (TypeError, ValueError, RecursionError) as error:
        raise GraphFileError(f"Node {key!r}: {error}. Use text, numbers or UUIDs as node keys.") from error


def key_text(key: Any) -> str:
    """The key as a string: ``1`` and ``"1"`` have the same, ``1``, ``1.0`` and ``True`` have not."""
    if type(key) is str and key.isascii():
        return key
    value = as_json_value(key)
    return value if isinstance(value, str) else json.dumps(value)


def entity_type_id(name: str) -> str:
    """The id that Cognee itself gives the ``EntityType`` of this name."""
    return _remembered_type_id(name) if len(name) <= _MAX_REMEMBERED else _type_id(name)


def derived_id(namespace: UUID, text: str) -> str:
    """``str(uuid5(namespace, text))``, in a fifth of the time."""
    digits = sha1(namespace.bytes + text.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[int(digits[16], 16)]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _type_id(name: str) -> str:
    return id_for("EntityType", name)


def _id_of_text(text: str) -> str:
    if len(text) >= 32:  # the shortest spelling of a UUID
        try:
            return str(UUID(text))
        except ValueError:
            pass
    return derived_id(NODE_NAMESPACE, text)


_remembered_id = lru_cache(maxsize=1 << 16)(_id_of_text)
_remembered_type_id = lru_cache(maxsize=1 << 12)(_type_id)
