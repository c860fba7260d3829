"""The output folder of Microsoft's GraphRAG: Parquet tables of entities, relationships, texts, communities, claims.

Relationships name entities by their titles, as does GraphRAG's own GraphML snapshot, so that a title is an entity's key
here, too. Text units become chunks that contain the entities found in them, and so do the reports on communities.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from sys import getsizeof
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.chunks import chunk_node, contains_edge
from cognee_dagster.sources.formats.communities import community_edges, community_nodes
from cognee_dagster.sources.formats.graphrag_claims import GraphRagClaims
from cognee_dagster.sources.formats.graphrag_communities import GraphRagCommunities
from cognee_dagster.sources.formats.tables import (
    Row,
    columns_of,
    find_table,
    keys_in,
    num_rows,
    num_texts,
    require_columns,
    rows_of,
)

_LISTS = ("text_unit_ids", "entity_ids", "relationship_ids", "covariate_ids", "document_ids", "document_id")
_OTHERS = ("text_units", "documents", "communities", "community_reports", "covariates")
_MAX_KEPT = 64 << 20
_KEPT_BYTES = 100  # of a key, beside its text
_DOCUMENTS = ("document_id", "document_ids")  # GraphRAG 3, and those before


class GraphRagFolder:
    """A GraphRAG output folder as a source of nodes and edges."""

    hints = frozenset({"graphrag"})

    def __init__(self, entities: Path, relationships: Path, *, others: Mapping[str, Path | None]) -> None:
        self._entities = entities
        self._relationships = relationships
        self._texts = others["text_units"]
        self._documents = others["documents"]
        self._communities = GraphRagCommunities(others["communities"], others["community_reports"], titles=self._titles)
        self._claims = GraphRagClaims(others["covariates"])

    @classmethod
    def find(cls, folder: Path) -> "GraphRagFolder | None":
        """The output in a folder, or in ``output`` below it; None if there is none."""
        for place in (folder, folder / "output"):
            entities, relationships = _find(place, "entities"), _find(place, "relationships")
            if entities is not None and relationships is not None and entities.suffix == ".parquet":
                return cls(entities, relationships, others={name: _find(place, name) for name in _OTHERS})
        return None

    def num_elements(self) -> int:
        texts = 0
        if self._texts is not None:
            require_columns(self._texts, "text")
            texts = num_texts(self._texts, "text")
        rows = num_rows(self._entities) + num_rows(self._relationships)
        return rows + texts + self._communities.num_elements() + self._claims.num_elements()

    def nodes(self) -> Iterator[Node]:
        for place, row in rows_of(self._entities):
            yield Node(_title(row, place), _attributes(row), place)
        documents = self._document_names()
        for index, (place, row) in enumerate(self._text_rows()):
            keys = chain.from_iterable(keys_in(row, name) for name in _DOCUMENTS)
            document = next((documents[key] for key in keys if key in documents), None)
            yield chunk_node(
                row["id"], row["text"], index=index, document=document, size=row.get("n_tokens"), place=place
            )
        yield from community_nodes(self._communities)
        yield from self._claims.nodes()

    def edges(self) -> Iterator[Edge]:
        for place, row in rows_of(self._relationships):
            attributes = _attributes(row)
            ends = [attributes.pop(name, None) for name in ("source", "target")]
            if None in ends:
                raise GraphFileError(f"has a relationship without a source or target ({place}). Add it.")
            yield Edge(ends[0], ends[1], attributes, None, place)
        known = set(_kept((row["id"], place) for place, row in self._text_rows()))
        for place, row in rows_of(self._entities):
            title = _title(row, place)
            for key in keys_in(row, "text_unit_ids"):
                if key in known:
                    yield contains_edge(key, title, text=f"A text speaks of {title}.", place=place)
        yield from community_edges(self._communities)
        if self._claims.num_elements():
            titles = ((_title(row, place), place) for place, row in rows_of(self._entities))
            yield from self._claims.edges(entities=set(_kept(titles)), texts=known)

    def _titles(self) -> dict[str, Any]:
        rows = ((place, row) for place, row in rows_of(self._entities) if "id" in row)
        pairs = (((_identified(row, place, what="entity")["id"], _title(row, place)), place) for place, row in rows)
        return dict(_kept(pairs))

    def _text_rows(self) -> Iterator[tuple[str, Row]]:
        for place, row in rows_of(self._texts) if self._texts is not None else ():
            if row.get("text"):
                yield place, _identified(row, place, what="text unit")

    def _document_names(self) -> dict[str, str]:
        if self._documents is None:
            return {}
        rows = rows_of(self._documents, without=set(columns_of(self._documents)) - {"id", "title"})
        known = ((_identified(row, place, what="document"), place) for place, row in rows)
        return dict(_kept(((row["id"], str(row.get("title") or row["id"])), place) for row, place in known))


def _find(folder: Path, name: str) -> Path | None:
    return find_table(folder, (name, f"create_final_{name}")) if folder.is_dir() else None


def _kept(values: Iterable[tuple[Any, str]]) -> Iterator[Any]:
    """Keys and titles, of which there may be as many as fit; each comes with its place."""
    size = 0
    for value, place in values:
        size += sum(_KEPT_BYTES + getsizeof(part) for part in (value if isinstance(value, tuple) else (value,)))
        if size > _MAX_KEPT:
            raise GraphFileError(
                f"holds more ids and titles than are kept ({place}): {_MAX_KEPT >> 20} MiB. Take tables of texts, "
                "communities, claims or documents out of the folder, or shorten them."
            )
        yield value


def _identified(row: Row, place: str, *, what: str) -> Row:
    if not isinstance(row.get("id"), (str, int)):
        article = "an" if what[0] in "aeiou" else "a"
        raise GraphFileError(f"has {article} {what} whose id is neither a string nor a number ({place}). Correct it.")
    return row


def _title(row: Row, place: str) -> Any:
    title = row.get("title", row.get("name"))
    if title is None:
        raise GraphFileError(f"has an entity without a title ({place}). Add it.")
    return title


def _attributes(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _LISTS}
