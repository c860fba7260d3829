"""Nodes that were sent, ready to be held against those that a remote shows, in whatever order those come."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct

from cognee_dagster.cogx.encode.exact_json import dump, parse
from cognee_dagster.cogx.read.imported import ImportedNode
from cognee_dagster.cogx.schema import Entity, RawNode
from cognee_dagster.cogx.server.shown_nodes import Expected, description_of, difference, expected_of

_MORE_VALUES = 200_000  # than were sent: JSON may take seventy times its size as values


class ShownNode(Protocol):
    """A node as a remote shows it; see ``remote.remote_graph.RemoteNode``."""

    @property
    def id(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def stored(self) -> bytes: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


class _Kept(Struct, frozen=True, gc=False):
    """What is expected of a node, in little memory: ``stored`` are its properties as JSON."""

    type: str
    is_declared: bool
    stored: bytes

    @classmethod
    def of(cls, expected: Expected) -> "_Kept":
        return cls(sys.intern(expected.type), expected.is_declared, dump(expected.properties))

    def expected(self) -> Expected:
        return Expected(self.type, self.is_declared, parse(self.stored.decode()))


class _Sent(Struct, gc=False):
    """One record of a node, and the next one of the same node."""

    name: str | None
    expected: _Kept | None
    is_entity: bool
    next: "_Sent | None" = None


class SentNodes:
    """What was sent, by the ids that the remote gives it: of each node its name and the properties it should show.

    Args:
        sent: Of every record one.
    """

    def __init__(self, sent: Iterable[ImportedNode]) -> None:
        self._first: dict[str, _Sent] = {}
        last: dict[str, _Sent] = {}  # of nodes of several records
        for node_id, name, record in sent:
            first = self._first.get(node_id)
            one = _Sent(name, _expected(record, first), isinstance(record, Entity))
            if first is None:
                self._first[node_id] = one
            else:
                last.get(node_id, first).next = one
                last[node_id] = one

    def __len__(self) -> int:
        return len(self._first)

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._first

    def name_of(self, node_id: str) -> str | None:
        """What a node was called when it was sent; None: it need not have that name, or was not sent."""
        record = self._first.get(node_id)
        return None if record is None else record.name

    def compare(self, node: ShownNode) -> tuple[bool, str]:
        """Hold what a remote shows against a node that was sent; one of several records is right if it is as any.

        Returns:
            Whether it has its name; and in what else it differs: ``type``, or a property's name; empty if in nothing.
        """
        is_named, what, is_settled = False, "", False
        record: _Sent | None = self._first[node.id]
        while record is not None:
            is_named = is_named or not record.name or node.label == record.name
            if not is_settled and record.expected is not None:
                what = _difference(record.expected, node)
            is_settled = not what
            record = record.next
        return is_named, what


def _expected(record: Entity | RawNode | None, before: _Sent | None) -> _Kept | None:
    """What is expected of a record; a server puts the descriptions of several records of an entity together."""
    if record is None:
        return None
    if isinstance(record, RawNode):
        return _Kept.of(expected_of(record.properties))
    description, known = description_of(record), None
    while before is not None:
        if before.is_entity and before.expected is not None:
            known = parse(before.expected.stored.decode())["description"]
        before = before.next
    if known is not None and known != description:
        description = f"{known}\n{description}"
    return _Kept.of(expected_of({"type": "Entity", "name": record.name, "description": description}))


def _difference(expected: _Kept, node: ShownNode) -> str:
    if _num_values(node.stored) > _MORE_VALUES + 2 * _num_values(expected.stored):
        return "more values than were sent"
    return difference(expected.expected(), node.type, node.properties)


def _num_values(stored: bytes) -> int:
    """No fewer than there are."""
    return stored.count(b",") + stored.count(b"[") + stored.count(b"{")
