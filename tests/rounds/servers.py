"""The kinds of servers that docs/mirrors.md names, each as a real Cognee on loopback."""

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, uuid5

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.sandbox import CogneeServer
from tests.cogx_graphs import MemoryReader
from tests.postgres import PostgresServer, postgres_binaries
from tests.pushes import client_of, push_archive

NO_ACCESS_CONTROL = {"ENABLE_BACKEND_ACCESS_CONTROL": "false"}
# Of an older release: a graph is without the mark of the newer way only if it had nodes when that came.
OLD_NODE = str(uuid5(NAMESPACE_OID, "a node of an older release"))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of servers.

    Attributes:
        settings: More environment variables of the server.
        needs: A package without which it does not start.
        is_unmarked: Whether the graph is one that an older release has begun.
        in_ledger: Whether it remembers in its relational database which import brought what.
    """

    settings: Mapping[str, str]
    needs: str = ""
    is_unmarked: bool = False
    in_ledger: bool = False

    @property
    def has_one_graph(self) -> bool:
        """Whether all datasets of the server are in one graph."""
        return self.settings == NO_ACCESS_CONTROL


KINDS = {
    "default": Kind(settings={}),
    "no-access-control": Kind(settings=NO_ACCESS_CONTROL),
    "postgresql": Kind(settings={}, needs="asyncpg"),
    "turso": Kind(settings={"GRAPH_DATABASE_PROVIDER": "turso"}, needs="turso", in_ledger=True),
    "unmarked": Kind(settings={}, is_unmarked=True, in_ledger=True),
    "unmarked-no-access-control": Kind(settings=NO_ACCESS_CONTROL, is_unmarked=True, in_ledger=True),
}


@contextmanager
def server_of(kind: Kind, directory: Path, *, target: str) -> Iterator[CogneeServer]:
    """A running server of a kind, where it is unmarked with ``OLD_NODE`` in the target dataset.

    Raises:
        RuntimeError: What it needs is not installed.
    """
    if kind.needs and importlib.util.find_spec(kind.needs) is None:
        extra = {"asyncpg": "postgres-binary", "turso": "turso"}[kind.needs]
        raise RuntimeError(f"This server needs the package {kind.needs}: pip install 'cognee[{extra}]'")
    with ExitStack() as stack:
        settings = dict(kind.settings)
        if "PYTHONPATH" in os.environ:  # what this process finds there, the server has to find, too
            settings["PYTHONPATH"] = os.environ["PYTHONPATH"]
        if kind.needs == "asyncpg":
            settings |= _postgres(stack)
        server = stack.enter_context(CogneeServer(directory, settings=settings))
        if kind.is_unmarked:
            _begin_as_an_older_release(server, directory, target=target)
        yield server


def _postgres(stack: ExitStack) -> dict[str, str]:
    """Settings for a database of a PostgreSQL server that lives as long as the stack."""
    binaries = postgres_binaries()
    if binaries is None:
        raise RuntimeError("This server needs PostgreSQL's own server: apt install postgresql")
    url = urlsplit(stack.enter_context(PostgresServer(binaries)).new_database())
    return {
        "DB_PROVIDER": "postgres",
        "DB_HOST": str(url.hostname),
        "DB_PORT": str(url.port),
        "DB_NAME": url.path.lstrip("/"),
        "DB_USERNAME": str(url.username),
        "DB_PASSWORD": "none-is-asked-for",
    }


def _begin_as_an_older_release(server: CogneeServer, directory: Path, *, target: str) -> None:
    """Import a node, take away the mark that newer releases have set in the graph before, and import it so again."""
    import ladybug

    reader = MemoryReader([(OLD_NODE, "Old", "Planet", "{}")], origin=GraphOrigin(dataset_name="old"))
    archive = write_archive(reader, directory / "old.cogx.tar.gz")
    with client_of(server.url, server.api_key) as client:
        push_archive(archive, client=client, target_dataset=target)
    server.stop()
    databases = directory / "system" / "databases"
    (path,) = [*databases.glob("*/*.lbug")] or [databases / "cognee_graph_ladybug"]  # the dataset's own, or all's
    with ladybug.Database(str(path)) as database, ladybug.Connection(database) as connection:
        connection.execute("MATCH (m:GraphMetadata) DELETE m")
    server.start()
    with client_of(server.url, server.api_key) as client:
        push_archive(archive, client=client, target_dataset=target)
