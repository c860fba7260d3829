"""What the fake server finds in a dataset: Cognee 1.6.5, ``modules/retrieval``, with words in place of vectors."""

import re
from collections.abc import Iterable

from cognee_dagster.testing.answers import CogneeError
from cognee_dagster.testing.state import Dataset

_TEXTS = {"CHUNKS": "DocumentChunk", "CHUNKS_LEXICAL": "DocumentChunk", "SUMMARIES": "TextSummary"}
SEARCH_TYPES = (*_TEXTS, "GRAPH_COMPLETION", "HYBRID_COMPLETION")


def found_in(dataset: Dataset, search_type: str, question: str, *, top_k: int) -> str:
    """The context that a language model would get.

    Raises:
        CogneeError: There is nothing that could be searched in this way.
    """
    if not dataset.graph.nodes:
        raise _nothing_to_search(dataset, "no data has been added; add data and run cognify before searching.")
    if search_type not in _TEXTS:
        return _relationships(dataset, question, top_k=top_k)
    nodes = [node for node in dataset.graph.nodes.values() if node.type == _TEXTS[search_type]]
    texts = [str(text) for node in nodes if (text := node.properties.get("text"))]
    if not texts:
        lexical = search_type == "CHUNKS_LEXICAL"
        reason = "No valid chunks loaded during initialization." if lexical else _NO_DATA
        raise _nothing_to_search(dataset, reason)
    return "\n".join(_best(texts, question, top_k=top_k))


_NO_DATA = "No data found in the system, please add data first."


def _nothing_to_search(dataset: Dataset, reason: str) -> CogneeError:
    where = f"dataset '{dataset.name}' (id: {dataset.id})"
    return CogneeError(404, {"detail": f"No searchable memory in {where}: {reason} [NoDataError]"})


def _relationships(dataset: Dataset, question: str, *, top_k: int) -> str:
    """The edges that fit best, after the nodes at their ends."""
    graph = dataset.graph
    lines: dict[str, tuple[str, str]] = {}
    for source, label, target in graph.edges:
        ends = [graph.nodes[end].name or end for end in (source, target) if end in graph.nodes]
        if len(ends) == 2:
            lines[f"{ends[0]} --[{label}]--> {ends[1]}"] = (source, target)
    found = _best(lines, question, top_k=top_k)
    nodes = dict.fromkeys(end for line in found for end in lines[line])
    shown = [_node(str(graph.nodes[end].name or end), graph.nodes[end].properties) for end in nodes]
    return "Nodes:\n" + "\n".join(shown) + "\n\nConnections:\n" + "\n".join(found) if found else ""


def _node(name: str, properties: dict[str, object]) -> str:
    content = properties.get("description") or properties.get("text") or ""
    return f"Node: {name}\n__node_content_start__\n{content}\n__node_content_end__\n"


def _best(texts: Iterable[str], question: str, *, top_k: int) -> list[str]:
    """The texts with most words in common with the question; all of them, if they are few."""
    words = _words(question)
    return sorted(texts, key=lambda text: -len(words & _words(text)))[:top_k]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
