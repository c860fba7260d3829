"""Lines of ``entities.jsonl`` by the column, for entities as Cognee makes them: most nodes of a graph.

Their record has but three of their twenty properties. msgspec checks the whole text but makes values of those alone,
which costs a third of parsing all of it.
"""

from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, UnsetType

from cognee_dagster.cogx.encode.json_columns import decoded, escaped, joined, optional
from cognee_dagster.cogx.encode.timestamps import EXACT_MILLISECONDS, timestamps_json
from cognee_dagster.graph.arrow import integer_column, text, text_column

_Milliseconds = Annotated[int, msgspec.Meta(ge=EXACT_MILLISECONDS.start, lt=EXACT_MILLISECONDS.stop)]


class _Properties(msgspec.Struct, gc=False):
    """What a record needs of an entity's properties; one that would win over a column is refused."""

    description: str | None = None
    created_at: _Milliseconds | None = None
    updated_at: _Milliseconds | None = None
    id: UnsetType = UNSET
    name: UnsetType = UNSET
    type: UnsetType = UNSET


_decoder = msgspec.json.Decoder(_Properties)
# A line as msgspec writes it, but for the values.
_START = text('{"kind":"entity","external_id":"')
_NAME, _DESCRIPTION, _QUOTE = text('","name":"'), text(',"description":"'), text('"')
_CONSTANT = text(',"external_system":"cognee","scope":{},"metadata":{},"aliases":[],"attributes":{}')
_NOTHING, _CREATED, _UPDATED, _END = text(""), text(',"created_at":'), text(',"updated_at":'), text("}\n")


def entity_lines(ids: pa.Array, names: pa.Array, properties: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """The records of entities and their canonical form, both with line ends; None if one of them is unusual.

    Args:
        ids: Ids of the entities; none is null or empty.
        names: Their names; none is null or empty.
        properties: JSON texts.
    """
    known = decoded(properties, _decoder)
    if known is None:
        return None
    descriptions = optional(_DESCRIPTION, escaped(text_column([entity.description for entity in known])), _QUOTE)
    start = joined(_START, escaped(ids), _NAME, escaped(names), _QUOTE, *descriptions, _CONSTANT)
    created = np.array([entity.created_at or 0 for entity in known], np.int64)
    updated = np.array([entity.updated_at or 0 for entity in known], np.int64)
    created_json = _times(created)
    # Most often they are the same.
    updated_json = created_json if (created == updated).all() else _times(updated)
    times = *optional(_CREATED, created_json, _NOTHING), *optional(_UPDATED, updated_json, _NOTHING)
    return joined(start, *times, _END), joined(start, _END)


def _times(milliseconds: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pa.Array:
    return timestamps_json(integer_column(milliseconds, missing=0))
