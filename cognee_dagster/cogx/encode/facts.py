"""Edges as COGX facts, equal to those of ``cognee.export(format="cogx")`` (Cognee 1.6.5, ``_write_cogx``).

An edge has a handful of properties of which a fact needs one. msgspec checks the whole text but makes a value of that
one alone, which costs a third of parsing all of it, and the lines of a whole batch are put together by the column. A
batch in which one edge has more to it goes through the slow and exact way, one edge after the other. A fact has no
timestamps of the store, so that its line is its canonical form, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
import pyarrow as pa
from msgspec import Raw

from cognee_dagster.cogx.digest import digest_of
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode.json_columns import content_of, decoded, digest_of_lines, escaped, joined, optional
from cognee_dagster.cogx.encode.lines import FactLine, encode_line
from cognee_dagster.cogx.encode.timestamps import timestamp_json
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.arrow import text, text_column


class _Properties(msgspec.Struct, gc=False):
    """What a fact needs of an edge's properties; times take a parser, so that an edge that has any is refused."""

    edge_text: str | None = None
    valid_at: None = None
    invalid_at: None = None


_decoder = msgspec.json.Decoder(_Properties)
# A ``FactLine`` as msgspec writes it, but for the values.
_START = text('{"kind":"fact","external_id":"')
_COLON = text(":")
_SUBJECT, _PREDICATE, _OBJECT = text('","subject_ref":"'), text('","predicate":"'), text('","object_ref":"')
_TEXT, _QUOTE = text(',"fact_text":"'), text('"')
_END = text(',"external_system":"cognee","scope":{},"metadata":{},"provenance":[]}\n')


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
    sources, targets, relationships, properties = batch.columns
    lines = None if labels is not None else _usual_lines(sources, targets, relationships, properties)
    if lines is not None:
        content = content_of(lines)
        digest = digest_of_lines(lines, content)
    else:
        facts = [_line(*edge, labels=labels) for edge in zip(*(x.to_pylist() for x in batch.columns), strict=True)]
        content, digest = b"\n".join([*facts, b""]), digest_of(facts)
    return FactRecords(content=content, digest=digest, sources=sources, targets=targets, relationships=relationships)


def _usual_lines(
    sources: pa.Array, targets: pa.Array, relationships: pa.Array, properties: pa.Array
) -> pa.StringArray | None:
    """The lines of edges that all are what Cognee makes of an edge, with their line ends."""
    known = decoded(properties, _decoder)
    if known is None:
        return None
    fact_texts = optional(_TEXT, escaped(text_column([edge.edge_text for edge in known])), _QUOTE)
    sources, targets, relationships = escaped(sources), escaped(targets), escaped(relationships)
    external_ids = (sources, _COLON, relationships, _COLON, targets)
    refs = (_SUBJECT, sources, _PREDICATE, relationships, _OBJECT, targets, _QUOTE)
    return joined(_START, *external_ids, *refs, *fact_texts, _END)


def _line(
    source: str, target: str, relationship: str, stored: str | None, *, labels: Mapping[str, str] | None
) -> bytes:
    """The line of any edge, without a line end."""
    fact = FactLine(f"{source}:{relationship}:{target}", source, relationship, target)
    _add_properties(fact, stored)
    if labels is not None and not (fact.fact_text and fact.fact_text.strip()):
        fact.fact_text = _sentence(fact, labels)
    try:
        return encode_line(fact)
    except UnicodeEncodeError as error:
        _refuse(fact, "has an edge_text that is no valid Unicode (a lone surrogate)", error)


def _add_properties(fact: FactLine, stored: str | None) -> None:
    """Lay what the edge's properties say, whatever they are, into the fact."""
    try:
        properties = _properties(stored) if stored else {}
        fact_text = properties.get("edge_text")
        for key in ("valid_at", "invalid_at"):
            value = properties.get(key)
            if value is not None and (stamp := timestamp_json(value)) is not None:
                setattr(fact, key, Raw(stamp.encode("ascii")))
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        _refuse(fact, f"has properties that cannot be written ({error})", error)
    if fact_text is not None:
        if type(fact_text) is not str:
            _refuse(fact, f"has an edge_text that is no text but {fact_text!r:.60}")
        fact.fact_text = fact_text


def _properties(text: str) -> Any:
    """The edge's properties as Cognee's graph adapter reads them: what is not JSON, or nothing, is no properties."""
    try:
        return exact_json.parse(text) or {}
    except ValueError:
        return {}


def _sentence(fact: FactLine, labels: Mapping[str, str]) -> str:
    """As ``_build_fallback_edge_text`` of Cognee 1.6.5 (``modules/graph/utils/prepare_edges_for_storage.py``)."""
    phrase = fact.predicate.strip().replace("_", " ") or "related to"
    return f"{labels.get(fact.subject_ref, fact.subject_ref)} {phrase} {labels.get(fact.object_ref, fact.object_ref)}."


def _refuse(fact: FactLine, what: str, cause: BaseException | None = None) -> NoReturn:
    raise GraphFileError(
        f"Edge {fact.subject_ref!r} -[{fact.predicate}]-> {fact.object_ref!r} {what}. "
        "cognee.export() cannot write such an edge either. Correct it in the graph."
    ) from cause
