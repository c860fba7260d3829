"""GraphRAG's claims, the table ``covariates`` of its output: what texts claim of entities, and since when it is so.

A claim becomes an entity, called after whom it is about; Cognee's search finds it by that name, and by the entity.
GraphRAG writes a row with nothing in it for a text of which its model claims nothing: that is no claim.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.chunks import contains_edge
from cognee_dagster.sources.formats.tables import Row, num_texts, rows_of

_CLAIMED_OF, _INVOLVES = "claimed_of", "involves"
_STRUCTURE = {"id", "covariate_type", "type", "subject_id", "object_id", "text_unit_id"}
_DATES = ("start_date", "end_date")
_ENDS = ("subject_id", "object_id")
_SAYS = (*_ENDS, "type", "description", "source_text")
_NONE = "NONE"  # what GraphRAG has its model write where a claim has no object or date


class GraphRagClaims:
    """The claims; none where there is no table."""

    def __init__(self, table: Path | None) -> None:
        self._table = table

    def num_elements(self) -> int:
        return 0 if self._table is None else num_texts(self._table, *_SAYS)

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
        titles = {str(title).upper(): title for title in entities}
        for place, row in self._rows():
            key, said = _key(row), str(row.get("description") or _name(row))
            subject, other = (_title(row.get(end), entities, titles) for end in _ENDS)
            if subject is not None:
                attributes = {"edge_text": f"It is claimed of {subject}: {said}", **_times(row)}
                yield Edge(key, subject, attributes, None, place, _CLAIMED_OF)
            if other not in (None, subject):
                text = f"{other} is involved in what is claimed of {row.get('subject_id')}: {said}"
                yield Edge(key, other, {"edge_text": text}, None, place, _INVOLVES)
            if (text_unit := row.get("text_unit_id")) in texts:
                yield contains_edge(str(text_unit), key, text=f"A text claims: {said}", place=place)

    def _rows(self) -> Iterator[tuple[str, Row]]:
        for place, row in rows_of(self._table) if self._table is not None else ():
            if not any(row.get(column) for column in _SAYS):  # as they are counted
                continue
            if row.get("id") is None:
                raise GraphFileError(f"has a claim without an id ({place}). Add it.")
            yield place, row


def _title(named: Any, entities: Collection[Any], titles: Mapping[str, Any]) -> Any:
    """The title of the entity that a claim names; GraphRAG writes titles in capitals, and claims as its model does."""
    if not isinstance(named, str) or named == _NONE:
        return None
    return named if named in entities else titles.get(named.upper())


def _times(row: Row) -> dict[str, Any]:
    """Since when and until when it is so; what is claimed of one day has that as its beginning only."""
    start, end = (None if row.get(column) == _NONE else row.get(column) for column in _DATES)
    times = {"valid_at": start, "invalid_at": end if end != start else None}
    return {name: date for name, date in times.items() if date is not None}


def _name(row: Row) -> str:
    """Whom it is about, and what kind of claim it is."""
    parts = (row.get("subject_id"), row.get("type"))
    return ": ".join(str(part) for part in parts if part not in (None, "", _NONE)) or f"Claim {row['id']}"


def _key(row: Row) -> str:
    """A key that no node of the graph has."""
    return f"claim:{row['id']}"
