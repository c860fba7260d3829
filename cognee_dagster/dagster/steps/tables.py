"""Tables in the metadata of an event."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

MAX_TABLE_ROWS = 50  # metadata sits in a row of the event log

_CELL_LENGTH = 200
_NO_NAME = "(none)"


def count_table(
    counts: Mapping[str, int], *, name: str, count: str, before: Mapping[str, int] | None = None
) -> dg.TableMetadataValue:
    """Counts as a table, the largest first; what is beyond ``MAX_TABLE_ROWS`` is summed up in a last row.

    Long names are cut; those that begin alike then are one.

    Args:
        counts: By name, which may be empty.
        name: What has names, such as ``node_type``.
        count: What is counted.
        before: The counts of a former version, as ``counts_in`` found them: where something changed, it
            adds a column ``change``, and rows for what is gone.
    """
    named: dict[str, int] = {}
    for text, number in counts.items():
        named[_cut(text) or _NO_NAME] = named.get(_cut(text) or _NO_NAME, 0) + number
    named |= {text: 0 for text in before or {} if text not in named}
    ordered = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:MAX_TABLE_ROWS], ordered[MAX_TABLE_ROWS:]
    rows: list[dict[str, str | int]] = [{name: text, count: number} for text, number in shown]
    if rest:
        rows.append({name: f"({len(rest)} more)", count: sum(number for _, number in rest)})
    columns = [dg.TableColumn(name, "string"), dg.TableColumn(count, "int")]
    changes = {} if before is None or rest else {text: number - before.get(text, 0) for text, number in shown}
    if any(changes.values()):
        columns.append(dg.TableColumn("change", "string"))
        rows = [{**row, "change": f"{change:+d}" if (change := changes[str(row[name])]) else ""} for row in rows]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=dg.TableSchema(columns))


def counts_in(table: Any) -> dict[str, int] | None:
    """The counts in a table of ``count_table``; None where it is none, or does not have all of them."""
    if not isinstance(table, dg.TableMetadataValue) or len(table.records) > MAX_TABLE_ROWS:
        return None
    name, count = (column.name for column in table.schema.columns[:2])
    return {str(row.data[name]): int(number) for row in table.records if (number := row.data[count])}


def table_of(rows: Sequence[Mapping[str, str | int]]) -> dg.TableMetadataValue:
    """Rows with the same columns, at least one; long texts are cut."""
    cut = [{name: _cut(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows]
    columns = [dg.TableColumn(name, "int" if isinstance(value, int) else "string") for name, value in cut[0].items()]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in cut], schema=dg.TableSchema(columns))


def _cut(text: str) -> str:
    return text[:_CELL_LENGTH]
