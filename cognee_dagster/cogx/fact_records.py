"""Edges as COGX facts, equal to those of ``cognee.export(format="cogx")`` (Cognee 1.6.5, ``_write_cogx``).

A fact has no timestamps of the store, so that its line is its canonical form, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
import pyarrow as pa

from cognee_dagster.cogx import exact_json
from cognee_dagster.cogx.timestamps import timestamp_json
from cognee_dagster.errors import GraphFileError

# What pydantic writes for every fact.
_FACT_HEAD = {"external_system": "cognee", "scope": {}, "metadata": {}, "kind": "fact", "provenance": []}


@dataclass(frozen=True, kw_only=True)
class FactRecords:
    """The records of one batch of edges.

    Attributes:
        facts: Lines of ``facts.jsonl`` without line ends; also their canonical form.
        sources: Ids of the edges' start nodes.
        targets: Ids of the edges' end nodes.
        relationships: The edges' names.
    """

    facts: list[bytes]
    sources: list[str]
    targets: list[str]
    relationships: list[str]


def encode_edges(batch: pa.RecordBatch, *, labels: Mapping[str, str] | None = None) -> FactRecords:
    """The records of a batch of ``EDGE_SCHEMA``.

    Args:
        batch: The edges.
        labels: Names of the nodes by id; with them a fact without a text gets one, made as Cognee makes it. A Cognee
            server would otherwise write the nodes' ids into it.

    Raises:
        GraphFileError: An edge that Cognee's export cannot write either; the message names it.
    """
    sources, targets, relationships, texts = (
        batch.column(name).to_pylist() for name in ("source", "target", "relationship", "properties")
    )
    facts = [
        _fact(source, target, relationship, text, labels)
        for source, target, relationship, text in zip(sources, targets, relationships, texts, strict=True)
    ]
    return FactRecords(facts=facts, sources=sources, targets=targets, relationships=relationships)


def _fact(source: str, target: str, relationship: str, text: str | None, labels: Mapping[str, str] | None) -> bytes:
    record: dict[str, Any] = {
        **_FACT_HEAD,
        "external_id": f"{source}:{relationship}:{target}",
        "subject_ref": source,
        "predicate": relationship,
        "object_ref": target,
    }
    try:
        properties = _properties(text) if text else {}
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
