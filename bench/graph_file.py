"""A Ladybug file in Cognee's schema, filled by COPY: seconds where Cognee's own pipeline would need hours."""

from collections.abc import Iterable
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
_BUFFER_POOL_BYTES = 4 << 30

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
        nodes = _table(rows, ("id", "name", "type", "properties"))  # noqa: F841 - COPY finds it by its name
        self._connection.execute("COPY Node(id, name, type, properties) FROM nodes")

    def add_edges(self, rows: Iterable[EdgeRow]) -> None:
        """Add edges: id of the start node, of the end node, name, JSON text of the properties."""
        edges = _table(rows, ("from", "to", "relationship_name", "properties"))  # noqa: F841 - see above
        self._connection.execute("COPY EDGE(relationship_name, properties) FROM edges")

    def __enter__(self) -> "GraphFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._database.close()


def _table(rows: Iterable[tuple[str | None, ...]], names: tuple[str, ...]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
