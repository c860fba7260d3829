"""The records of a mirrored graph: each as a mirror sends it, and what it is known by.

Everything that is not a document goes to the remote under a source system of its own (``generations``), and under any
but ``cognee`` a server makes an entity's id from its name, while a raw node keeps the one it has. So entities are sent
as raw nodes; stored, the two are the same (measured on Cognee 1.6.5).
"""

from typing import Any
from uuid import UUID

import msgspec
from xxhash import xxh3_64_intdigest

from cognee_dagster.cogx.encode import exact_json

_TIMESTAMPS = ("created_at", "updated_at")
# Edges that say which text something came from; every other is of relation 0.
RELATIONS = {"is_part_of": 1, "made_from": 2, "contains": 3, "is_a": 4}


class NotMirrorableError(Exception):
    """The graph holds a record that a mirror cannot keep apart from others; the message says which."""


class _Entity(msgspec.Struct, gc=False):
    """Of a line of ``entities.jsonl``, what a server stores or makes other nodes of."""

    external_id: str
    name: str
    description: str | None = None
    entity_type: str | None = None
    aliases: list[str] = []


class _RawEntity(msgspec.Struct, gc=False, tag_field="type", tag="Entity"):
    """An entity as a line of ``nodes.jsonl``. A server gives one without a description its name as that."""

    id: str
    name: str
    description: str


class Fact(msgspec.Struct, gc=False):
    """Of a line of ``facts.jsonl``, what it is known by."""

    subject_ref: str
    predicate: str
    object_ref: str


_entity = msgspec.json.Decoder(_Entity).decode
_encode = msgspec.json.Encoder().encode
decode_fact = msgspec.json.Decoder(Fact).decode


def entity_as_raw_node(line: bytes) -> tuple[str, bytes]:
    """The id of an entity, and the line of ``nodes.jsonl`` that a server stores as it stores the entity.

    Raises:
        NotMirrorableError: A server would make more than one node of it, or merge it with others.
    """
    entity = _entity(line)
    if entity.entity_type or entity.aliases:
        raise NotMirrorableError(f"entity {entity.external_id!r} names a type or aliases, as other systems do")
    return entity.external_id, _encode(_RawEntity(entity.external_id, entity.name, entity.description or entity.name))


def raw_node_content(line: bytes) -> tuple[str, bytes]:
    """The id of a raw node, and its record without the store's timestamps, which say nothing of the graph."""
    node: dict[str, Any] = exact_json.parse_line(line)
    for key in _TIMESTAMPS:
        node.pop(key, None)
    return str(node.get("id")), exact_json.dump(node)


def uuid_bytes(node_id: str) -> bytes:
    """The 16 bytes of a node's id.

    Raises:
        NotMirrorableError: It is no UUID: a server would give the node another id.
    """
    try:
        return UUID(node_id).bytes
    except ValueError:
        raise NotMirrorableError(f"node {node_id[:80]!r} has an id that is no UUID") from None


def key_of(content: bytes) -> int:
    """A hash of 64 bits, by which a record or its content is known."""
    return xxh3_64_intdigest(content)


def edge_key(subject: bytes, predicate: str, target: bytes) -> int:
    """What an edge is known by: a server keeps one of a name between two nodes."""
    return xxh3_64_intdigest(subject + target + predicate.encode("utf-8", "surrogatepass"))
