"""Nodes and edges as examples for a person: the id, and the name where it is at hand."""


def with_name(node_id: str, name: str | None) -> str:
    """A node: ``3f2a… Ada``, or its id alone."""
    return f"{node_id} {name}" if name and name != node_id else node_id


def with_names(edge: tuple[str, str, str], *, source: str | None, target: str | None) -> str:
    """An edge: ``3f2a… knows 9c1b… (Ada knows Bob)``, or its ids alone where neither end has a name."""
    ids = " ".join(edge)
    if not source and not target:
        return ids
    return f"{ids} ({source or edge[0]} {edge[1]} {target or edge[2]})"
