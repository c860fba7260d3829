"""A graph beyond the limits becomes several archives, each valid alone, that hold together what one would hold."""

import gzip
import json
import random
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.archive import Archive, limit_problems
from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.read.validate import validate_archive
from cognee_dagster.cogx.write.writer import Progress, write_archive
from cognee_dagster.errors import ArchiveLimitError, GraphFileError
from cognee_dagster.graph.reader import GraphOrigin
from tests.cogx_graphs import EdgeRow, MemoryReader, NodeRow, demo_reader, write_archives
from tests.unpacking import records_of

LIMITS = Limits(member_bytes=20_000, total_bytes=60_000)
KINDS = ("DocumentChunk", "Entity", "EntityType")


def node_id(number: int) -> str:
    return str(UUID(int=number + 1))


def node(number: int, *, kind: str = "Entity", size: int = 100) -> NodeRow:
    text = "text" if kind == "DocumentChunk" else "description"
    properties = {text: f"{number}: " + "x" * size, "created_at": 1788471595772}
    return node_id(number), f"Name {number}", kind, json.dumps(properties)


def edge(source: int, target: int, *, label: str = "knows", size: int = 20) -> EdgeRow:
    return node_id(source), node_id(target), label, json.dumps({"edge_text": "y" * size})


def topics(count: int = 20, *, size: int = 30, strangers: int = 40, seed: int = 1) -> MemoryReader:
    """Chunks with their entities, few edges from one topic to another, and one type for all entities."""
    draw = random.Random(seed)
    total = count * size
    numbers = list(range(total))
    draw.shuffle(numbers)  # the store's order tells nothing
    groups = [numbers[start : start + size] for start in range(0, total, size)]
    chunks = {group[0] for group in groups}
    nodes = [node(n, kind="DocumentChunk" if n in chunks else "Entity") for n in range(total)]
    nodes.append(node(total, kind="EntityType"))
    edges = [edge(group[0], other, label="contains") for group in groups for other in group[1:]]
    edges += [edge(other, total, label="is_a") for group in groups for other in group[1:]]
    edges += [edge(*draw.sample(group[1:], 2), label=f"r{i}") for group in groups for i in range(2 * size)]
    edges += [edge(*draw.sample(numbers, 2), label=f"s{i}") for i in range(strangers)]
    return MemoryReader(nodes, edges)


def ends(records: dict[str, Counter[str]]) -> set[str]:
    """Ids that facts may name."""
    entities = {json.loads(line)["external_id"] for line in records.get("entities.jsonl", ())}
    return entities | {json.loads(line)["id"] for line in records.get("nodes.jsonl", ())}


def check_parts(parts: tuple[Archive, ...], whole: Archive, limits: Limits) -> None:
    """Everything that must hold of any cut."""
    expected = records_of(whole.path)
    found: dict[str, Counter[str]] = {}
    for part in parts:
        assert limit_problems(part.member_bytes, limits=limits) == []
        with tarfile.open(part.path) as tar:
            assert part.member_bytes == {member.name: member.size for member in tar}
        records = records_of(part.path)
        for name, lines in records.items():
            found.setdefault(name, Counter()).update(lines)
        facts = [json.loads(line) for line in records.get("facts.jsonl", ())]
        assert {fact[key] for fact in facts for key in ("subject_ref", "object_ref")} <= ends(records)
        assert records.get("documents.jsonl", Counter()).keys() <= expected.get("documents.jsonl", Counter()).keys()
        assert validate_archive(part.path).problems == ()
    assert found.keys() == expected.keys()
    for name, lines in expected.items():
        if name in ("documents.jsonl", "facts.jsonl"):
            assert found[name] == lines  # each once
        else:
            assert found[name].keys() == lines.keys()  # each somewhere, in full
    assert sum(part.num_nodes for part in parts) == whole.num_nodes
    assert sum(part.num_edges for part in parts) == whole.num_edges


def test_a_graph_within_the_limits_is_one_archive_byte_for_byte(tmp_path: Path) -> None:
    whole = write_archive(demo_reader(), tmp_path / "whole.cogx.tar.gz")
    (only,) = write_archives(demo_reader(), tmp_path / "graph.cogx.tar.gz")
    assert only.path == tmp_path / "graph.cogx.tar.gz"
    assert only.path.read_bytes() == whole.path.read_bytes()
    assert only.summary == whole.summary


