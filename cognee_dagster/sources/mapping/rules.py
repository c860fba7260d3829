"""A profile and what the user says, brought together for one graph."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.mapping.survey import Survey
from cognee_dagster.sources.mapping.value import EDGE_PLACEHOLDERS, GraphMapping, placeholders
from cognee_dagster.sources.profiles.profile import AsNodes, Profile
from cognee_dagster.system.spelling import nearest


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which attributes of this graph mean what; all names are spelled as the graph spells them.

    Attributes:
        profile: Name of the profile.
        as_nodes: What nodes become.
        edges_speak: Whether an edge gets a text that says all that it holds.
        node_type: Attributes with a node's type; the first that is there counts.
        node_name: Attributes with a node's name.
        relationship: Attributes with an edge's name.
        node_description: Attributes with a node's description.
        edge_description: Attributes with what an edge says.
        edge_text: The user's template of it.
        dropped_from_nodes: Attributes of nodes that stay behind.
        dropped_from_edges: Attributes of edges that stay behind.
    """

    profile: str
    as_nodes: AsNodes
    edges_speak: bool
    node_type: tuple[str, ...]
    node_name: tuple[str, ...]
    relationship: tuple[str, ...]
    node_description: tuple[str, ...]
    edge_description: tuple[str, ...]
    edge_text: str | None = None
    dropped_from_nodes: frozenset[str] = frozenset()
    dropped_from_edges: frozenset[str] = frozenset()


def rules_for(survey: Survey, *, profile: Profile, mapping: GraphMapping) -> Rules:
    """The rules for a graph.

    Raises:
        GraphFileError: The mapping names an attribute that the graph does not have.
    """
    nodes, edges = survey.node_attributes, survey.edge_attributes
    _check(mapping, survey)
    as_nodes: AsNodes = mapping.as_nodes or profile.as_nodes
    if mapping.as_nodes is None and not _leaves_types(mapping, nodes):
        as_nodes = "cognee"
    dropped = (
        _dropped(nodes, profile=profile, mapping=mapping, meant=(*mapping.names("node_type"), *mapping.names("name"))),
        _dropped(edges, profile=profile, mapping=mapping, meant=(*mapping.names("relationship"), *_in_text(mapping))),
    )
    of_nodes, of_edges = (
        {name: count for name, count in names.items() if name not in left}
        for names, left in zip((nodes, edges), dropped, strict=True)
    )
    return Rules(
        profile=profile.name,
        as_nodes=as_nodes,
        edges_speak=as_nodes != "as_they_are" or not mapping.of_edges.is_empty,
        node_type=_present(mapping.names("node_type") or profile.node_type, of_nodes),
        node_name=_present((*mapping.names("name"), *profile.node_name), of_nodes),
        relationship=_present((*mapping.names("relationship"), *profile.relationship), of_edges),
        node_description=_present(profile.description, of_nodes),
        edge_description=_present(("edge_text", *profile.description), of_edges),
        edge_text=mapping.edge_text,
        dropped_from_nodes=dropped[0],
        dropped_from_edges=dropped[1],
    )


def _leaves_types(mapping: GraphMapping, nodes: Iterable[str]) -> bool:
    """Whether nodes in Cognee's own language stay what they are: of them only attributes are kept or dropped."""
    of_nodes = mapping.of_nodes
    return of_nodes.is_empty or ("type" in nodes and of_nodes.node_type is None and of_nodes.name is None)


def _dropped(names: Iterable[str], *, profile: Profile, mapping: GraphMapping, meant: Iterable[str]) -> frozenset[str]:
    """What stays behind; a name that the user wants to keep, or means something by, is kept in spite of the profile."""
    if mapping.keep is not None:
        return frozenset(names) - {*mapping.keep, *meant} | frozenset(mapping.drop)
    by_profile = frozenset(name for name in names if name.lower() in profile.drop) - set(meant)
    return by_profile | frozenset(mapping.drop)


def _in_text(mapping: GraphMapping) -> tuple[str, ...]:
    """The attributes in the template of an edge's text."""
    names = placeholders(mapping.edge_text) if mapping.edge_text is not None else ()
    return tuple(name for name in names if name not in EDGE_PLACEHOLDERS)


def _present(names: Iterable[str], there: Mapping[str, int]) -> tuple[str, ...]:
    """The names that the graph has, as it spells them."""
    spelled: dict[str, list[str]] = {}
    for name in there:
        spelled.setdefault(name.lower(), []).append(name)
    found = dict.fromkeys(
        spelling for name in names for spelling in ([name] if name in there else spelled.get(name.lower(), ()))
    )
    return tuple(found)


def _check(mapping: GraphMapping, survey: Survey) -> None:
    nodes, edges = survey.node_attributes, survey.edge_attributes
    for option, there, what in (
        ("node_type", nodes, "node"),
        ("name", nodes, "node"),
        ("relationship", edges, "edge"),
    ):
        for name in mapping.names(option):
            _check_name(f"{option}={name!r}", name, there, what=what)
    if mapping.edge_text is not None and survey.num_edges:
        for name in _in_text(mapping):
            _check_name(f"edge_text={mapping.edge_text!r}", name, edges, what="edge")
    for name in (*(mapping.keep or ()), *mapping.drop):
        _check_name(f"keep and drop: {name!r}", name, {**nodes, **edges}, what="node or edge")


def _check_name(option: str, name: str, there: Mapping[str, int], *, what: str) -> None:
    if name in there:
        return
    near = nearest(name, there)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(sorted(there)) or 'none'}."
    raise GraphFileError(f"GraphMapping({option}): no {what} has an attribute {name!r}.{hint}")
