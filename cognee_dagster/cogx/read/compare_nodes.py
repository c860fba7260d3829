"""Nodes that were sent, held against those that a remote shows."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from cognee_dagster.cogx.read.imported import ImportedNode
from cognee_dagster.cogx.schema import Entity, RawNode
from cognee_dagster.cogx.server.shown_nodes import description_of, difference


class ShownNode(Protocol):
    """A node as a remote shows it; see ``remote.responses.RemoteNode``."""

    @property
    def label(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


def compare_nodes(
    sent: Iterable[ImportedNode], there: Mapping[str, ShownNode]
) -> tuple[dict[str, bool], dict[str, str]]:
    """Hold nodes against a remote's. One that was sent in several records is as it was sent if it is as any of them.

    Args:
        sent: What was sent, of every record one.
        there: What the remote shows, by id.

    Returns:
        Of each node that was sent, whether the remote's has its name; and of those that are there with other values,
        in what they differ: ``type``, or a property's name.
    """
    named: dict[str, bool] = {}
    differing: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    for node_id, name, record in sent:
        node, is_settled = there.get(node_id), node_id in named and node_id not in differing
        named[node_id] = not name or ((node.label if node else "") or name) == name or named.get(node_id, False)
        if node is None or record is None or is_settled:
            continue
        if isinstance(record, Entity):
            descriptions[node_id] = _merged(descriptions.get(node_id), description_of(record))
        if what := _difference(record, node, descriptions.get(node_id, "")):
            differing[node_id] = what
        else:
            differing.pop(node_id, None)
            descriptions.pop(node_id, None)
    return named, differing


def _merged(known: str | None, description: str) -> str:
    """A server puts the descriptions of several records of an entity together."""
    return description if known is None or known == description else f"{known}\n{description}"


def _difference(record: Entity | RawNode, node: ShownNode, description: str) -> str:
    if isinstance(record, RawNode):
        return difference(record.properties, node.type, node.properties)
    return difference({"type": "Entity", "name": record.name, "description": description}, node.type, node.properties)
