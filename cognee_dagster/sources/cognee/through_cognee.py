"""Reads a dataset of the local Cognee through Cognee itself, in a child process: whatever store it supports.

Slower than reading files (importing Cognee takes 10 s), but right for every configuration.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pyarrow as pa

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, GraphReader, Reopen
from cognee_dagster.sources.cognee.child.process import ask_cognee, dataset_request
from cognee_dagster.sources.cognee.config import LocalCogneeConfig
from cognee_dagster.sources.cognee.user_reference import UserRef

READ_SECONDS = 3_600.0

logger = logging.getLogger(__name__)


@contextmanager
def open_through_cognee(
    dataset: str | UUID, *, user: UserRef, config: LocalCogneeConfig, own_file: Path | None = None
) -> Iterator[GraphReader]:
    """As ``open_dataset``, for every configuration that Cognee supports.

    The graph passes through a temporary directory, so that the child is gone before the first row is used.

    Args:
        dataset: As for ``open_dataset``.
        user: As for ``open_dataset``.
        config: The local Cognee.
        own_file: A graph file of this dataset that these settings pass by: a warning names it if they find nothing.
    """
    with TemporaryDirectory(prefix="cognee-dagster-") as directory:
        reader = _fetch_graph(Path(directory), request=dataset_request(dataset, user=user), config=config)
        if own_file is not None and next(reader.nodes(), None) is None:
            logger.warning(
                "Dataset %s has no nodes where these settings look (%s), but a graph file of its own: %s. Correct or "
                "unset what leads away from it; a variable that is set to nothing counts, too.",
                dataset,
                config.obstacle_to_direct_reading() or "Cognee's own choice",
                own_file,
            )
        yield reader


class _SpooledReader:
    """A graph that was received whole, in two Arrow files."""

    reopen: Reopen | None = None

    def __init__(self, origin: GraphOrigin, *, nodes: Path, edges: Path) -> None:
        self._origin = origin
        self._nodes = nodes
        self._edges = edges

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    def nodes(self) -> Iterator[pa.RecordBatch]:
        return _batches(self._nodes)

    def edges(self) -> Iterator[pa.RecordBatch]:
        return _batches(self._edges)


def _fetch_graph(directory: Path, *, request: Mapping[str, Any], config: LocalCogneeConfig) -> _SpooledReader:
    nodes, edges, origin = directory / "nodes.arrow", directory / "edges.arrow", None
    with (
        closing(ask_cognee("read_graph", request, config=config, limit_seconds=READ_SECONDS)) as messages,
        pa.ipc.new_stream(nodes, NODE_SCHEMA) as node_file,
        pa.ipc.new_stream(edges, EDGE_SCHEMA) as edge_file,
    ):
        for message in messages:
            match message["event"]:
                case "origin":
                    origin = _origin(message)
                case "nodes":
                    node_file.write_batch(_batch(message["rows"], schema=NODE_SCHEMA))
                case "edges":
                    edge_file.write_batch(_batch(message["rows"], schema=EDGE_SCHEMA))
    if origin is None:
        raise LocalCogneeError(f"Cognee gave no graph for dataset {request['dataset'] or request['dataset_id']}.")
    return _SpooledReader(origin, nodes=nodes, edges=edges)


def _origin(message: Mapping[str, Any]) -> GraphOrigin:
    return GraphOrigin(
        dataset_name=message["dataset_name"],
        dataset_id=UUID(message["dataset_id"]),
        embedding_model=message["embedding_model"],
        migration_revision=message["migration_revision"],
        read_through="cognee",
        # Not every store that Cognee supports rules out an edge to a node that is not there.
        endpoints_guaranteed=False,
    )


def _batch(rows: list[list[str | None]], *, schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.ipc.open_stream(path) as stream:
        yield from stream
