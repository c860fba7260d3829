"""Folders that hold a graph in several files."""

from collections.abc import Callable
from pathlib import Path

from cognee_dagster.cogx.format import ENTITIES_FILE, FACTS_FILE, MANIFEST_FILE, NODES_FILE
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
LOOKED_FOR = (
    "Name a folder with nodes.csv and edges.csv (or both as .parquet), with GraphRAG's entities.parquet and "
    "relationships.parquet, with LightRAG's or nano-graphrag's graph_chunk_entity_relation.graphml, or with the "
    "manifest.json of a COGX archive; or a graph file."
)
# A file by which a folder is known, and what else it would have to hold.
_PARTS = {
    TEXTS_FILE: f"LightRAG's or nano-graphrag's {GRAPH_FILE} with the graph itself. Copy it there.",
    **dict.fromkeys(
        (ENTITIES_FILE, NODES_FILE, FACTS_FILE),
        f"a {MANIFEST_FILE} that says that it is a COGX archive. Export it again, or copy the whole directory.",
    ),
}


def is_read_from_folders(name: str) -> bool:
    """Whether a folder's reader may look at a file of this name."""
    lower = name.lower()
    return lower in {GRAPH_FILE, TEXTS_FILE, REPORTS_FILE, MANIFEST_FILE} or lower.endswith((*TABLE_SUFFIXES, ".jsonl"))


def open_folder(folder: Path) -> ElementSource | None:
    """A folder as a source of nodes and edges; None if it holds no graph of a known kind.

    Raises:
        GraphFileError: It holds a part of one; the message says what is missing.
    """
    return next((source for find in _KINDS if (source := find(folder)) is not None), None)


def holds_graph(folder: Path) -> bool:
    """Whether a folder holds a graph, by the names of its files."""
    try:
        return open_folder(folder) is not None
    except GraphFileError:
        return False


def missing_part(folder: Path) -> str:
    """What is missing of a graph of which a folder holds a part; empty if it holds nothing of any."""
    part = next((part for part in _PARTS if (folder / part).is_file()), None)
    return "" if part is None else f"holds {part}, but not {_PARTS[part]}"
