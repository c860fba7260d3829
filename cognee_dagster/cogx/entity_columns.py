"""Entities as Cognee stores them, encoded by the column: most nodes of a graph are of this kind.

Gives the same bytes as ``node_records`` gives row by row; what it is not sure of, it leaves to that.
"""

from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.arrow_values import FALSE, text, texts
from cognee_dagster.cogx import json_columns

# What pydantic writes for every entity.
ENTITY_HEAD = (
    '{"external_system":"cognee","scope":{},"metadata":{},"kind":"entity","aliases":[],"attributes":{},"external_id":'
)

_BEFORE_ID, _BEFORE_NAME, _BEFORE_DESCRIPTION = text(f'{ENTITY_HEAD}"'), text('","name":"'), text('","description":"')
_BEFORE_CREATED, _BEFORE_UPDATED = text(',"created_at":"'), text('","updated_at":"')
_QUOTE, _END, _QUOTE_END = text('"'), text("}\n"), text('"}\n')
_ENTITY, _MICROSECONDS, _NOTHING = text("Entity"), text("000Z"), text("")

# Cognee's models begin with these two, in milliseconds; the range is that of timestamps._EXACT_MILLISECONDS. Keys that
# would win over them or over a column may not follow: id, name, type, created_at, updated_at.
_SHAPE = json_columns.object_shape(
    beginning='"created_at": [1-7][0-9]{12}, "updated_at": [1-7][0-9]{12}',
    without={"i": "d", "n": "a", "t": "y", "c": "r", "u": "p"},
)
_CREATED = slice(15, 28)
_UPDATED = slice(44, 57)


@dataclass(frozen=True, kw_only=True)
class EntityColumns:
    """Lines of ``entities.jsonl`` for a batch of nodes, with line ends.

    Attributes:
        done: Which nodes are entities that were encoded here.
        lines: Their lines.
        canonical: The same without timestamps.
    """

    done: pa.Array
    lines: pa.Array
    canonical: pa.Array


def encode_entities(batch: pa.RecordBatch) -> EntityColumns:
    """Encode the entities of a batch of ``NODE_SCHEMA`` that have the usual shape."""
    usual = _usual(batch)
    ids, names, _, properties = batch.filter(usual).columns
    descriptions = json_columns.string_values(properties, "description")
    canonical = pc.binary_join_element_wise(
        _BEFORE_ID, ids, _BEFORE_NAME, _escaped(names), _BEFORE_DESCRIPTION, descriptions, _QUOTE, _NOTHING
    )
    sure = canonical.is_valid()
    if not json_columns.every(sure):
        usual = pc.replace_with_mask(usual, usual, sure)
        canonical, properties = canonical.filter(sure), properties.filter(sure)
    created, updated = (_times(properties, place) for place in (_CREATED, _UPDATED))
    stamps = (canonical, _BEFORE_CREATED, created, _BEFORE_UPDATED, updated, _QUOTE_END)
    return EntityColumns(
        done=usual,
        lines=pc.binary_join_element_wise(*stamps, _NOTHING),
        canonical=pc.binary_join_element_wise(canonical, _END, _NOTHING),
    )


def _usual(batch: pa.RecordBatch) -> pa.Array:
    ids, names, types, _ = batch.columns
    entities = pc.and_(pc.equal(types, _ENTITY), pc.not_equal(names, _NOTHING))
    entities = pc.and_(pc.fill_null(entities, FALSE), json_columns.needs_no_escape(ids))
    shaped = json_columns.has_shape(batch.filter(entities).column("properties"), _SHAPE)
    return pc.replace_with_mask(entities, entities, shaped)


def _escaped(names: pa.Array) -> pa.Array:
    special = pc.invert(json_columns.needs_no_escape(names))
    if not pc.any(special).as_py():
        return names
    escaped = texts(orjson.dumps(name)[1:-1] for name in names.filter(special).to_pylist())
    return pc.replace_with_mask(names, special, escaped)


def _times(properties: pa.Array, place: slice) -> pa.Array:
    """Milliseconds at a place in the text, as pydantic prints them: six digits of a second, or none."""
    milliseconds = pc.utf8_slice_codeunits(properties, place.start, place.stop).cast(pa.int64())
    printed = pc.replace_substring(milliseconds.cast(pa.timestamp("ms")).cast(pa.string()), " ", "T")
    return pc.replace_substring(pc.binary_join_element_wise(printed, _MICROSECONDS, _NOTHING), ".000000Z", "Z")
