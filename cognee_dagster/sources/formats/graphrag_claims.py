"""GraphRAG's claims, the table ``covariates`` of its output: what texts claim of entities, and since when it is so.

A claim becomes an entity, called after whom it is about; Cognee's search finds it by that name, and by the entity.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.chunks import contains_edge
from cognee_dagster.sources.formats.tables import Row, num_rows, rows_of

_CLAIMED_OF, _INVOLVES = "claimed_of", "involves"
_STRUCTURE = {"id", "covariate_type", "type", "subject_id", "object_id", "text_unit_id"}
_TIMES = {"valid_at": "start_date", "invalid_at": "end_date"}
_NONE = "NONE"  # what GraphRAG has its model write where a claim has no object or date


class GraphRagClaims:
    """The claims; none where there is no table."""

    def __init__(self, table: Path | None) -> None:
        self._table = table

    def num_elements(self) -> int:
        return 0 if self._table is None else num_rows(self._table)

    def nodes(self) -> Iterator[Node]:
        for place, row in self._rows():
            attributes = {name: value for name, value in row.items() if name not in _STRUCTURE and value != _NONE}
            attributes |= {"name": _name(row), "type": str(row.get("covariate_type") or "claim")}
            if "type" in row:
                attributes["claim_type"] = row["type"]
            if "object_id" in row and row["object_id"] != _NONE:
                attributes["object"] = row["object_id"]
            yield Node(_key(row), attributes, place)

    def edges(self, *, entities: Collection[Any], texts: Collection[str]) -> Iterator[Edge]:
        """What claims are about, and which texts make them; an end that the graph does not have is left out.

        Args:
            entities: Titles of the entities.
            texts: Ids of the text units.
        """
        for place, row in self._rows():
            key, said = _key(row), str(row.get("description") or _name(row))
            if (subject := row.get("subject_id")) in entities:
                attributes: dict[str, Any] = {"edge_text": f"It is claimed of {subject}: {said}"}
                times = {name: row.get(column, _NONE) for name, column in _TIMES.items()}
                attributes |= {name: value for name, value in times.items() if value != _NONE}
                yield Edge(key, subject, attributes, None, place, _CLAIMED_OF)
            if (other := row.get("object_id")) in entities and other != subject:
                text = f"{other} is involved in what is claimed of {subject}: {said}"
                yield Edge(key, other, {"edge_text": text}, None, place, _INVOLVES)
            if (text_unit := row.get("text_unit_id")) in texts:
                yield contains_edge(str(text_unit), key, text=f"A text claims: {said}", place=place)

    def _rows(self) -> Iterator[tuple[str, Row]]:
        for place, row in rows_of(self._table) if self._table is not None else ():
            if row.get("id") is None:
                raise GraphFileError(f"has a claim without an id ({place}). Add it.")
            yield place, row


def _name(row: Row) -> str:
    """Whom it is about, and what kind of claim it is."""
    parts = (row.get("subject_id"), row.get("type"))
    return ": ".join(str(part) for part in parts if part not in (None, _NONE)) or f"Claim {row['id']}"


def _key(row: Row) -> str:
    """A key that no node of the graph has."""
    return f"claim:{row['id']}"
