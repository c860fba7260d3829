"""Communities that a producer found in its graph: entities to which their members belong, and reports as chunks.

Cognee's search finds entities by their names and chunks by their texts; a report leads to its community and to all that
is in it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.chunks import chunk_node, contains_edge
from cognee_dagster.sources.mapping.values import unquoted

_TYPE = "community"
_MEMBER_OF, _PART_OF = "member_of", "part_of"


@dataclass(frozen=True, kw_only=True)
class Community:
    """A community.

    Attributes:
        key: What its producer calls it.
        name: What a person would call it: the title of its report, if there is one.
        place: Where it stands, for error messages.
        summary: What is common to its members.
        report: The whole report; empty without one.
        members: Keys of the nodes in it.
        parent: Key of the community that it is a part of.
        attributes: What else is known of it.
    """

    key: str
    name: str
    place: str
    summary: str = ""
    report: str = ""
    members: Sequence[Any] = ()
    parent: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


def community_nodes(communities: Iterable[Community]) -> Iterator[Node]:
    """The communities, and the reports on them."""
    for index, community in enumerate(communities):
        attributes = {**community.attributes, "name": community.name, "type": _TYPE}
        if community.summary:
            attributes["description"] = community.summary
        yield Node(_key(community.key), attributes, community.place)
        if community.report:
            name, report = community.name, _report(community)
            yield chunk_node(report, community.report, index=index, document=name, size=None, place=community.place)


def community_edges(communities: Iterable[Community]) -> Iterator[Edge]:
    """Who is in a community, which one it is a part of, and of what its report speaks."""
    for community in communities:
        key, name, place = _key(community.key), community.name, community.place
        for member in community.members:
            said = {"edge_text": f"{unquoted(str(member))} is a member of the community {name}."}
            yield Edge(member, key, said, None, place, _MEMBER_OF)
        if community.parent is not None:
            said = {"edge_text": f"The community {name} is a part of a larger one."}
            yield Edge(key, _key(community.parent), said, None, place, _PART_OF)
        if community.report:
            yield contains_edge(_report(community), key, text=f"A report on the community {name}.", place=place)
            for member in community.members:
                text = f"A report on the community {name} speaks of {unquoted(str(member))}."
                yield contains_edge(_report(community), member, text=text, place=place)


def _key(community: str) -> str:
    """A key that no node of the graph has."""
    return f"community:{community}"


def _report(community: Community) -> str:
    return f"report:{community.key}"
