"""GraphRAG's communities and the reports on them, two tables of its output.

A report's id is a digest of its text, so that several reports may have one: a community is known by its number.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from sys import getsizeof
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.communities import Community
from cognee_dagster.sources.formats.tables import Row, keys_in, num_texts, rows_of

_NUMBERS = ("community", "id")  # GraphRAG before 0.4 has no other id of a community than its number
_STRUCTURE = {"community", "parent", "children", "entity_ids", "relationship_ids", "text_unit_ids"}
_TEXT = "full_content"
_UNREAD = {"relationship_ids", "text_unit_ids", "children"}
_SAID_TWICE = {"findings", "full_content_json"}
_MAX_HELD = 96 << 20
_ROW_BYTES = 1_000
_SAID = {"title", "summary", "findings", _TEXT, "full_content_json"}  # by the name, the description and the report


class GraphRagCommunities:
    """Communities and reports; either table may be missing.

    Args:
        communities: The table of communities.
        reports: The table of reports.
        titles: Titles of the entities by id; asked for only where there are communities.
    """

    def __init__(self, communities: Path | None, reports: Path | None, *, titles: Callable[[], Mapping[str, Any]]):
        self._communities = communities
        self._reports = reports
        self._titles = titles

    def num_elements(self) -> int:
        if self._reports is None:
            return len(self._numbers(self._communities))
        numbers = [*self._numbers(self._communities), *self._numbers(self._reports)]
        return len(set(numbers)) + num_texts(self._reports, _TEXT)

    def __iter__(self) -> Iterator[Community]:
        reports = dict(_held(self._rows(self._reports)))
        titles = self._titles() if self._communities is not None else {}
        known = set(self._numbers(self._communities))
        for number, (place, row) in self._rows(self._communities):
            _, report = reports.pop(number, (place, {}))
            members = [titles[key] for key in keys_in(row, "entity_ids") if key in titles]
            parent = str(row.get("parent"))
            yield Community(
                **_said(number, row, report), place=place, members=members, parent=parent if parent in known else None
            )
        for number, (place, report) in reports.items():
            yield Community(**_said(number, {}, report), place=place)

    def _numbers(self, table: Path | None) -> list[str]:
        return [number for number, _ in self._rows(table)]

    def _rows(self, table: Path | None) -> Iterator[tuple[str, tuple[str, Row]]]:
        for place, row in rows_of(table, without=_UNREAD) if table is not None else ():
            number = next((row[name] for name in _NUMBERS if name in row), None)
            if number is None:
                raise GraphFileError(f"has a community without a number ({place}). Add it.")
            yield str(number), (place, row)


def _held(rows: Iterable[tuple[str, tuple[str, Row]]]) -> Iterator[tuple[str, tuple[str, Row]]]:
    """The rows of reports, without what is said twice: they are held until their communities are read."""
    size = 0
    for number, (place, row) in rows:
        kept = {name: value for name, value in row.items() if name not in _SAID_TWICE}
        size += _ROW_BYTES + sum(map(_size, kept.values()))
        if size > _MAX_HELD:
            raise GraphFileError(
                f"has reports on communities of more than {_MAX_HELD >> 20} MiB ({place}). Take their table out of the "
                "folder, or remove columns."
            )
        yield number, (place, kept)


def _size(value: Any) -> int:
    return getsizeof(value) + (sum(map(_size, value)) if isinstance(value, list) else 0)


def _said(number: str, row: Row, report: Row) -> dict[str, Any]:
    """What a community's row and its report say of it."""
    return {
        "key": number,
        "name": str(report.get("title") or row.get("title") or f"Community {number}"),
        "summary": str(report.get("summary") or ""),
        "report": str(report.get(_TEXT) or ""),
        "attributes": {name: value for name, value in (report | row).items() if name not in _STRUCTURE | _SAID},
    }
