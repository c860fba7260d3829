"""Edges as COGX facts, equal to those of ``cognee.export(format="cogx")`` (Cognee 1.6.5, ``_write_cogx``).

Edges as Cognee stores them are encoded by the column; any other goes through the slow and exact way, one by one. Both
write the same bytes. A fact has no timestamps of the store, so that its line is its canonical form, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.arrow_values import text, texts
from cognee_dagster.cogx import exact_json, json_columns
from cognee_dagster.cogx.digest import digest_of
from cognee_dagster.cogx.timestamps import timestamp_json
from cognee_dagster.errors import GraphFileError

# What pydantic writes for every fact.
_FACT_HEAD = {"external_system": "cognee", "scope": {}, "metadata": {}, "kind": "fact", "provenance": []}
# What stands between the values in a line, in the order in which _fact writes them.
_PUNCTUATION = [
    text(orjson.dumps(_FACT_HEAD).decode()[:-1] + ',"external_id":"'),
    *(text(f'","{key}":"') for key in ("subject_ref", "predicate", "object_ref", "fact_text")),
    text('"}\n'),
]
# Without valid_at and invalid_at: times need a parser.
_SHAPE = json_columns.object_shape(without={"v": "a", "i": "n"})
_COLON, _NOTHING = text(":"), text("")


@dataclass(frozen=True, kw_only=True)
class FactRecords:
    """The records of one batch of edges.

    Attributes:
        content: Lines of ``facts.jsonl``, with their line ends.
        digest: Content digest of the edges.
        sources: Ids of the edges' start nodes.
        targets: Ids of the edges' end nodes.
        relationships: The edges' names.
    """

    content: bytes
    digest: int
    sources: pa.Array
    targets: pa.Array
    relationships: pa.Array


def encode_edges(batch: pa.RecordBatch, *, labels: Mapping[str, str] | None = None) -> FactRecords:
    """The records of a batch of ``EDGE_SCHEMA``.

    Args:
        batch: The edges.
        labels: Names of the nodes by id; with them a fact without a text gets one, made as Cognee makes it. A Cognee
            server would otherwise write the nodes' ids into it.

    Raises:
        GraphFileError: An edge that Cognee's export cannot write either; the message names it.
    """
    sources, targets, relationships, _ = batch.columns
    lines = _regular_lines(batch) if labels is None else pa.nulls(batch.num_rows, pa.string())
    if lines.null_count:
        rest = lines.is_null()
        columns = [column.to_pylist() for column in batch.filter(rest).columns]
        slow = texts(_fact(*row, labels=labels) + b"\n" for row in zip(*columns, strict=True))
        lines = pc.replace_with_mask(lines, rest, slow)
    content = json_columns.content_of(lines)
    return FactRecords(
        content=content,
        digest=digest_of(content.splitlines()),
        sources=sources,
        targets=targets,
        relationships=relationships,
    )


def _regular_lines(batch: pa.RecordBatch) -> pa.Array:
    """Lines of the edges whose properties have the usual shape, null for the others."""
    sources, targets, relationships, properties = batch.columns
    external_ids = pc.binary_join_element_wise(sources, relationships, targets, _COLON)
    regular = pc.and_(json_columns.has_shape(properties, _SHAPE), json_columns.needs_no_escape(external_ids))
    if not json_columns.every(regular):
        return json_columns.scatter(_regular_lines(batch.filter(regular)), regular)
    fact_texts = json_columns.string_values(properties, "edge_text")
    *before, end = _PUNCTUATION
    values = zip(before, (external_ids, sources, relationships, targets, fact_texts), strict=True)
    return pc.binary_join_element_wise(*chain.from_iterable(values), end, _NOTHING)


def _fact(
    source: str, target: str, relationship: str, stored: str | None, *, labels: Mapping[str, str] | None
) -> bytes:
    record: dict[str, Any] = {
        **_FACT_HEAD,
        "external_id": f"{source}:{relationship}:{target}",
        "subject_ref": source,
        "predicate": relationship,
        "object_ref": target,
    }
    try:
        properties = _properties(stored) if stored else {}
        fact_text = properties.get("edge_text")
        if labels is not None and not (isinstance(fact_text, str) and fact_text.strip()):
            fact_text = _sentence(source, target, relationship, labels)
        if fact_text is not None:
            if type(fact_text) is not str:
                _refuse(record, f"has an edge_text that is no text but {fact_text!r:.60}")
            record["fact_text"] = fact_text
        for key in ("valid_at", "invalid_at"):
            value = properties.get(key)
            if value is not None and (stamp := timestamp_json(value)) is not None:
                record[key] = orjson.Fragment(stamp)
        return orjson.dumps(record)
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        _refuse(record, f"has properties that cannot be written ({error})", error)


def _properties(text: str) -> Any:
    """The edge's properties as Cognee's graph adapter reads them: what is not JSON, or nothing, is no properties."""
    try:
        # A number beyond 64 bit matters in a timestamp only, which is made a float anyway.
        return exact_json.parse_searched(text, long_number=False)[0] or {}
    except ValueError:
        return {}


def _sentence(source: str, target: str, relationship: str, labels: Mapping[str, str]) -> str:
    """As ``_build_fallback_edge_text`` of Cognee 1.6.5 (``modules/graph/utils/prepare_edges_for_storage.py``)."""
    phrase = relationship.strip().replace("_", " ") or "related to"
    return f"{labels.get(source, source)} {phrase} {labels.get(target, target)}."


def _refuse(record: dict[str, Any], what: str, cause: BaseException | None = None) -> NoReturn:
    raise GraphFileError(
        f"Edge {record['subject_ref']!r} -[{record['predicate']}]-> {record['object_ref']!r} {what}. "
        "cognee.export() cannot write such an edge either; correct it in the graph."
    ) from cause
