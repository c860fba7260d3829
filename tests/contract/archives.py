"""Archives for the contract suite, made with ``tarfile`` and ``json`` alone: nothing of the package under test."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_OID, uuid5

FILES = {
    "document": "documents.jsonl",
    "entity": "entities.jsonl",
    "fact": "facts.jsonl",
    "raw_node": "nodes.jsonl",
}
Record = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """What an archive holds: records by kind, members beside them, and the manifest."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    manifest: Record = field(default_factory=lambda: {"cogx_version": "0.1", "source_system": "cognee", "counts": {}})
    members: dict[str, bytes] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {kind: len(records) for kind, records in self.records.items() if records}

    def node_ids(self) -> set[str]:
        entities = {record["external_id"] for record in self.records.get("entity", [])}
        return entities | {record["id"] for record in self.records.get("raw_node", [])}

    def triples(self) -> set[tuple[str, str, str]]:
        return {(f["subject_ref"], f["predicate"], f["object_ref"]) for f in self.records.get("fact", [])}

    def without(self, *kinds: str) -> "Records":
        return replace(self, records={kind: records for kind, records in self.records.items() if kind not in kinds})

    def plus(self, **records: list[Record]) -> "Records":
        """With more records of these kinds."""
        return replace(
            self, records={**self.records, **{k: [*self.records.get(k, []), *v] for k, v in records.items()}}
        )

    def with_manifest(self, **values: Any) -> "Records":
        return replace(self, manifest={**self.manifest, **values})

    def with_members(self, members: Mapping[str, bytes]) -> "Records":
        return replace(self, members={**self.members, **members})

    def files(self) -> dict[str, bytes]:
        """The archive's members."""
        lines = {
            FILES[kind]: b"".join(json.dumps(record).encode() + b"\n" for record in records)
            for kind, records in self.records.items()
            if records
        }
        return {"manifest.json": json.dumps(self.manifest).encode(), **lines, **self.members}

    def packed(self) -> bytes:
        """As a ``.cogx.tar.gz``."""
        return pack(self.files())


def pack(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None, mode: str = "w:gz") -> bytes:
    """A tar of these members and symbolic links."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:  # type: ignore[call-overload]  # mode is one of two texts
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return packed.getvalue()


def an_id(*names: str) -> str:
    """A UUID that is the same in each run."""
    return str(uuid5(NAMESPACE_OID, ":".join(names)))


def entity(owner: str, name: str, **more: Any) -> Record:
    return {"kind": "entity", "external_system": "cognee", "external_id": an_id(owner, name), "name": name, **more}


def fact(source: str, predicate: str, target: str, **more: Any) -> Record:
    """An edge between two ids or names."""
    external_id = f"{source}|{predicate}|{target}"
    ends = {"subject_ref": source, "predicate": predicate, "object_ref": target}
    return {"kind": "fact", "external_system": "cognee", "external_id": external_id, **ends, **more}


def document(owner: str, name: str, text: str) -> Record:
    external_id = an_id(owner, name)
    return {"kind": "document", "external_system": "cognee", "external_id": external_id, "title": name, "content": text}


def raw_node(owner: str, type_name: str, key: str, **properties: Any) -> Record:
    """A node as Cognee's export writes it, with everything that its class adds."""
    return {
        "id": an_id(owner, type_name, key),
        "type": type_name,
        "created_at": 1763800000000,
        "updated_at": 1763800000000,
        "ontology_valid": False,
        "version": 1,
        "topological_rank": 0,
        "belongs_to_set": None,
        "source_pipeline": "cognify_pipeline",
        "source_task": "extract_graph_from_data",
        **properties,
    }


def handbook(owner: str) -> Records:
    """A small graph of every usual kind: 7 nodes, 7 edges, 1 document. ``owner`` makes its ids unlike all others'."""
    kind = raw_node(
        owner,
        "EntityType",
        "role",
        name="role",
        description="a role",
        metadata={"index_fields": ["name"], "identity_fields": ["name"]},
    )
    text = raw_node(owner, "TextDocument", "handbook.md", name="handbook.md", metadata={"index_fields": ["name"]})
    text |= {"raw_data_location": "file:///x", "external_metadata": "{}", "mime_type": "text/plain"}
    chunk = raw_node(owner, "DocumentChunk", "0", text="Ada leads.", metadata={"index_fields": ["text"]})
    chunk |= {"chunk_index": 0, "chunk_size": 5, "cut_type": "sentence_end"}
    summary = raw_node(owner, "TextSummary", "0", text="Leading.", metadata={"index_fields": ["text"]})
    people = [entity(owner, name, description=f"{name} of the team") for name in ("Ada", "Bea", "Cyd")]
    ada, bea, cyd = (person["external_id"] for person in people)
    return Records(
        {
            "document": [document(owner, "handbook.md", "Ada leads. Bea and Cyd build.")],
            "entity": people,
            "fact": [
                fact(chunk["id"], "is_part_of", text["id"], fact_text="part of"),
                fact(summary["id"], "made_from", chunk["id"], fact_text="made from"),
                fact(chunk["id"], "contains", ada, fact_text="contains Ada"),
                fact(ada, "is_a", kind["id"], fact_text="Ada is a role"),
                fact(ada, "leads", bea, fact_text="Ada leads Bea"),
                fact(ada, "leads", cyd, fact_text="Ada leads Cyd", confidence=0.5),
                fact(bea, "works_with", cyd, fact_text="Bea works with Cyd", valid_at="2026-01-01T00:00:00+00:00"),
            ],
            "raw_node": [kind, text, chunk, summary],
        }
    )


def people(owner: str) -> Records:
    """The smallest graph worth importing: 2 nodes, 1 edge."""
    ada, bea = entity(owner, "Ada", description="leads"), entity(owner, "Bea", description="builds")
    return Records(
        {"entity": [ada, bea], "fact": [fact(ada["external_id"], "leads", bea["external_id"], fact_text="leads")]}
    )
