"""What is said of attributes that do not reach a remote, and of nodes that its search does not find."""

from collections.abc import Mapping

from cognee_dagster.graph.counting import with_counts

_OF_COGNEES_OWN = (
    "In the mapping, edge_text names those of edges and changes no node; as_nodes cognee names those of nodes in their "
    "descriptions, and makes an Entity of every node, whatever its type was."
)
_OF_OTHERS = (
    "Where the mapping or the profile leaves them out, list in the mapping's keep all that is to arrive, and name "
    "those of edges in its edge_text, if it has one. Embeddings and what is no text never arrive."
)


def left_behind_in_words(counts: Mapping[str, int], *, as_nodes: str | None) -> str:
    """What stays behind, and which mapping brings it: in Python, YAML and on the command line alike.

    Args:
        counts: By attribute.
        as_nodes: What the graph's nodes become; ``as_they_are`` for a graph in Cognee's own language.
    """
    return f"Attributes that do not reach the remote: {with_counts(counts)}. {advice_on_left_behind(as_nodes)}"


def neighbours_in_words(counts: Mapping[str, int]) -> str:
    """Which nodes a search finds as neighbours only, and which mapping changes that.

    Args:
        counts: By type.
    """
    return (
        f"Cognee's search reaches {with_counts(counts)} as neighbours only, never by their names. The mapping "
        "as_nodes=cognee makes entities of them, which it finds."
    )


def advice_on_left_behind(as_nodes: str | None) -> str:
    """Which mapping brings attributes that stay behind, and what else it changes."""
    return _OF_COGNEES_OWN if as_nodes == "as_they_are" else _OF_OTHERS
