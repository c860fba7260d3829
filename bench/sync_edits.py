"""A made-up graph of a hundred documents in memory, and the edits whose price is measured."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from bench.graph_file import EdgeRow, NodeRow
from bench.synthetic import SyntheticGraph
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, Reopen

_DOCUMENTS = 100
_WITHIN = 0.9
_ROWS = 10_000


class HundredDocuments(SyntheticGraph):
    """The graph of ``bench.synthetic``, of a hundred documents that are each about something.

    Nine of ten mentions and relations stay with the entities of a document; the others lead anywhere.
    """

    @property
    def _documents(self) -> int:
        return _DOCUMENTS

    def edges(self) -> Iterator[EdgeRow]:
        """Those of ``bench.synthetic``, most of them led to an entity of their document."""
        pick = random.Random(4)
        rows = list(super().edges())
        entities = [row[0] for row in self.nodes() if row[2] == "Entity"]
        topic_of = {entity: number % _DOCUMENTS for number, entity in enumerate(entities)}
        documents: dict[str, int] = {}
        for source, target, name, _ in rows:
            if name == "is_part_of":
                topic_of[source] = documents.setdefault(target, len(documents))
        for source, target, name, properties in rows:
            if target in topic_of and name != "made_from" and pick.random() < _WITHIN:
                mates = range(topic_of[source], len(entities), _DOCUMENTS)
                target = entities[pick.choice(mates)]  # noqa: PLW2901 - that is what is different here
            yield source, target, name, properties


@dataclass
class EditedGraph:
    """A ``GraphReader`` over a graph that is edited between two pushes.

    Attributes:
        node_rows: By id.
        edge_rows: By (source, relationship, target).
    """

    node_rows: dict[str, NodeRow]
    edge_rows: dict[tuple[str, str, str], EdgeRow]
    origin: GraphOrigin = field(default_factory=lambda: GraphOrigin(dataset_name="synthetic"))
    reopen: Reopen | None = None

    @classmethod
    def of(cls, num_nodes: int) -> "EditedGraph":
        """As ``cognee.cognify()`` would have made it of a hundred documents."""
        graph = HundredDocuments(num_nodes)
        return cls(
            node_rows={row[0]: row for row in graph.nodes()},
            edge_rows={(row[0], str(row[2]), row[1]): row for row in graph.edges()},
        )

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """All nodes."""
        yield from pa.Table.from_batches([_batch(list(self.node_rows.values()), NODE_SCHEMA)]).to_batches(_ROWS)

    def edges(self) -> Iterator[pa.RecordBatch]:
        """All edges."""
        yield from pa.Table.from_batches([_batch(list(self.edge_rows.values()), EDGE_SCHEMA)]).to_batches(_ROWS)

    def describe_anew(self, share: float) -> None:
        """Change the description of a share of the nodes, here and there."""
        entities = [one for one, row in self.node_rows.items() if row[2] == "Entity"]
        step = len(entities) / (share * len(self.node_rows))
        for number in range(round(share * len(self.node_rows))):
            self._change(entities[int(number * step)], description=f"Described anew, {len(entities)} {number}.")

    def rewrite_document(self) -> None:
        """Change the texts of one document, and its summaries."""
        for node_id in self._document_parts():
            if self.node_rows[node_id][2] != "TextDocument":
                self._change(node_id, text=f"Another text of {node_id}.")

    def remove_document(self) -> Callable[[], None]:
        """Remove one document with its chunks and summaries; returns what brings it back."""
        nodes, edges = dict(self.node_rows), dict(self.edge_rows)
        gone = set(self._document_parts())
        self.node_rows = {one: row for one, row in nodes.items() if one not in gone}
        self.edge_rows = {ends: row for ends, row in edges.items() if not gone & {ends[0], ends[2]}}

        def bring_back() -> None:
            self.node_rows, self.edge_rows = nodes, edges

        return bring_back

    def _document_parts(self) -> list[str]:
        """The first document, its chunks, and the summaries of these."""
        document = next(one for one, row in self.node_rows.items() if row[2] == "TextDocument")
        chunks = {s for s, name, t in self.edge_rows if name == "is_part_of" and t == document}
        summaries = {s for s, name, t in self.edge_rows if name == "made_from" and t in chunks}
        return [document, *sorted(chunks), *sorted(summaries)]

    def _change(self, node_id: str, **values: str) -> None:
        _, name, node_type, properties = self.node_rows[node_id]
        known: Mapping[str, object] = json.loads(properties or "{}")
        self.node_rows[node_id] = (node_id, name, node_type, json.dumps({**known, **values}))


def _batch(rows: list[tuple[str | None, ...]] | list[NodeRow] | list[EdgeRow], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
