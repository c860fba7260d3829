"""The text that a Cognee server keeps of a record (Cognee 1.6.5, ``modules/migration/loader.py``)."""

from datetime import datetime

from cognee_dagster.cogx.schema import Document, Episode, Memory, MemoryBlock, Record


def kept_text(record: Record) -> str | None:
    """The text of the document that an import makes of a record; None for records of the graph."""
    if isinstance(record, Document):
        return record.content
    if isinstance(record, Episode):
        return _transcript(record)
    if isinstance(record, Memory):
        categories = f"\nCategories: {', '.join(record.categories)}" if record.categories else ""
        return record.content + categories
    if isinstance(record, MemoryBlock):
        return f"{record.label}:\n{record.value}"
    return None


def _transcript(episode: Episode) -> str:
    turns = sorted(episode.turns, key=lambda turn: turn.occurred_at.timestamp() if turn.occurred_at else float("-inf"))
    title = [f"# {episode.title}"] if episode.title else []
    return "\n".join([*title, *(f"{turn.role}{_stamp(turn.occurred_at)}: {turn.content}" for turn in turns)])


def _stamp(moment: datetime | None) -> str:
    return f" [{moment.isoformat()}]" if moment else ""
