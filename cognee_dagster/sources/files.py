"""A graph file of any kind, as a graph."""

from pathlib import Path

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.networkx.graphs import from_networkx

_ARCHIVE_SUFFIXES = (".cogx", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def open_graph_file(path: Path, *, dataset_name: str | None = None) -> GraphReader:
    """A graph file as a dataset: GraphML, GEXF, node-link JSON (mapped as ``from_networkx`` does) or a COGX archive.

    Args:
        path: ``.graphml``, ``.gexf`` or ``.json``, also with ``.gz`` behind; an archive ``.cogx.tar.gz`` or other tar.
        dataset_name: What the dataset is called; default: the file's name without its suffixes.

    Raises:
        GraphFileError: The file is missing, of no known kind, or not what its suffix says.
        ArchiveError: It is a damaged COGX archive.
    """
    if not path.is_file():
        raise GraphFileError(f"The graph file {path} does not exist, or is no file.")
    dataset_name = dataset_name or path.name.split(".", 1)[0] or path.name
    if path.name.lower().endswith(_ARCHIVE_SUFFIXES):
        from cognee_dagster.cogx.read.reader import ArchiveReader

        return ArchiveReader(path, dataset_name=dataset_name)
    from cognee_dagster.sources.networkx.formats import read_graph_file

    return from_networkx(read_graph_file(path), dataset_name=dataset_name)
