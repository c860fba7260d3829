"""COGX archives as other systems' exporters write them, in small; made with ``tarfile`` and ``json`` alone."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.cogx_graphs import ID_A, ID_B, ID_C

Records = dict[str, list[dict[str, Any]]]

MOMENT = "2026-01-02T03:04:05Z"


def _record(system: str, external_id: str, **fields: Any) -> dict[str, Any]:
    return {"external_system": system, "external_id": external_id, "scope": {"user_id": "u1"}, **fields}


def _memory(system: str, number: int, content: str) -> dict[str, Any]:
    return _record(system, f"m{number}", kind="memory", content=content, categories=["food"], created_at=MOMENT)


def _turn(role: str, content: str, minute: int) -> dict[str, Any]:
    return {"role": role, "content": content, "occurred_at": f"2026-01-02T03:{minute:02}:00Z"}


def _graph(system: str) -> Records:
    """Entities with types and aliases, whose ids are no UUIDs or are not kept, and facts by id and by name."""
    return {
        "entities.jsonl": [
            _record(system, "e1", kind="entity", name="Ann Lee", entity_type="Person", aliases=["A."]),
            _record(system, ID_B, kind="entity", name="Turin", entity_type="Place", attributes={"inhabitants": 9}),
        ],
        "facts.jsonl": [
            _record(
                system, "f1", kind="fact", subject_ref="e1", predicate="lives_in", object_ref=ID_B,
                fact_text="Ann lives in Turin.", valid_at="2020-01-01T00:00:00Z", confidence=0.75, provenance=["ep1"],
            ),
            _record(system, "f2", kind="fact", subject_ref="Ann Lee", predicate="likes", object_ref="Tea"),
        ],
    }  # fmt: skip


SYSTEMS: dict[str, Records] = {
    "cognee": {
        "documents.jsonl": [
            _record("cognee", ID_C, kind="document", content="Ann drinks tea."),
            _record("cognee", "alone", kind="document", content="A text without a chunk.", title="Alone"),
        ],
        "entities.jsonl": [
            _record("cognee", ID_A, kind="entity", name="Ann", entity_type="Person", aliases=["A."], description="d")
        ],
        "nodes.jsonl": [{"id": ID_C, "type": "DocumentChunk", "text": "Ann drinks tea.", "name": ""}],
        "facts.jsonl": [
            _record(
                "cognee", "f", kind="fact", subject_ref=ID_C, predicate="contains", object_ref=ID_A, confidence=0.5
            )
        ],
    },
    "mem0": {"memories.jsonl": [_memory("mem0", 1, "Ann drinks tea."), _memory("mem0", 2, "Ann lives in Turin.")]},
    "langmem": {"memories.jsonl": [_memory("langmem", 1, "Ann prefers short answers.")]},
    "letta": {
        "memory_blocks.jsonl": [
            _record("letta", "b1", kind="memory_block", label="human", value="Name: Ann", limit=2000)
        ],
        "memories.jsonl": [_memory("letta", 1, "Ann drinks tea.")],
        "episodes.jsonl": [
            _record(
                "letta", "ep1", kind="episode", title="Tea",
                turns=[_turn("assistant", "Tea?", 5), _turn("user", "Hello.", 4)],
            )
        ],
    },
    "graphiti": {
        "episodes.jsonl": [_record("graphiti", "ep1", kind="episode", turns=[_turn("user", "I live in Turin.", 4)])],
        **_graph("graphiti"),
    },
    "zep": _graph("zep"),
}  # fmt: skip


def files_of(system: str, records: Records) -> dict[str, bytes]:
    """An archive's files by name, the manifest among them."""
    manifest = {"cogx_version": "0.1", "source_system": system, "counts": {}, "notes": []}
    lines = {name: b"".join(json.dumps(record).encode() + b"\n" for record in kept) for name, kept in records.items()}
    return {"manifest.json": json.dumps(manifest).encode(), **lines}


def pack(path: Path, system: str, records: Records | None = None, *, compression: str = "gz") -> Path:
    """Write one; ``compression`` is ``gz``, ``bz2``, ``xz`` or empty."""
    with tarfile.open(path, f"w:{compression}") as tar:  # type: ignore[call-overload]  # a string made of two
        for name, content in files_of(system, SYSTEMS[system] if records is None else records).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def rename_over(path: Path, new: bytes) -> None:
    """Give a file another content, as a careful writer does."""
    (other := path.with_name("new")).write_bytes(new)
    other.replace(path)


def write_into(path: Path, new: bytes) -> None:
    """Give a file another content where it lies: who has it open sees that."""
    with path.open("r+b") as file:
        file.truncate()
        file.write(new)


def unpack(directory: Path, system: str, records: Records | None = None) -> Path:
    """Write one as the directory that an exporter makes."""
    directory.mkdir(parents=True)
    for name, content in files_of(system, SYSTEMS[system] if records is None else records).items():
        (directory / name).write_bytes(content)
    return directory
