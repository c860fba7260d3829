"""What a user says about the meaning of a graph's attributes."""

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from cognee_dagster.errors import GraphFileError
from cognee_dagster.system.spelling import nearest

EDGE_PLACEHOLDERS = ("source", "target", "relationship")


@dataclass(frozen=True, kw_only=True)
class GraphMapping:
    """What the attributes of a foreign graph mean.

    A graph calls things as its producer does: a node's type may be in ``species``, the name of an edge in ``does``. Say
    here what its profile does not find; what is left out is found by the profile.

    Attributes:
        node_type: The attribute of nodes that holds their type. Of several, the first that a node has counts.
        name: The attribute of nodes that holds their name. Of several, the first that a node has counts.
        relationship: The attribute of edges that holds the name of the relationship. Of several, the first that an edge
            has counts.
        edge_text: What every edge says, as a template: ``"{source} {relationship} {target}: {note}"``. In braces stand
            attributes of the edge, and ``source``, ``target`` and ``relationship``, the names of its ends and its own.
            Attributes that the template does not name stay behind. Default: the edge's description, or a sentence made
            of the three names, with its other attributes below it.
        keep: The attributes to keep, of nodes and edges, beside those that the fields above name; all others stay
            behind. Default: all are kept.
        drop: The attributes to leave behind, of nodes and edges.
        as_nodes: What a node becomes. ``cognee``: an ``Entity``, as Cognee itself makes them, with an ``EntityType``
            beside it, and its other attributes named in its description; Cognee's search finds it by its name.
            ``typed``: a node of its own type that keeps all its attributes; Cognee's search reaches it through its
            relationships only, and never by its name. Default: ``cognee``; but in a graph that speaks Cognee's own
            language, nodes stay as they are where only ``relationship`` and ``edge_text`` are said, and nodes with a
            ``type`` also where ``keep`` and ``drop`` are.

    Raises:
        GraphFileError: A value that cannot work; the message says which.
    """

    node_type: str | Sequence[str] | None = None
    name: str | Sequence[str] | None = None
    relationship: str | Sequence[str] | None = None
    edge_text: str | None = None
    keep: Sequence[str] | None = None
    drop: Sequence[str] = ()
    as_nodes: Literal["cognee", "typed"] | None = None

    def __post_init__(self) -> None:
        for option in ("node_type", "name", "relationship"):
            value = getattr(self, option)
            if value is not None and not isinstance(value, str):
                value = _names(option, value)
                object.__setattr__(self, option, value)
            if value in {"", ()}:
                raise GraphFileError(f"GraphMapping: {option} is empty. Name an attribute, or leave it out.")
        if self.keep is not None:
            object.__setattr__(self, "keep", _names("keep", self.keep))
        object.__setattr__(self, "drop", _names("drop", self.drop))
        if both := sorted(set(self.keep or ()) & set(self.drop)):
            raise GraphFileError(f"GraphMapping: {both[0]!r} is both in keep and in drop. Take it out of one.")
        self._refuse_dropped()
        if self.as_nodes not in (None, "cognee", "typed"):  # a list has no hash
            raise GraphFileError(f"GraphMapping: as_nodes is {self.as_nodes!r:.60}. Write 'cognee' or 'typed'.")

    def _refuse_dropped(self) -> None:
        """What is said to mean something must not be left behind, too."""
        meant = {option: self.names(option) for option in ("node_type", "name", "relationship")}
        if self.edge_text is not None:
            meant["edge_text"] = tuple(set(placeholders(self.edge_text)) - set(EDGE_PLACEHOLDERS))
        for option, names in meant.items():
            if both := sorted(set(names) & set(self.drop)):
                raise GraphFileError(f"GraphMapping: {both[0]!r} is both in {option} and in drop. Take it out of one.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "GraphMapping":
        """A mapping written as its fields, as YAML and JSON have them; a field without a value is left out.

        Raises:
            GraphFileError: There is no such field, or a value cannot work.
        """
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                near = nearest(str(name), known)
                hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
                raise GraphFileError(f"GraphMapping: there is no {name!r:.60}. {hint}")
        return cls(**{name: value for name, value in given.items() if value is not None})

    def names(self, option: str) -> tuple[str, ...]:
        """The attributes that an option names."""
        value = getattr(self, option)
        return () if value is None else (value,) if isinstance(value, str) else value

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing, so that everything is found by convention."""
        return self == GraphMapping()

    @property
    def of_nodes(self) -> "GraphMapping":
        """What it says of nodes, or of both."""
        return replace(self, relationship=None, edge_text=None)

    @property
    def of_edges(self) -> "GraphMapping":
        """What it says of edges alone."""
        return GraphMapping(relationship=self.relationship, edge_text=self.edge_text)


def placeholders(template: str) -> tuple[str, ...]:
    """The attributes named in an edge_text.

    Raises:
        GraphFileError: It is not a string with names in braces.
    """
    advice = "Write names of attributes in braces, such as '{description}', and {{ or }} for a brace."
    if not isinstance(template, str):
        raise GraphFileError(f"GraphMapping: edge_text is {template!r:.60}, not a string. {advice}")
    try:
        fields = [field for field in string.Formatter().parse(template) if field[1] is not None]
    except ValueError as error:
        raise GraphFileError(f"GraphMapping: edge_text {template!r:.80} cannot be read: {error}. {advice}") from error
    if not fields or any(not name or spec or conversion for _, name, spec, conversion in fields):
        raise GraphFileError(f"GraphMapping: edge_text {template!r:.80} names no attribute. {advice}")
    return tuple(str(name) for _, name, _, _ in fields)


def filled(template: str, values: Mapping[str, str]) -> str:
    """An edge_text with its attributes; unlike ``str.format``, a dot or a bracket is part of an attribute's name."""
    parts = string.Formatter().parse(template)
    return "".join(literal + ("" if name is None else values[name]) for literal, name, _, _ in parts)


def _names(option: str, value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise GraphFileError(f"GraphMapping: {option} is the string {value!r:.60}. Write a list: [{value!r:.60}].")
    try:
        names = tuple(value)
    except TypeError:
        names = (None,)  # type: ignore[assignment]  # no names: refused below
    if not all(isinstance(name, str) and name for name in names):
        raise GraphFileError(f"GraphMapping: {option} is {value!r:.60}. Write a list of names of attributes.")
    return names
