"""The working directory of LightRAG or nano-graphrag: a GraphML file, the texts from which it was made, and reports."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.chunks import chunk_node, contains_edge
from cognee_dagster.sources.formats.communities import community_edges, community_nodes
from cognee_dagster.sources.formats.graphml import GraphMLFile
from cognee_dagster.sources.formats.json_file import JsonObject, read_object
from cognee_dagster.sources.formats.nano_communities import REPORTS_FILE, NanoCommunities
from cognee_dagster.sources.mapping.values import unquoted

GRAPH_FILE = "graph_chunk_entity_relation.graphml"
TEXTS_FILE = "kv_store_text_chunks.json"
_SEPARATOR = "<SEP>"


class LightRagFolder:
    """A working directory as a source of nodes and edges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._graph = GraphMLFile(folder / GRAPH_FILE)

    @classmethod
    def find(cls, folder: Path) -> "LightRagFolder | None":
        """The working directory, if the folder is one."""
        return cls(folder) if (folder / GRAPH_FILE).is_file() else None

    @cached_property
    def hints(self) -> frozenset[str]:
        """LightRAG names its entities in an attribute, nano-graphrag in their keys alone."""
        first = next(self._graph.nodes(), None)
        named = first is not None and "entity_id" in first.attributes
        return self._graph.hints | {"lightrag" if named else "nano-graphrag"}

    @property
    def held_bytes(self) -> int:
        """Of the texts and reports, which stay in memory as documents."""
        return self._texts.held_bytes + self._communities.held_bytes

    def num_elements(self) -> int:
        reports = sum(1 for community in self._communities if community.report)
        return self._graph.num_elements() + len(self._texts) + len(self._communities) + reports

    def nodes(self) -> Iterator[Node]:
        for node in self._graph.nodes():
            attributes = self._without_known_texts(node.attributes)
            if self._communities:
                attributes.pop("clusters", None)  # their numbers: edges say it in words
            yield node._replace(attributes=attributes)
        for key, text in self._texts.items():
            yield chunk_node(
                key,
                text["content"],
                index=number if isinstance(number := text.get("chunk_order_index"), int) else 0,
                document=text.get("file_path") or text.get("full_doc_id"),
                size=text.get("tokens"),
                place=f"{TEXTS_FILE}, {key}",
            )
        yield from community_nodes(self._communities)

    def edges(self) -> Iterator[Edge]:
        for edge in self._graph.edges():
            yield edge._replace(attributes=self._without_known_texts(edge.attributes))
        for node in self._graph.nodes():
            for key in _keys(node.attributes):
                if key in self._texts:
                    yield contains_edge(key, node.key, text=f"A text speaks of {unquoted(node.key)}.", place=node.place)
        yield from community_edges(self._communities)

    def _without_known_texts(self, attributes: Any) -> dict[str, Any]:
        """An edge from the text itself says more than its id in a description."""
        known = self._texts and all(key in self._texts for key in _keys(attributes))
        return {name: value for name, value in attributes.items() if name != "source_id" or not known}

    @cached_property
    def _communities(self) -> NanoCommunities:
        path = self._folder / REPORTS_FILE
        nodes = {hash(node.key) for node in self._graph.nodes()} if path.is_file() else ()
        return NanoCommunities(path, nodes=nodes)

    @cached_property
    def _texts(self) -> "_Texts":
        path = self._folder / TEXTS_FILE
        if not path.is_file():
            return _Texts(JsonObject({}))
        content = read_object(path)
        if content is None:
            raise GraphFileError(
                f"has a {TEXTS_FILE} that is not a JSON object of texts. Copy it again, or take it out of the folder."
            )
        return _Texts(content)


class _Texts:
    """The texts that say something, by their keys; each is made a value when it is asked for.

    Raises:
        GraphFileError: A text is not what LightRAG writes.
    """

    def __init__(self, content: JsonObject) -> None:
        self._content = content
        self._empty = {key for key in content if not self._text(key)["content"]}

    @property
    def held_bytes(self) -> int:
        return self._content.size

    def __contains__(self, key: str) -> bool:
        return key in self._content and key not in self._empty

    def __len__(self) -> int:
        return len(self._content) - len(self._empty)

    def items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The keys and what stands there, in their order."""
        return ((key, self._text(key)) for key in self._content if key not in self._empty)

    def _text(self, key: str) -> dict[str, Any]:
        text = self._content.get(key)
        if not isinstance(text, dict) or not isinstance(text.get("content"), str):
            raise GraphFileError(
                f"has a text {key!r:.60} in {TEXTS_FILE} without 'content'. Add it, or remove the text."
            )
        return text


def _keys(attributes: Any) -> list[str]:
    value = attributes.get("source_id")
    return list(dict.fromkeys(value.split(_SEPARATOR))) if isinstance(value, str) else []
