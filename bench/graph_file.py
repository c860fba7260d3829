"""A Ladybug file in Cognee's schema, filled by COPY: seconds where Cognee's own pipeline would need hours."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import ladybug
import pyarrow as pa

# Cognee 1.6.5, infrastructure/databases/graph/ladybug/adapter.py
_SCHEMA = (
    "CREATE NODE TABLE Node(id STRING PRIMARY KEY, name STRING, type STRING, created_at TIMESTAMP, "
    "updated_at TIMESTAMP, properties STRING, source_ref_keys STRING, source_dataset_ids STRING, "
    "source_run_ids STRING, source_run_refs STRING)",
    "CREATE REL TABLE EDGE(FROM Node TO Node, relationship_name STRING, created_at TIMESTAMP, updated_at TIMESTAMP, "
    "properties STRING, source_ref_keys STRING, source_dataset_ids STRING, source_run_ids STRING, "
    "source_run_refs STRING)",
    "CREATE NODE TABLE GraphMetadata(key STRING PRIMARY KEY, value STRING)",
)
# What one COPY of so many rows takes. Each further COPY makes the file sparser: 5 GB instead of 3 for a million nodes,
# and 200 MB more that Ladybug keeps in memory while such a file is open.
_BUFFER_POOL_BYTES = 12 << 30
_ROWS_A_COPY = 4_000_000

NodeRow = tuple[str, str | None, str | None, str | None]
EdgeRow = tuple[str, str, str | None, str | None]


class GraphFile:
    """A new graph file, open for filling."""

    def __init__(self, path: Path) -> None:
        self._database: Any = ladybug.Database(str(path), buffer_pool_size=_BUFFER_POOL_BYTES)
        self._connection: Any = ladybug.Connection(self._database)
        for statement in _SCHEMA:
            self._connection.execute(statement)

    def add_nodes(self, rows: Iterable[NodeRow]) -> None:
        """Add nodes: id, name, type, JSON text of the properties."""
        for nodes in _tables(rows, ("id", "name", "type", "properties")):  # noqa: B007 - COPY finds it by its name
            self._connection.execute("COPY Node(id, name, type, properties) FROM nodes")

    def add_edges(self, rows: Iterable[EdgeRow]) -> None:
        """Add edges: id of the start node, of the end node, name, JSON text of the properties."""
        for edges in _tables(rows, ("from", "to", "relationship_name", "properties")):  # noqa: B007 - see above
            self._connection.execute("COPY EDGE(relationship_name, properties) FROM edges")

    def __enter__(self) -> "GraphFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._database.close()


def _tables(rows: Iterable[tuple[str | None, ...]], names: tuple[str, ...]) -> Iterator[pa.Table]:
    remaining = iter(rows)
    while portion := list(islice(remaining, _ROWS_A_COPY)):
        columns = zip(*portion, strict=True)
        yield pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
