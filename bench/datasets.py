"""A local Cognee with made-up datasets in it, that Cognee itself and this package both take for its own."""

import sqlite3
import uuid
from collections.abc import Iterable
from pathlib import Path

from bench.graph_file import GraphFile
from bench.synthetic import SyntheticGraph
from cognee_dagster.sandbox import local_environment
from examples.local_cognee import load_demo_graph

TEMPLATE = "demo"


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
            _add_dataset(directory, num_nodes)
    return environ


def graph_file(directory: Path, num_nodes: int) -> Path:
    """Where the graph of that size is."""
    databases = _catalog(directory).parent
    (owner,) = (path for path in databases.iterdir() if path.is_dir())
    return owner / f"{_dataset_id(num_nodes)}.lbug"


def _catalog(directory: Path) -> Path:
    return directory / "system" / "databases" / "cognee_db"


def _dataset_id(num_nodes: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"bench:{num_nodes}")


def make_graph_file(path: Path, graph: SyntheticGraph) -> None:
    """A file with that graph; there is none at ``path`` until it is complete."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with GraphFile(unfinished) as file:
        file.add_nodes(graph.nodes())
        file.add_edges(graph.edges())
    unfinished.rename(path)


def _add_dataset(directory: Path, num_nodes: int) -> None:
    connection = sqlite3.connect(_catalog(directory))
    with connection:
        _copy_rows(connection, num_nodes)
    connection.close()
    make_graph_file(graph_file(directory, num_nodes), SyntheticGraph(num_nodes))


def _copy_rows(connection: sqlite3.Connection, num_nodes: int) -> None:
    """The dataset's rows: those of the bundled one, with another id and name."""
    new = _dataset_id(num_nodes)
    (old,) = connection.execute("SELECT id FROM datasets WHERE name = ?", (TEMPLATE,)).fetchone()
    replaced = {"id": new.hex, "dataset_id": new.hex, "name": dataset_name(num_nodes)}
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
