"""What was sent against what the remote has."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.comparison.verification import count_problems
from cognee_dagster.pushing.verify import RemoteComparison
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteGraph, RemoteNode
from cognee_dagster.testing import FakeRemote
from tests.cogx_graphs import ID_A, ID_B, ID_C, MemoryReader
from tests.pushes import HASTY, client_of, demo_archive, push_archive
from tests.remote_graphs import compare

NODES = tuple(RemoteNode(*row, "Entity") for row in ((ID_A, ""), (ID_B, "Ada"), (ID_C, "person")))
EDGES = (RemoteEdge(ID_A, ID_B, "contains"), RemoteEdge(ID_B, ID_C, "is_a"))


def answer(**item: object) -> dict[str, object]:
    counts = {"document": 1, "entity": 1, "raw_node": 2, "fact": 2}
    return {"items": [{"kind": "migration_import", "record_counts": counts, "skipped_facts": 0, **item}]}


def test_a_complete_import_has_no_problems(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    assert count_problems([archive], answer()) == []
    assert compare([archive], RemoteGraph(NODES, EDGES)).problems == []


def test_a_remote_that_has_more_is_right(tmp_path: Path) -> None:
    more = RemoteGraph((*NODES, RemoteNode("x", "", "Entity")), (*EDGES, RemoteEdge(ID_A, "x", "knows")))
    assert compare([demo_archive(tmp_path)], more).problems == []


def test_dropped_facts_and_unread_records_are_told(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    assert "dropped 1 of 2 facts" in count_problems([archive], answer(skipped_facts=1))[0]
    assert (
        "read 0 of 1 entity record." in count_problems([archive], answer(record_counts={"document": 1, "fact": 2}))[0]
    )


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (RemoteGraph(NODES[1:], EDGES), f"1 node is missing on the remote, such as {ID_A}."),
        (RemoteGraph(NODES, EDGES[1:]), f"1 edge is missing on the remote, such as {ID_A} contains {ID_B}"),
        (RemoteGraph(NODES, (RemoteEdge(ID_A, ID_B, "has"), EDGES[1])), "1 edge is missing"),
    ],
    ids=["node", "edge", "relationship"],
)
def test_what_is_missing_is_told_with_examples(graph: RemoteGraph, words: str, tmp_path: Path) -> None:
    (problem,) = compare([demo_archive(tmp_path)], graph).problems
    assert words in problem


def test_an_answer_that_was_not_waited_for_has_no_counts_to_compare(tmp_path: Path) -> None:
    assert count_problems([demo_archive(tmp_path)], answer(record_counts={})) == []


def test_an_answer_that_counts_some_kinds_read_nothing_of_the_others(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    problems = count_problems([archive], answer(record_counts={"document": 1, "entity": 1, "raw_node": 3}))
    assert problems == ["The remote read 0 of 2 fact records. Push again."]


def test_a_node_under_another_name_is_told(tmp_path: Path) -> None:
    renamed = (*NODES[:1], *(msgspec.structs.replace(node, label="Somebody else") for node in NODES[1:]))
    (problem,) = compare([demo_archive(tmp_path)], RemoteGraph(renamed, EDGES)).problems
    assert "nodes have another name on the remote" in problem


@pytest.mark.parametrize("kind", ["Entity", "EntityType"])
def test_a_server_spells_an_id_in_its_own_way_and_has_it_all_the_same(tmp_path: Path, kind: str) -> None:
    spelled, kept = "{AAAAAAAA-BBBB-5CCC-8DDD-EEEEEEEEEEEE}", "aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee"
    reader = MemoryReader([(spelled, "Ada", kind, None)], [(spelled, spelled, "knows", None)])
    archive = write_archive(reader, tmp_path / "spelled.cogx.tar.gz")
    graph = RemoteGraph((RemoteNode(kept, "Ada", kind),), (RemoteEdge(kept, kept, "knows"),))
    assert compare([archive], graph).problems == []


def test_a_node_of_another_kind_keeps_an_id_that_is_no_uuid(tmp_path: Path) -> None:
    archive = write_archive(MemoryReader([("r2", "R2", "Robot", None)]), tmp_path / "robot.cogx.tar.gz")
    assert compare([archive], RemoteGraph((RemoteNode("r2", "R2", "Robot"),), ())).problems == []


def test_what_only_the_remote_has_is_told(tmp_path: Path) -> None:
    more = RemoteGraph((*NODES, RemoteNode("x", "", "Entity")), (*EDGES, RemoteEdge(ID_A, "x", "knows")))
    found = compare([demo_archive(tmp_path)], more)
    assert found.remarks[1:] == [
        "1 node is on the remote only, such as x.",
        f"1 edge is on the remote only, such as {ID_A} knows x.",
    ]


def test_ids_that_are_no_uuids_are_looked_for_under_those_that_the_server_makes(tmp_path: Path) -> None:
    """A server makes an entity's id of its name then; an end that names no node becomes an entity of that name."""
    manifest = {"cogx_version": "0.1", "source_system": "cognee"}
    entities = [{"external_id": "a", "name": "Ada Lovelace"}, {"external_id": "b", "name": "Bob's"}]
    facts = [
        {"external_id": "f", "subject_ref": "a", "predicate": "knows", "object_ref": "b"},
        {"external_id": "f", "subject_ref": "b", "predicate": "knows", "object_ref": "Carol"},
    ]
    path = tmp_path / "short.cogx.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in (
            ("manifest.json", json.dumps(manifest)),
            (
                "entities.jsonl",
                "".join(json.dumps({"kind": "entity", "external_system": "cognee", **row}) + "\n" for row in entities),
            ),
            (
                "facts.jsonl",
                "".join(json.dumps({"kind": "fact", "external_system": "cognee", **row}) + "\n" for row in facts),
            ),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    archive = replace(demo_archive(tmp_path), path=path, num_nodes=2, record_counts={"entity": 2, "fact": 2})
    with FakeRemote() as remote, client_of(remote.url, remote.api_key) as client:
        push_archive(archive, client=client, settings=HASTY)
        graph = client.graph(client.ensure_dataset("demo").id)
        found = compare([archive], graph)
        assert (found.problems, len(graph.edges)) == ([], 2)
        gapped = RemoteGraph(graph.nodes, graph.edges[1:])
        assert "1 edge is missing" in compare([archive], gapped).problems[0]


