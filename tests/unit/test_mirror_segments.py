"""What came from one text stays in one segment of a mirror, so that a text that is deleted costs that segment alone."""

import random
from collections.abc import Iterable
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.mirror.graph.belonging import texts_of
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints, read_fingerprints
from cognee_dagster.pushing.mirror.plan.plan import SyncPlan, plan_sync
from tests.cogx_graphs import EdgeRow, MemoryReader, NodeRow

SEGMENT_NODES = 40
CHUNKS, ENTITIES_ALONE, SHARED = 3, 4, 30


def id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


class Library:
    """Documents with chunks, summaries, entities that they alone mention, and entities that many mention."""

    def __init__(self, documents: Iterable[int], *, chunks: int = CHUNKS) -> None:
        self.kinds: dict[str, str] = {}
        self.triples: list[tuple[str, str, str]] = []
        for number in documents:
            self._add(f"document {number}", random.Random(number), chunks=chunks)

    def fingerprints(self, directory: Path) -> GraphFingerprints:
        nodes: list[NodeRow] = [(id_of(name), name, kind, "{}") for name, kind in self.kinds.items()]
        random.Random(1).shuffle(nodes)  # nothing is together because it was written together
        edges: list[EdgeRow] = [(id_of(source), id_of(target), name, "{}") for source, name, target in self.triples]
        return read_fingerprints([write_archive(MemoryReader(nodes, edges), directory / "library.cogx.tar.gz")])

    def _add(self, document: str, pick: random.Random, *, chunks: int) -> None:
        self.kinds[document] = "TextDocument"
        for number in range(chunks):
            chunk = f"chunk {number} of {document}"
            self._edge(chunk, "DocumentChunk", "is_part_of", document)
            self._edge(f"summary of {chunk}", "TextSummary", "made_from", chunk)
            for _ in range(3):
                self._mention(chunk, f"shared {pick.randrange(SHARED)}", "a kind of many")
            for _ in range(3):
                self._mention(chunk, f"{document}'s own {pick.randrange(ENTITIES_ALONE)}", f"{document}'s own kind")

    def _mention(self, chunk: str, entity: str, kind: str) -> None:
        self.kinds[entity], self.kinds[kind] = "Entity", "EntityType"
        self.triples += [(chunk, "contains", entity), (entity, "is_a", kind)]

    def _edge(self, source: str, kind: str, name: str, target: str) -> None:
        self.kinds[source] = kind
        self.triples.append((source, name, target))


def planned(graph: GraphFingerprints, before: tuple[GraphFingerprints, SyncPlan] | None = None) -> SyncPlan:
    nothing = MirrorContents.empty()
    there = nothing if before is None else before[1].contents_after(before[0], nothing, confirmed=nothing)
    letters = {} if before is None else before[1].letters
    return plan_sync(graph, there, letters, segment_nodes=SEGMENT_NODES)


@pytest.mark.parametrize("gone", range(0, 30, 3))
def test_a_document_that_is_deleted_touches_one_segment(tmp_path: Path, gone: int) -> None:
    graph = Library(range(30)).fingerprints(tmp_path)
    first = planned(graph)
    assert len(first.letters) > 10
    left = Library(number for number in range(30) if number != gone).fingerprints(tmp_path)
    plan = planned(left, (graph, first))
    assert len(plan.difference.removed_nodes) > 2 * CHUNKS
    assert (len(plan.uploads), len(plan.deleted)) == (1, 1)


def test_a_document_that_is_added_later_is_in_one_segment_too(tmp_path: Path) -> None:
    graph = Library(range(20)).fingerprints(tmp_path)
    first = planned(graph)
    more = Library(range(21)).fingerprints(tmp_path)
    second = planned(more, (graph, first))
    assert len(second.uploads) == 1
    nothing = MirrorContents.empty()
    there = second.contents_after(more, nothing, confirmed=nothing)
    again = plan_sync(graph, there, second.letters, segment_nodes=SEGMENT_NODES)
    assert (len(again.uploads), len(again.deleted)) == (1, 1)


def test_what_several_texts_mention_belongs_to_none_of_them(tmp_path: Path) -> None:
    library = Library(range(10))
    graph = library.fingerprints(tmp_path)
    texts = texts_of(graph, at_most=SEGMENT_NODES)
    place = {one.tobytes().hex(): number for number, one in enumerate(graph.ids)}
    number_of = {name: place[id_of(name).replace("-", "")] for name in library.kinds}
    of_three = [name for name in library.kinds if "document 3" in name]
    assert any("own kind" in name for name in of_three)
    assert {int(texts[number_of[name]]) for name in of_three} == {number_of["document 3"]}
    mentioned_by = {
        name: {source.rpartition(" of ")[2] for source, _, target in library.triples if target == name}
        for name in library.kinds
        if name.startswith("shared")
    }
    for name, documents in mentioned_by.items():
        assert texts[number_of[name]] == number_of[name if len(documents) > 1 else next(iter(documents))]
    assert texts[number_of["a kind of many"]] == number_of["a kind of many"]


def test_a_text_that_does_not_fit_into_a_segment_is_cut_as_any_other_part(tmp_path: Path) -> None:
    graph = Library([1], chunks=200).fingerprints(tmp_path)
    assert np.array_equal(texts_of(graph, at_most=SEGMENT_NODES), np.arange(len(graph.node_keys)))
    sizes = np.unique(planned(graph).node_segments, return_counts=True)[1]
    assert len(sizes) > 5
    assert sizes.max() <= SEGMENT_NODES
