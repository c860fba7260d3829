"""What a server makes of records other than raw nodes (Cognee 1.6.5, ``modules/migration/loader.py``)."""

from collections.abc import Iterator

from cognee_dagster.cogx.schema import Document, Entity, Episode, Fact, Memory, MemoryBlock
from cognee_dagster.cogx.server.documents import may_be_a_file, opened_as
from cognee_dagster.cogx.server.unicode import is_unicode

TypedRecord = Document | Episode | Entity | Fact | Memory | MemoryBlock


def judge_record(record: TypedRecord) -> list[str]:
    """What of a record a server may change without a word; empty if it takes it whole.

    Raises:
        ValueError: A server refuses the whole import because of this record; the message says why.
    """
    for field, value in _written(record):
        if not is_unicode(value):
            raise ValueError(f"{field} is no valid Unicode (a lone surrogate)")
    if isinstance(record, Document) or (isinstance(record, Memory) and not record.categories):
        return _judge_text(record.content)
    if isinstance(record, Episode):
        _require_sortable(record)
    return []


def _written(record: TypedRecord) -> Iterator[tuple[str, str]]:
    """The texts that are written as they are, to a store that takes nothing but Unicode."""
    if isinstance(record, Entity):
        texts: dict[str, str | None] = {"name": record.name, "entity_type": record.entity_type}
    elif isinstance(record, Fact):
        texts = {name: getattr(record, name) for name in ("subject_ref", "predicate", "object_ref", "fact_text")}
    else:
        texts = {"external_id": record.external_id, "external_system": record.external_system}
        texts |= {name: getattr(record, name, None) for name in ("title", "content", "label", "value")}
        if isinstance(record, Memory):
            texts["categories"] = "".join(record.categories)
        if isinstance(record, Episode):
            texts["turns"] = "".join(turn.role + turn.content for turn in record.turns)
    yield from ((name, text) for name, text in texts.items() if text is not None)


def _judge_text(text: str) -> list[str]:
    if (address := opened_as(text)) is not None:
        raise ValueError(
            f"the text {text!r:.60} is taken for {address}, which a Cognee server opens instead of storing the text"
        )
    if may_be_a_file(text):
        return [f"the text {text!r:.60} is stored unless the server has a file of that name"]
    return []


def _require_sortable(episode: Episode) -> None:
    try:
        for turn in episode.turns:
            if turn.occurred_at is not None:
                turn.occurred_at.timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"turns: occurred_at is no moment on a server ({error})") from error