PLANET = {
    "population": 7,
    "moons": ["Io", 2],
    "metadata": {"index_fields": ["name"]},
    "source_task": "here",
    "gone": None,
}
CHUNK = {"text": "Ada leads.", "chunk_index": 0, "metadata": '{"index_fields": ["text"]}'}
ROWS = [
    (ID_A, "Ada", "Entity", '{"description": "A mathematician.", "weight": 3}'),
    (ID_B, "Kepler", "Planet", json.dumps(PLANET)),
    (ID_C, None, "DocumentChunk", json.dumps(CHUNK)),
]


def pushed(remote: FakeRemote, tmp_path: Path) -> tuple[Archive, RemoteGraph]:
    archive = write_archive(MemoryReader(ROWS, []), tmp_path / "rows.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client:
        push_archive(archive, client=client, target_dataset="rows", settings=HASTY)
        return archive, client.graph(client.ensure_dataset("rows").id)


def test_nodes_as_a_server_shows_them_have_the_values_that_were_sent(tmp_path: Path) -> None:
    """With defaults of its own, without what its class of the type does not declare, and without what is null."""
    with FakeRemote() as remote:
        archive, graph = pushed(remote, tmp_path)
    found = compare([archive], graph)
    assert (found.problems, found.remarks, found.other_values) == ([], [], {})


@pytest.mark.parametrize(
    ("node_id", "changes", "what"),
    [
        (ID_A, {"type": "Person"}, "type"),
        (ID_A, {"description": "A poet."}, "description"),
        (ID_A, {"weight": 3}, "weight"),
        (ID_B, {"population": 8}, "population"),
        (ID_B, {"population": None}, "population"),
        (ID_B, {"moons": ["Io", 3]}, "moons"),
        (ID_B, {"rings": 1}, "rings"),
        (ID_C, {"text": "Ada leaves."}, "text"),
    ],
)
def test_a_node_with_another_type_or_property_is_named_with_it(
    tmp_path: Path, node_id: str, changes: dict[str, object], what: str
) -> None:
    with FakeRemote() as remote:
        archive, graph = pushed(remote, tmp_path)
    node_type = str(changes.pop("type", ""))
    nodes = [
        msgspec.structs.replace(
            node,
            type=node_type or node.type,
            stored=msgspec.json.encode(
                {key: value for key, value in {**node.properties, **changes}.items() if value is not None}
            ),
        )
        if node.id == node_id
        else node
        for node in graph.nodes
    ]
    found = compare([archive], RemoteGraph(tuple(nodes), graph.edges))
    assert found.other_values == {node_id: what}
    name = {ID_A: " Ada", ID_B: " Kepler"}.get(node_id, "")
    assert found.remarks == [
        f"1 node has another type or other properties on the remote, such as {node_id}{name} ({what})."
    ]


def test_a_node_that_was_sent_twice_is_as_sent_if_it_is_as_either(tmp_path: Path) -> None:
    """A graph beyond a server's limits goes in several archives, and the last one's values count."""
    with FakeRemote() as remote:
        archive, graph = pushed(remote, tmp_path)
    rows = [(ID_B, "Kepler", "Planet", json.dumps({**PLANET, "population": 8}))]
    other = write_archive(MemoryReader(rows, []), tmp_path / "other.cogx.tar.gz")
    assert compare([other, archive], graph).other_values == {}
    assert compare([archive, other], graph).other_values == {}
    assert compare([other], graph).other_values == {ID_B: "population"}


HUGE = "x" * 13_000_000  # more than what is held of that which only the remote has


@pytest.mark.parametrize(
    "extra",
    [
        RemoteGraph((*NODES, RemoteNode(HUGE, "", "Entity")), EDGES),
        RemoteGraph((*NODES, RemoteNode(HUGE, "", "Entity"), RemoteNode("x", "x", "Entity")), EDGES),
        RemoteGraph(NODES, (*EDGES, RemoteEdge(ID_A, ID_B, HUGE))),
        RemoteGraph(NODES, (*EDGES, RemoteEdge(ID_A, ID_B, HUGE), RemoteEdge(ID_A, ID_B, "x"))),
        RemoteGraph((*NODES, NODES[-1]), EDGES),
    ],
    ids=["node", "then one more", "edge", "and one more", "a node twice"],
)
def test_what_the_remote_has_besides_is_never_exact_however_large_it_is(extra: RemoteGraph, tmp_path: Path) -> None:
    found = compare([demo_archive(tmp_path)], extra)
    whole = RemoteComparison(target_dataset="demo", num_nodes=0, num_edges=0, graph=found)
    assert not whole.is_exact
    assert "extra" in {difference.what for difference in whole.differences}
    assert all(difference.in_words for difference in whole.differences)
    assert found.remarks


def test_examples_are_those_that_fit_though_one_before_them_does_not(tmp_path: Path) -> None:
    graph = RemoteGraph((*NODES, RemoteNode(HUGE, "", "Entity"), RemoteNode("x", "Ada", "Entity")), EDGES)
    assert compare([demo_archive(tmp_path)], graph).remarks[1].startswith("2 nodes are on the remote only, such as x")


def test_a_node_without_its_name_has_another_one(tmp_path: Path) -> None:
    graph = RemoteGraph(tuple(replace_label(node, "") for node in NODES), EDGES)
    assert compare([demo_archive(tmp_path)], graph).other_names


@pytest.mark.parametrize("order", [1, -1])
def test_a_node_that_is_shown_rightly_and_wrongly_is_wrong(tmp_path: Path, order: int) -> None:
    named = next(node for node in NODES if node.label)
    rows = [named, replace_label(named, "Bea")][::order]
    others = [node for node in NODES if node is not named]
    assert list(compare([demo_archive(tmp_path)], RemoteGraph((*others, *rows), EDGES)).other_names) == [named.id]


def replace_label(node: RemoteNode, label: str) -> RemoteNode:
    return RemoteNode(node.id, label, node.type, node.stored)
