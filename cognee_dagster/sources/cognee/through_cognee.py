"""The local Cognee through Cognee itself, in a child process: any store it supports, and its add() and cognify().

Slower than reading files (importing Cognee takes 10 s), but right for every configuration.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from uuid import UUID

import pyarrow as pa

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, GraphReader, Reopen
from cognee_dagster.sources.cognee.child.process import ask_cognee
from cognee_dagster.sources.cognee.config import LocalCogneeConfig
from cognee_dagster.sources.cognee.users import UserRef, user_key

READ_SECONDS = 3_600.0
COGNIFY_SECONDS = 24 * 3_600.0  # a language model may be slow; a run that hangs is still ended


@dataclass(frozen=True, kw_only=True)
class DocumentsReport:
    """What ``add_documents`` found and did.

    Attributes:
        added: Documents that were new to the dataset.
        changed: Documents that the dataset held with another content, and that were replaced.
        unchanged: Documents that the dataset holds already, under this name or another.
        cognified: Whether the graph was extended or rebuilt.
        seconds: How long all of it took.
    """

    added: tuple[Path, ...]
    changed: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    cognified: bool
    seconds: float


@contextmanager
def open_through_cognee(dataset: str | UUID, *, user: UserRef, config: LocalCogneeConfig) -> Iterator[GraphReader]:
    """As ``open_dataset``, for every configuration that Cognee supports.

    The graph passes through a temporary directory, so that the child is gone before the first row is used.
    """
    with TemporaryDirectory(prefix="cognee-dagster-") as directory:
        yield _fetch_graph(Path(directory), request=_request(dataset, user=user), config=config)


def add_documents(
    dataset: str | UUID,
    documents: Sequence[Path],
    *,
    user: UserRef = None,
    config: LocalCogneeConfig | None = None,
) -> DocumentsReport:
    """Bring files into a dataset's graph: ``cognee.add`` if new, ``cognee.update`` if changed, then ``cognee.cognify``.

    A document is known by its path and its content's MD5, as ``cognee.add`` knows it (Cognee 1.6.5, tasks/ingestion,
    ``refuse_changed_existing_documents.py``): other content under the same path replaces what the graph got from the
    old one; the same content under another path is held already. Documents that were added but never cognified are
    cognified, too, and all of them if the graph is gone. The language model and the embeddings are those of
    ``config.environ``.

    Cognee does not forget by itself: a document that is no longer passed, or was moved *and* changed, stays in the
    dataset with all the graph got from it, until ``cognee.forget(data_id=…)``; entities that an old version shares with
    other documents stay in any case.

    Args:
        dataset: A name; the dataset is made if the user has none. Or a UUID of a dataset the user may write.
        documents: Files.
        user: As for ``open_dataset``.
        config: The local Cognee; default: the one this process's environment describes.

    Raises:
        DatasetPermissionError: The user may not write the dataset, or does not exist.
        CogneeNotInstalledError: The interpreter has no Cognee.
        LocalCogneeError: A file is missing, or Cognee could not add or cognify; with the end of what it said.
    """
    if missing := [str(path) for path in documents if not path.is_file()]:
        raise LocalCogneeError(f"These documents of dataset {str(dataset)!r} are no files: {', '.join(missing)}.")
    started = monotonic()
    paths = {str(path.absolute()): path for path in documents}
    request = {**_request(dataset, user=user), "documents": list(paths)}
    report: dict[str, Any] = {"kinds": {}, "cognified": False}
    config = config or LocalCogneeConfig()
    with closing(ask_cognee("add_documents", request, config=config, limit_seconds=COGNIFY_SECONDS)) as messages:
        for message in messages:
            if message["event"] == "documents":
                report = message

    def of_kind(kind: str) -> tuple[Path, ...]:
        return tuple(path for text, path in paths.items() if report["kinds"][text] == kind)

    return DocumentsReport(
        added=of_kind("added"),
        changed=of_kind("changed"),
        unchanged=of_kind("unchanged"),
        cognified=report["cognified"],
        seconds=monotonic() - started,
    )


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


def _request(dataset: str | UUID, *, user: UserRef) -> dict[str, Any]:
    key = user_key(user)
    user_request = None if key is None else {"id": str(key)} if isinstance(key, UUID) else {"email": key}
    by_id = isinstance(dataset, UUID)
    return {"dataset": None if by_id else dataset, "dataset_id": str(dataset) if by_id else None, "user": user_request}
