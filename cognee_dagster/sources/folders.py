"""Folders that hold a graph in several files."""

from collections.abc import Callable
from pathlib import Path

from cognee_dagster.cogx.format import MANIFEST_FILE
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import ElementSource
from cognee_dagster.sources.formats.graphrag_folder import GraphRagFolder
from cognee_dagster.sources.formats.lightrag_folder import GRAPH_FILE, TEXTS_FILE, LightRagFolder
from cognee_dagster.sources.formats.nano_communities import REPORTS_FILE
from cognee_dagster.sources.formats.node_edge_tables import NodeEdgeTables
from cognee_dagster.sources.formats.tables import TABLE_SUFFIXES

_KINDS: tuple[Callable[[Path], ElementSource | None], ...] = (
    LightRagFolder.find,
    GraphRagFolder.find,
    NodeEdgeTables.find,
)


def is_read_from_folders(name: str) -> bool:
    """Whether a folder's reader may look at a file of this name."""
    lower = name.lower()
    return lower in {GRAPH_FILE, TEXTS_FILE, REPORTS_FILE, MANIFEST_FILE} or lower.endswith((*TABLE_SUFFIXES, ".jsonl"))


def open_folder(folder: Path) -> ElementSource:
    """A folder as a source of nodes and edges.

    Raises:
        GraphFileError: It holds no graph of a known kind; the message says what was looked for.
    """
    for find in _KINDS:
        if (source := find(folder)) is not None:
            return source
    raise GraphFileError(
        "holds no graph of a known kind: neither nodes and edges as .csv or .parquet, nor GraphRAG's entities.parquet "
        "and relationships.parquet, nor LightRAG's or nano-graphrag's graph_chunk_entity_relation.graphml, "
        "nor the manifest.json of a COGX archive."
    )
