"""Nodes and edges as examples for a person: the id, and the name where it is at hand."""

from collections.abc import Sequence

_MAX_NAME = 120  # characters; a remote, or a file, may have names of megabytes


def with_name(node_id: str, name: str | None) -> str:
    """A node: ``3f2a… Ada``, or its id alone; of a long name the beginning."""
    return f"{node_id} {_short(name)}" if name and name != node_id else node_id


def with_names(edge: tuple[str, str, str], *, source: str | None, target: str | None) -> str:
    """An edge: ``3f2a… knows 9c1b… (Ada knows Bob)``, or its ids alone where neither end has a name."""
    ids = " ".join(edge)
    if not source and not target:
        return ids
    return f"{ids} ({_short(source or edge[0])} {edge[1]} {_short(target or edge[2])})"


def such_as(examples: Sequence[str]) -> str:
    """The end of a sentence about records of which some may be told."""
    return f", such as {'; '.join(examples)}" if examples else ""


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
