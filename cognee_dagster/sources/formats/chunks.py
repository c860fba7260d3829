"""Texts from which a graph was extracted, as Cognee's own chunks that contain what was found in them."""

from collections.abc import Mapping
from typing import Any

from cognee_dagster.sources.elements import Edge, Node

CHUNK = "DocumentChunk"
CONTAINS = "contains"


def chunk_node(key: str, text: str, *, index: int, document: str | None, size: int | None, place: str) -> Node:
    """A text as a chunk.

    Args:
        key: What its producer calls it.
        text: The text itself.
        index: Its number in the document.
        document: Name of the document, if known.
        size: Its length in tokens, if known.
        place: Where it stands.
    """
    attributes: dict[str, Any] = {
        "text": text,
        "chunk_index": index,
        "chunk_size": len(text.split()) if size is None else size,
        "cut_type": "imported",
        "metadata": {"index_fields": ["text"]},
    }
    if document:
        attributes["document_name"] = document
    return Node(chunk_key(key), attributes, place, CHUNK)


def contains_edge(chunk: str, node: Any, *, text: str, place: str) -> Edge:
    """That a chunk speaks of a node."""
    attributes: Mapping[str, Any] = {"edge_text": text}
    return Edge(chunk_key(chunk), node, attributes, None, place, CONTAINS)


def chunk_key(key: str) -> str:
    """A key that no node of the graph has."""
    return f"text:{key}"
