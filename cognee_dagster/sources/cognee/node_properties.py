"""Makes node columns carry what Cognee's ``get_graph_data()`` gives for the same row, where the two would differ.

For a row it returns ``{name, type, **json.loads(properties)}``. So a missing name is ``None`` and not absent, a missing
``properties`` is itself a property, and a property named ``properties`` is lost (Cognee 1.6.5, ``ladybug/adapter.py``).
"""

import json

import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.graph.arrow import TRUE, text
from cognee_dagster.graph.reader import NODE_SCHEMA

_NOTHING = text("")


def complete_node_properties(nodes: pa.Table) -> pa.Table:
    """The same rows of ``NODE_SCHEMA``, such that a null column really means that there is no such property."""
    ids, names, types, properties = nodes.columns
    if pc.any(no_id := pc.equal(ids, _NOTHING)).as_py():
        return complete_node_properties(nodes.filter(pc.invert(no_id)))  # Cognee skips nodes without an id
    odd = pc.or_(pc.or_(names.is_null(), types.is_null()), pc.or_(properties.is_null(), pc.equal(properties, _NOTHING)))
    odd = pc.or_(pc.fill_null(odd, TRUE), pc.fill_null(pc.match_substring_regex(properties, '"properties"'), TRUE))
    if not pc.any(odd).as_py():
        return nodes
    rows = [_completed(row) for row in nodes.to_pylist()]
    return pa.Table.from_pylist(rows, schema=NODE_SCHEMA)


def _completed(row: dict[str, str | None]) -> dict[str, str | None]:
    text = row["properties"]
    try:
        properties = json.loads(text) if text else {"properties": text}
    except ValueError:
        properties = {"properties": text}
    else:
        if text and isinstance(properties, dict):
            properties.pop("properties", None)
    if not isinstance(properties, dict):
        return row
    missing = {key: None for key in ("name", "type") if row[key] is None}
    return {**row, "properties": json.dumps({**missing, **properties})}