def test_the_parts_hold_together_what_one_archive_holds(tmp_path: Path) -> None:
    whole = write_archive(topics(), tmp_path / "whole.cogx.tar.gz")
    parts = write_archives(topics(), tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    check_parts(parts, whole, LIMITS)
    assert len(parts) > 9
    total = len(parts)
    assert [part.path.name for part in parts][:2] == [f"graph.{i:02}-of-{total}.cogx.tar.gz" for i in (1, 2)]
    assert {part.digest for part in parts} == {whole.digest}
    assert all(part.summary == whole.summary for part in parts)
    assert sorted(tmp_path.iterdir()) == sorted([whole.path, *(part.path for part in parts)])


def test_more_parts_than_are_written_at_once(tmp_path: Path) -> None:
    limits = Limits(member_bytes=8000, total_bytes=24_000)
    whole = write_archive(topics(), tmp_path / "whole.cogx.tar.gz")
    parts = write_archives(topics(), tmp_path / "graph.cogx.tar.gz", limits=limits)
    check_parts(parts, whole, limits)
    assert len(parts) > 32


def test_the_same_graph_gives_the_same_parts(tmp_path: Path) -> None:
    first, second = (
        write_archives(topics(), tmp_path / f"{name}.cogx.tar.gz", limits=LIMITS) for name in ("first", "second")
    )
    assert [gzip.decompress(part.path.read_bytes()) for part in first] == [
        gzip.decompress(part.path.read_bytes()) for part in second
    ]
    assert [part.content_sha256 for part in first] == [part.content_sha256 for part in second]


def test_manifests_say_which_part_it_is(tmp_path: Path) -> None:
    parts = write_archives(topics(), tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    with tarfile.open(parts[1].path) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest["counts"] == parts[1].record_counts
    assert manifest["notes"][0] == "Exported from Cognee dataset 'demo'."
    assert f"Part 2 of {len(parts)}" in manifest["notes"][1]


def test_what_belongs_together_stays_together(tmp_path: Path) -> None:
    """Few node records are repeated, where a random cut of so many facts a node would repeat nearly all of them."""
    limits = Limits(member_bytes=250_000, total_bytes=600_000)
    parts = write_archives(topics(80, size=12), tmp_path / "graph.cogx.tar.gz", limits=limits)
    assert len(parts) > 4
    records = sum(part.record_counts.get("entity", 0) + part.record_counts.get("raw_node", 0) for part in parts)
    num_nodes = sum(part.num_nodes for part in parts)
    assert records / num_nodes < 1.25


def test_a_million_nodes_of_one_type_and_a_hub_are_cut_as_well(tmp_path: Path) -> None:
    """In small: nodes without edges, and a node with more edges than an archive holds."""
    reader = MemoryReader(
        [node(number, size=0) for number in range(1000)], [edge(0, number) for number in range(1, 500)]
    )
    whole = write_archive(reader, tmp_path / "whole.cogx.tar.gz")
    parts = write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    check_parts(parts, whole, LIMITS)
    smallest = -(-max(whole.member_bytes.values()) // LIMITS.member_bytes)
    assert len(parts) <= smallest * 1.5


def test_texts_as_large_as_an_archive_go_where_there_is_room(tmp_path: Path) -> None:
    """Two chunks with an edge between them whose texts do not fit into one documents.jsonl together."""
    limits = Limits(member_bytes=30_000, total_bytes=40_000)
    nodes = [node(0, kind="DocumentChunk", size=12_000), node(1, kind="DocumentChunk", size=12_000)]
    nodes += [node(number) for number in range(2, 60)]
    reader = MemoryReader(nodes, [edge(0, 1), *(edge(0, number) for number in range(2, 30))])
    whole = write_archive(reader, tmp_path / "whole.cogx.tar.gz")
    check_parts(write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=limits), whole, limits)


@pytest.mark.parametrize(
    ("nodes", "edges", "named"),
    [
        ([node(0), node(1, size=25_000)], [], f"node '{node_id(1)}'"),
        ([node(0), node(1, kind="DocumentChunk", size=25_000)], [], f"node '{node_id(1)}'"),
        ([node(0), node(1)], [edge(0, 1), edge(1, 0, size=25_000)], f"edge '{node_id(1)}' -[knows]-> '{node_id(0)}'"),
        ([node(0, size=12_000), node(1, size=12_000)], [edge(0, 1)], f"edge '{node_id(0)}' -[knows]-> '{node_id(1)}'"),
    ],
)
def test_what_is_too_large_by_itself_is_named(
    tmp_path: Path, nodes: list[NodeRow], edges: list[EdgeRow], named: str
) -> None:
    with pytest.raises(ArchiveLimitError) as caught:
        write_archives(MemoryReader(nodes, edges), tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    assert named in str(caught.value)
    assert "20,000 bytes a file" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_loop_at_a_large_node_takes_its_node_once(tmp_path: Path) -> None:
    reader = MemoryReader([node(0, size=12_000), node(1, size=12_000)], [edge(0, 0)])
    whole = write_archive(reader, tmp_path / "whole.cogx.tar.gz")
    check_parts(write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=LIMITS), whole, LIMITS)


def test_an_edge_whose_ends_are_too_large_together_is_named_though_each_file_has_room(tmp_path: Path) -> None:
    reader = MemoryReader([node(0, size=17_000), node(1, kind="EntityType", size=17_000)], [edge(0, 1)])
    with pytest.raises(ArchiveLimitError, match=f"edge '{node_id(0)}'"):
        write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=Limits(member_bytes=20_000, total_bytes=34_000))


def test_an_edge_without_an_end_travels_with_the_other_one(tmp_path: Path) -> None:
    edges = [edge(0, number) for number in range(1, 150)] + [edge(999, 1), edge(998, 997)]
    reader = MemoryReader(
        [node(number) for number in range(150)],
        edges,
        origin=GraphOrigin(dataset_name="demo", endpoints_guaranteed=False),
    )
    parts = write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=LIMITS)
    assert len(parts) > 1
    assert sum(part.record_counts.get("fact", 0) for part in parts) == len(edges)


