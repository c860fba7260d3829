"""A graph from wherever it is: one way in to a local dataset, a file, an archive, or a NetworkX graph."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.read.reader import read_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.cognee.config import LocalCogneeConfig
from cognee_dagster.sources.cognee.datasets import open_dataset
from cognee_dagster.sources.cognee.user_reference import UserRef
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.networkx.graphs import from_networkx

if TYPE_CHECKING:
    import networkx as nx

    from cognee_dagster.graph.reader import GraphReader

_DEFAULT_NAME = "graph"


@contextmanager
def open_graph(
    source: "str | UUID | os.PathLike[str] | Archive | nx.Graph[Any]",
    *,
    dataset_name: str | None = None,
    user: UserRef = None,
    config: LocalCogneeConfig | None = None,
    mapping: GraphMapping | None = None,
    profile: str | None = None,
) -> "Iterator[GraphReader]":
    """Open a graph for reading.

    Args:
        source: A ``str``: the name of a local Cognee dataset, or the URL of a graph file. A ``UUID``: a dataset's id. A
            ``Path``: a graph file of any kind that ``open_graph_file`` takes, or a folder that holds a graph. Or an
            ``Archive``, or a NetworkX graph.
        dataset_name: What the dataset is called; only for files and NetworkX graphs, which may not say it.
        user: Who reads a local dataset; default: Cognee's default user.
        config: The local Cognee; default: the one this process's environment describes.
        mapping: Which attributes hold type, name and relationship; for graphs that are not Cognee's own.
        profile: Whose conventions those are; default: what the graph shows.

    Raises:
        GraphFileError: A file or graph that cannot be read, or a source of another kind.
        ArchiveError: The file is a damaged archive.
        DatasetNotFoundError, DatasetPermissionError, LocalCogneeError: As ``open_dataset`` raises them.
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and "://" in source):
        place = source if isinstance(source, str) else Path(source)
        yield open_graph_file(place, dataset_name=dataset_name, mapping=mapping, profile=profile)
        return
    if not isinstance(source, str | UUID | Archive):
        name = dataset_name or str(_name_of(source) or _DEFAULT_NAME)
        yield from_networkx(source, dataset_name=name, mapping=mapping, profile=profile)
        return
    if mapping is not None or profile is not None:
        raise GraphFileError(f"{_named(source)} is a graph of Cognee's own. Leave mapping and profile out.")
    if isinstance(source, Archive):
        yield read_archive(source.path)
        return
    if dataset_name is not None:
        raise GraphFileError(f"{_named(source)} has its name from Cognee. Leave dataset_name out.")
    with open_dataset(source, user=user, config=config) as reader:
        yield reader


def _named(source: str | UUID | Archive) -> str:
    return f"The archive {source.path}" if isinstance(source, Archive) else f"Dataset {str(source)!r}"


def _name_of(graph: "nx.Graph[Any]") -> object:
    """What a NetworkX graph says that it is called."""
    attributes = getattr(graph, "graph", None)
    if not isinstance(attributes, dict):
        kind = type(graph).__name__
        raise GraphFileError(
            f"A graph cannot be read from a {kind}. Give a dataset's name or UUID, a Path, an Archive, or a NetworkX "
            "graph."
        )
    return attributes.get("dataset_name") or attributes.get("name")
