"""A local Cognee with made-up datasets in it, that Cognee itself and this package both take for its own."""

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from bench.graph_file import EdgeRow, GraphFile, NodeRow
from bench.synthetic import SyntheticGraph
from cognee_dagster.sandbox import local_environment
from examples.local_cognee import load_demo_graph

TEMPLATE = "demo"


class Graph(Protocol):
    """What a graph file is made from."""

    def nodes(self) -> Iterator[NodeRow]:
        """Id, name, type, JSON text of the properties."""
        ...

    def edges(self) -> Iterator[EdgeRow]:
        """Id of the start node, of the end node, name, JSON text of the properties."""
        ...


def dataset_name(num_nodes: int) -> str:
    """The name of the dataset of so many nodes."""
    return f"graph_{num_nodes}"


def prepare(directory: Path, sizes: Iterable[int]) -> dict[str, str]:
    """A store with a dataset of each size; what is there from an earlier run is kept. Returns Cognee's environment.

    Cognee makes the store, and its bundled graph gives the rows that every further dataset is a copy of.
    """
    environ = local_environment(directory)
    if not _catalog(directory).is_file():
        load_demo_graph(environ, dataset=TEMPLATE)
    for num_nodes in sizes:
        if not graph_file(directory, num_nodes).is_file():
            print(f"Making {dataset_name(num_nodes)} …", flush=True)
            add_dataset(directory, SyntheticGraph(num_nodes), name=dataset_name(num_nodes), key=str(num_nodes))
    return environ


def graph_file(directory: Path, num_nodes: int) -> Path:
    """Where the graph of that size is."""
    return _graph_file(directory, _dataset_id(str(num_nodes)))


def add_dataset(directory: Path, graph: Graph, *, name: str, key: str) -> None:
    """A dataset with that graph, in place of one of the same key.

    Args:
        directory: What ``prepare`` has made.
        graph: Its nodes and edges.
        name: The dataset's name.
        key: What its id is made from.
    """
    new = _dataset_id(key)
    connection = sqlite3.connect(_catalog(directory))
    with connection:
        _copy_rows(connection, new, name=name)
    connection.close()
    make_graph_file(_graph_file(directory, new), graph)


def _graph_file(directory: Path, dataset_id: uuid.UUID) -> Path:
    databases = _catalog(directory).parent
    (owner,) = (path for path in databases.iterdir() if path.is_dir())
    return owner / f"{dataset_id}.lbug"


def _catalog(directory: Path) -> Path:
    return directory / "system" / "databases" / "cognee_db"


def _dataset_id(key: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"bench:{key}")


def make_graph_file(path: Path, graph: Graph) -> None:
    """A file with that graph; there is none at ``path`` until it is complete."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with GraphFile(unfinished) as file:
        file.add_nodes(graph.nodes())
        file.add_edges(graph.edges())
    unfinished.rename(path)


def _copy_rows(connection: sqlite3.Connection, new: uuid.UUID, *, name: str) -> None:
    """The dataset's rows: those of the bundled one, with another id and name."""
    (old,) = connection.execute("SELECT id FROM datasets WHERE name = ?", (TEMPLATE,)).fetchone()
    replaced = {"id": new.hex, "dataset_id": new.hex, "name": name}
    replaced |= {"graph_database_name": f"{new}.lbug", "vector_database_name": f"{new}.lance.db"}
    for table, column in (("datasets", "id"), ("dataset_database", "dataset_id"), ("acls", "dataset_id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (new.hex,))
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (old,))
        names = [description[0] for description in cursor.description]
        for row in cursor.fetchall():
            values = {**dict(zip(names, row, strict=True)), **{key: replaced[key] for key in names if key in replaced}}
            if table == "acls":
                values["id"] = uuid.uuid4().hex
            marks = ", ".join("?" for _ in names)
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", [values[name] for name in names])