def test_a_failed_cut_leaves_what_was_there(tmp_path: Path) -> None:
    destination = tmp_path / "graph.cogx.tar.gz"
    destination.write_bytes(b"the old one")
    with pytest.raises(GraphFileError):
        write_archives(MemoryReader([(node_id(1), "", "", "3")]), destination)
    assert destination.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [destination]


def test_progress_of_the_cutting_never_goes_back_and_ends_with_all_records(tmp_path: Path) -> None:
    told: list[Progress] = []
    whole = write_archive(topics(), tmp_path / "whole.cogx.tar.gz")
    parts = write_archives(topics(), tmp_path / "graph.cogx.tar.gz", limits=LIMITS, progress=told.append)
    cutting = [step for step in told if step.phase == "cutting"]
    done = [step.done for step in cutting]
    assert done == sorted(set(done))
    (total,) = {step.total for step in cutting}
    assert total == -(-len(parts) // 16) * whole.unpacked_bytes  # 16 parts are written in one reading of the whole
    assert done[-1] == total - whole.member_bytes["manifest.json"]
    assert cutting[-1] is told[-1]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[NodeRow], list[EdgeRow]]:
    count = draw(st.integers(1, 40))
    sizes = st.sampled_from((0, 10, 500, 3000))
    nodes = [node(number, kind=draw(st.sampled_from(KINDS)), size=draw(sizes)) for number in range(count)]
    ends_of_edges = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), sizes)
    drawn = draw(st.lists(ends_of_edges, max_size=80))
    edges = [edge(a, b, label=f"r{i}", size=size) for i, (a, b, size) in enumerate(drawn)]
    return nodes, edges


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs(), member_bytes=st.integers(7500, 30_000), spare=st.integers(18_000, 40_000))
def test_any_graph_is_cut_by_the_rules(
    tmp_path: Path, graph: tuple[list[NodeRow], list[EdgeRow]], member_bytes: int, spare: int
) -> None:
    limits = Limits(member_bytes=member_bytes, total_bytes=member_bytes + spare)
    reader = MemoryReader(*graph)
    whole = write_archive(reader, tmp_path / "whole.cogx.tar.gz")
    check_parts(write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=limits), whole, limits)


def test_an_archive_is_cut_that_would_be_beyond_the_limits_as_it_is_pushed(tmp_path: Path) -> None:
    """37 bytes a document, and of nothing else: its id gets the remote dataset's id and a colon before it."""
    reader = MemoryReader([(node_id(number), "", "DocumentChunk", '{"text": "a"}') for number in range(100)])
    whole = write_archive(reader, tmp_path / "whole.cogx.tar.gz")
    pushed = whole.member_bytes["documents.jsonl"] + 3700
    assert pushed - 1 > max(whole.member_bytes.values())
    for limits, is_cut in (
        (Limits(member_bytes=pushed, total_bytes=10**6), False),
        (Limits(member_bytes=pushed - 1, total_bytes=10**6), True),
        (Limits(member_bytes=10**6, total_bytes=whole.unpacked_bytes + 3700), False),
        (Limits(member_bytes=10**6, total_bytes=whole.unpacked_bytes + 3699), True),
    ):
        parts = write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=limits)
        assert (len(parts) > 1) is is_cut


TEXTS = MemoryReader(
    [node(number, kind="DocumentChunk", size=1500) for number in range(30)],
    [edge(a, b) for a in range(30) for b in range(30)],
)


@pytest.mark.parametrize("reader", [topics(), TEXTS], ids=["topics", "texts"])
def test_a_part_is_within_the_limits_with_its_manifest_and_the_tars_own_bytes(
    tmp_path: Path, reader: MemoryReader
) -> None:
    limits = Limits(member_bytes=60_000, total_bytes=60_000)
    parts = write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=limits)
    sizes = [len(gzip.decompress(part.path.read_bytes())) for part in parts]
    assert max(sizes) <= limits.total_bytes
    assert max(sizes) > limits.total_bytes - 4_000


def test_the_records_of_documents_grow_when_they_are_pushed(tmp_path: Path) -> None:
    """Their ids get the remote dataset's id before them: an archive must not grow beyond the limits by that."""
    from cognee_dagster.cogx.read.documents import document_prints, rename_documents

    reader = MemoryReader([node(number, kind="DocumentChunk", size=0) for number in range(300)])
    limits = Limits(member_bytes=20_000, total_bytes=60_000)
    for part in write_archives(reader, tmp_path / "graph.cogx.tar.gz", limits=limits):
        new_ids: dict[str, Any] = {
            document.external_id: f"{UUID(int=7)}:{document.external_id}" for document in document_prints(part.path)
        }
        rename_documents(part.path, tmp_path / "renamed.cogx.tar.gz", new_ids)
        assert limit_problems(validate_archive(tmp_path / "renamed.cogx.tar.gz").member_bytes, limits=limits) == []
