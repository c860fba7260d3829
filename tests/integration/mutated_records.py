"""Mutations of the manifest and of records."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.contract.archives import FILES, Record, Records, an_id, document, entity, fact, pack, raw_node

NESTINGS = (100, 200, 600, 900, 5_000)
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    3,
    2.5,
    1e300,
    float("nan"),
    "",
    " ",
    "x",
    "5",
    "2.0",
    "\ud800",
    "a\0b",
    "é\u2028",
    [],
    ["a"],
    [["a"]],
    [1],
    [{"name": "x"}],
    {},
    {"a": 1},
    {"a": {"b": [None]}},
    10**30,
    "2026-01-01T00:00:00",
)
MANIFEST_FIELDS = ("cogx_version", "source_system", "exported_at", "counts", "embedding_model", "migration_revision")
BASE_FIELDS = (
    "id",
    "type",
    "name",
    "created_at",
    "updated_at",
    "ontology_valid",
    "ontology_uri",
    "version",
    "topological_rank",
    "metadata",
    "belongs_to_set",
    "source_pipeline",
    "source_task",
    "source_node_set",
    "source_user",
    "source_content_hash",
    "feedback_weight",
    "importance_weight",
)
INDEX_NEIGHBOURS = ("document_id", "document_name", "chunk_index", "source_chunk_id", "external_metadata")
RECORD_FIELDS = {
    "entity": (
        "external_id",
        "name",
        "entity_type",
        "description",
        "aliases",
        "attributes",
        "scope",
        "created_at",
        "metadata",
        "kind",
        "external_system",
    ),
    "fact": (
        "external_id",
        "subject_ref",
        "predicate",
        "object_ref",
        "fact_text",
        "valid_at",
        "confidence",
        "provenance",
        "kind",
    ),
    "document": (
        "external_id",
        "content",
        "title",
        "mime_type",
        "metadata",
        "scope",
        "kind",
        "created_at",
        "external_system",
    ),
}
TYPES = (
    "Legal Entity",
    "Person/Org",
    "Person ",
    "Pers\u00f6n",
    "a.b-c_d",
    "Person:x",
    "x" * 120,
    "x" * 235,
    "x" * 300,
    "..",
    ".",
    "-",
    "1",
    "\u4eba",
    "a\\b",
    "DataPoint",
    "Entity",
    "EntityType",
    "DocumentChunk",
    "NodeSet",
    "Rule",
    "__main__",
    "a\nb",
    "cognee.modules.engine.models.Entity.Entity",
    "None",
    "class",
    "lance",
    "a%20b",
    "a'b",
    "$x",
)
ATTRIBUTES = (
    "_hidden",
    "__base__",
    "__class__",
    "self",
    "model_config",
    "model_fields",
    "model_dump",
    "model_copy",
    "model_x",
    "copy",
    "json",
    "dict",
    "schema",
    "validate",
    "to_dict",
    "id_for",
    "vector_collection",
    "class",
    "first name",
    "1st",
    "",
    "a.b",
    "a\nb",
    "\u00e9",
    "registry",
    "properties",
    "source",
    "target",
    "node_id",
    "label",
    "model_post_init",
    "get_embeddable_data",
    "update_version",
    "source_ref_keys",
)
LINES: dict[str, bytes] = {
    "no JSON": b'{"kind": "entity"',
    "an array": b"[]",
    "a number": b"3",
    "null": b"null",
    "an empty object": b"{}",
    "not UTF-8": b'{"a": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two objects": b"{} {}",
    "single quotes": b"{'a': 1}",
    "a trailing comma": b'{"a": 1,}',
    "a number of 5,000 digits": b'{"a": ' + b"1" * 5_000 + b"}",
    "a surrogate as a key": b'{"\\ud800": 1}',
    "nothing but a carriage return": b"\r",
    "nothing but wide blanks": "\u00a0\u2003".encode(),
}


def _packed(files: dict[str, bytes]) -> bytes:
    return pack(files)


def _with_line(base: Records, file: str, line: bytes) -> bytes:
    files = base.files()
    files[file] = files.get(file, b"") + line + b"\n"
    return _packed(files)


def _line(record: Record) -> bytes:
    return json.dumps(record).encode()


def _nested(depth: int, *, objects: bool) -> str:
    return '{"a":' * depth + "1" + "}" * depth if objects else "[" * depth + "]" * depth


def manifest_field(base: Records, chance: random.Random) -> tuple[str, bytes]:
    field, value = chance.choice((*MANIFEST_FIELDS, "notes")), chance.choice(ODD)
    return f"manifest: {field} is {value!r}", base.with_manifest(**{field: value}).packed()


def manifest_version(base: Records, chance: random.Random) -> tuple[str, bytes]:
    value = chance.choice(["0.9", "1.0", "9.0", "abc", "", "0", "-1", "\u0660.1", " 0.1", "0.x", "1e3", ".", "0_0.1"])
    return f"manifest: cogx_version is {value!r}", base.with_manifest(cogx_version=value).packed()


def manifest_counts(base: Records, chance: random.Random) -> tuple[str, bytes]:
    value = chance.choice([{"entity": 99}, {"entity": "2"}, {"entity": 2.5}, {"x": 1}, {"entity": None}, {"fact": -1}])
    return f"manifest: counts are {value!r}", base.with_manifest(counts=value).packed()


def manifest_text(base: Records, chance: random.Random) -> tuple[str, bytes]:
    texts = {
        "empty": b"",
        "no JSON": b"{",
        "an array": b"[]",
        "an empty object": b"{}",
        "a text": b'"x"',
        "not UTF-8": b'{"notes": ["\xff"]}',
        "in UTF-16": '{"cogx_version": "0.1"}'.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf{}",
        "a trailing comma": b'{"a": 1,}',
        "NaN": b'{"x": NaN}',
        "nested": b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}",
        "twice the same key": b'{"cogx_version": "9.0", "cogx_version": "0.1"}',
        "blanks around": b"\n\n {} \r\n",
        "null": b"null",
        "an unknown key": b'{"more": {"a": 1}}',
        "zeros": bytes(20),
    }
    name = chance.choice(sorted(texts))
    return f"manifest: {name}", _packed({**base.files(), "manifest.json": texts[name]})


def no_manifest(base: Records, chance: random.Random) -> tuple[str, bytes]:
    files = base.files()
    del files["manifest.json"]
    return "no manifest", _packed(files)


def nothing_but_a_manifest(base: Records, chance: random.Random) -> tuple[str, bytes]:
    return "nothing but a manifest", _packed({"manifest.json": base.files()["manifest.json"]})


def record_field(base: Records, chance: random.Random) -> tuple[str, bytes]:
    kind = chance.choice(sorted(RECORD_FIELDS))
    field, value = chance.choice(RECORD_FIELDS[kind]), chance.choice(ODD)
    record = _a_record(base, kind)
    more = base.plus(**{kind: [{**record, field: value}]})
    return f"{kind}: {field} is {value!r}", more.packed()


def record_without(base: Records, chance: random.Random) -> tuple[str, bytes]:
    kind = chance.choice(sorted(RECORD_FIELDS))
    record = _a_record(base, kind)
    field = chance.choice(sorted(record))
    del record[field]
    return f"{kind}: without {field}", base.plus(**{kind: [record]}).packed()


def record_in_the_wrong_file(base: Records, chance: random.Random) -> tuple[str, bytes]:
    kind, file = (
        chance.choice(sorted(RECORD_FIELDS)),
        chance.choice([*FILES.values(), "memories.jsonl", "episodes.jsonl", "memory_blocks.jsonl"]),
    )
    record = _a_record(base, kind)
    if chance.random() < 0.4:
        del record["kind"]
    return f"a {kind} {'with' if 'kind' in record else 'without'} kind in {file}", _with_line(base, file, _line(record))


def other_kinds(base: Records, chance: random.Random) -> tuple[str, bytes]:
    one = {"external_id": an_id(str(chance.random())), "external_system": "x"}
    lines: dict[str, tuple[str, Record]] = {
        "memory": ("memories.jsonl", {**one, "kind": "memory", "content": "likes tea", "categories": ["a"]}),
        "memory with a number among its categories": ("memories.jsonl", {**one, "content": "t", "categories": [1]}),
        "episode": ("episodes.jsonl", {**one, "kind": "episode", "turns": [{"role": "u", "content": "c"}]}),
        "episode with a turn without role": ("episodes.jsonl", {**one, "turns": [{"content": "c"}]}),
        "episode of naive and aware times": (
            "episodes.jsonl",
            {
                **one,
                "turns": [
                    {"role": "u", "content": "c", "occurred_at": at}
                    for at in ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z", None)
                ],
            },
        ),
        "memory block": (
            "memory_blocks.jsonl",
            {**one, "kind": "memory_block", "label": "l", "value": "v", "limit": 5},
        ),
        "memory block with a limit in words": (
            "memory_blocks.jsonl",
            {**one, "label": "l", "value": "v", "limit": "five"},
        ),
        "raw node among entities": (
            "entities.jsonl",
            {"kind": "raw_node", "properties": {"id": one["external_id"], "type": "X", "name": "n"}},
        ),
        "an unknown kind": ("entities.jsonl", {**one, "kind": "thing", "name": "n"}),
    }
    name = chance.choice(sorted(lines))
    return name, _with_line(base, lines[name][0], _line(lines[name][1]))


def odd_line(base: Records, chance: random.Random) -> tuple[str, bytes]:
    name, file = chance.choice(sorted(LINES)), chance.choice(sorted(FILES.values()))
    return f"{file}: a line is {name}", _with_line(base, file, LINES[name])


def line_ends(base: Records, chance: random.Random) -> tuple[str, bytes]:
    files = base.files()
    ends = {
        "CRLF": b"\r\n",
        "CR": b"\r",
        "blank lines": b"\n \n\n",
        "form feeds": b"\n\x0c\n",
        "wide blanks": "\n\u00a0\n".encode(),
        "NEL": "\u0085\n".encode(),
    }
    name = chance.choice(sorted(ends))
    return f"records end with {name}", _packed(
        {**files, "entities.jsonl": files["entities.jsonl"].replace(b"\n", ends[name])}
    )


def carriage_return_within(base: Records, chance: random.Random) -> tuple[str, bytes]:
    record = _line(_a_record(base, "entity")).replace(b", ", b",\r", 1)
    return "a carriage return within a line", _with_line(base, "entities.jsonl", record)


def nesting(base: Records, chance: random.Random) -> tuple[str, bytes]:
    depth, objects = chance.choice(NESTINGS), chance.random() < 0.5
    file, key = chance.choice(
        [
            ("nodes.jsonl", "x"),
            ("entities.jsonl", "attributes"),
            ("facts.jsonl", "metadata"),
            ("documents.jsonl", "metadata"),
        ]
    )
    kind = {name: kind for kind, name in FILES.items()}[file]
    record = _line(_a_record(base, kind))[:-1] + f', "{key}": {{"d": {_nested(depth, objects=objects)}}}}}'.encode()
    return f"{file}: {key} nested {depth} deep in {'objects' if objects else 'lists'}", _with_line(base, file, record)


def base_field(base: Records, chance: random.Random) -> tuple[str, bytes]:
    field, value = chance.choice(BASE_FIELDS), chance.choice(ODD)
    return f"raw node: {field} is {value!r}", base.plus(
        raw_node=[{**_a_record(base, "raw_node"), field: value}]
    ).packed()


def without_base_field(base: Records, chance: random.Random) -> tuple[str, bytes]:
    node = _a_record(base, "raw_node")
    field = chance.choice(["id", "type", "name", "metadata", "created_at", "version"])
    node.pop(field, None)
    return f"raw node: without {field}", base.plus(raw_node=[node]).packed()


def odd_id(base: Records, chance: random.Random) -> tuple[str, bytes]:
    right = an_id(str(chance.random()))
    value = chance.choice(
        [
            right.upper(),
            right.replace("-", ""),
            f"{{{right}}}",
            f"urn:uuid:{right}",
            f" {right}",
            right[:-1],
            "x",
            right.replace("-", "", 1),
            f"({right})",
            right.replace("-", "").replace("a", "A") + "-",
        ]
    )
    kind = chance.choice(["raw_node", "entity"])
    key = "id" if kind == "raw_node" else "external_id"
    return f"{kind}: {key} is {value!r}", base.plus(**{kind: [{**_a_record(base, kind), key: value}]}).packed()


def node_type(base: Records, chance: random.Random) -> tuple[str, bytes]:
    name = chance.choice(TYPES)
    indexed = chance.choice([["name"], ["name"], []])
    node = {**_a_record(base, "raw_node"), "type": name, "metadata": {"index_fields": indexed}}
    if chance.random() < 0.3:
        node |= {"description": "d", "text": "t"}
    return f"raw node of type {name!r:.60} that indexes {indexed}", base.plus(raw_node=[node]).packed()


def attribute(base: Records, chance: random.Random) -> tuple[str, bytes]:
    name, value = chance.choice(ATTRIBUTES), chance.choice(["t", 3, [1]])
    indexed = chance.choice([["name"], ["name"], [name]])
    node = {**_a_record(base, "raw_node"), name: value, "metadata": {"index_fields": indexed}}
    return f"raw node with attribute {name!r} = {value!r} that indexes {indexed}", base.plus(raw_node=[node]).packed()


def index_fields(base: Records, chance: random.Random) -> tuple[str, bytes]:
    value = chance.choice(
        [
            None,
            "name",
            "",
            5,
            True,
            [5],
            [None],
            [["name"]],
            {"name": 1},
            ["age"],
            ["missing"],
            ["name", "age"],
            ["name", "name"],
            ["id"],
            ["type"],
            ["tags"],
            ["first name"],
            ["empty"],
            ["metadata"],
            ["version"],
            ["blank"],
            ["long" * 70],
            ["model_dump"],
            ["__class__"],
            ["created_at"],
            [""],
            ["nothing"],
            ["yes"],
        ]
    )
    node = {
        **_a_record(base, "raw_node"),
        "age": 3,
        "tags": ["x"],
        "first name": "Ann",
        "empty": "",
        "blank": "  ",
        "long" * 70: "x",
        "": "y",
        "nothing": None,
        "yes": True,
    }
    return f"raw node: index_fields is {value!r:.80}", base.plus(
        raw_node=[{**node, "metadata": {"index_fields": value}}]
    ).packed()


def beside_the_index(base: Records, chance: random.Random) -> tuple[str, bytes]:
    name, value = chance.choice(INDEX_NEIGHBOURS), chance.choice(ODD)
    indexed = chance.choice([["name"], []])
    node = {**_a_record(base, "raw_node"), name: value, "metadata": {"index_fields": indexed}}
    return f"raw node: {name} is {value!r}, indexes {indexed}", base.plus(raw_node=[node]).packed()


def declared_type(base: Records, chance: random.Random) -> tuple[str, bytes]:
    shapes: dict[str, Record] = {
        "EntityType": {"name": "n", "description": "d"},
        "Rule": {"text": "t"},
        "TextSummary": {"text": "t"},
        "DocumentChunk": {"text": "t", "chunk_index": 0, "chunk_size": 1, "cut_type": "x"},
        "NodeSet": {"name": "n"},
        "Entity": {"name": "n", "description": "d"},
    }
    name = chance.choice(sorted(shapes))
    node: Record = {"id": an_id(str(chance.random())), "type": name, **shapes[name]}
    field = chance.choice(sorted(shapes[name]))
    value = chance.choice(["t", "", 5, None, ["x"], "\ud800"])
    node |= {field: value, "metadata": {"index_fields": [chance.choice(["name", "text", field])]}}
    return f"{name} whose {field} is {value!r}, indexes {node['metadata']['index_fields']}", base.plus(
        raw_node=[node]
    ).packed()


def fact_ends(base: Records, chance: random.Random) -> tuple[str, bytes]:
    first = base.records["entity"][0]
    odd = chance.choice(
        [
            an_id("nowhere"),
            "Nobody",
            first["name"],
            first["name"].upper(),
            first["external_id"].upper(),
            "",
            " ",
            "a\0b",
            "nowhere-" + first["external_id"],
        ]
    )
    extra = fact(first["external_id"], "knows", odd, fact_text="knows")
    if chance.random() < 0.5:
        extra |= {"subject_ref": odd, "object_ref": first["external_id"]}
    return f"a fact's end is {odd!r}", base.plus(fact=[extra]).packed()


def predicate(base: Records, chance: random.Random) -> tuple[str, bytes]:
    value = chance.choice(["", " ", "a b", "a\0b", "'", "x" * 5_000, "\u4eba", "SELF", "a\nb", "is_a"])
    first, second = base.records["entity"][:2]
    return f"a fact's predicate is {value!r:.40}", base.plus(
        fact=[fact(first["external_id"], value, second["external_id"])]
    ).packed()


def duplicates(base: Records, chance: random.Random) -> tuple[str, bytes]:
    kind = chance.choice(["entity", "fact", "raw_node", "document"])
    record = _a_record(base, kind)
    second = {**record, "description": "other"} if chance.random() < 0.5 else record
    return f"the same {kind} twice", base.plus(**{kind: [record, second]}).packed()


def document_text(base: Records, chance: random.Random) -> tuple[str, bytes]:
    value = chance.choice(
        [
            "",
            " ",
            "\n",
            "x",
            "/etc/hostname",
            "/no/such/file",
            "file:///no/such/file",
            "http://127.0.0.1:9/x",
            "https://127.0.0.1:9 is an address",
            "s3://bucket/key",
            "README.md",
            "a\0b",
            "mailto:a@b.c",
            "\ufeffx",
            "HTTP://127.0.0.1:9",
            "http: the protocol",
            "[http://127.0.0.1:9]",
            "//[x",
            "http://[x",
        ]
    )
    return f"a document's text is {value!r}", base.plus(document=[document(str(chance.random()), "d", value)]).packed()


def _a_record(base: Records, kind: str) -> Record:
    """A sound record of a kind with an id that the base does not have."""
    owner = base.records["entity"][0]["external_id"]
    if kind == "fact":
        return fact(owner, "made", base.records["entity"][1]["external_id"], fact_text="made")
    if kind == "document":
        return document(owner, "doc", "Some text.")
    if kind == "raw_node":
        return raw_node(owner, "Thing", "t", name="thing", metadata={"index_fields": ["name"]})
    return entity(owner, "Dee", description="d")


MUTATIONS: list[Callable[[Records, random.Random], tuple[str, bytes]]] = [
    manifest_field,
    manifest_version,
    manifest_counts,
    manifest_text,
    no_manifest,
    nothing_but_a_manifest,
    record_field,
    record_without,
    record_in_the_wrong_file,
    other_kinds,
    odd_line,
    line_ends,
    carriage_return_within,
    nesting,
    base_field,
    without_base_field,
    odd_id,
    node_type,
    attribute,
    index_fields,
    beside_the_index,
    declared_type,
    fact_ends,
    predicate,
    duplicates,
    document_text,
    base_field,
    record_field,
    node_type,
    index_fields,
    attribute,
]
