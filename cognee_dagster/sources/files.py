"""A graph file of any kind, as a graph."""

from collections.abc import Callable
from pathlib import Path

from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.elements import ElementSource
from cognee_dagster.sources.formats.gexf import GexfFile
from cognee_dagster.sources.formats.graphml import GraphMLFile
from cognee_dagster.sources.formats.node_link import NodeLinkFile
from cognee_dagster.sources.mapping.reader import MappedReader
from cognee_dagster.sources.mapping.value import GraphMapping

_ARCHIVE_SUFFIXES = (".cogx", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_FORMATS: dict[str, Callable[[Path], ElementSource]] = {
    ".graphml": GraphMLFile,
    ".gexf": GexfFile,
    ".json": NodeLinkFile,
}


def open_graph_file(
    path: Path, *, dataset_name: str | None = None, mapping: GraphMapping | None = None, profile: str | None = None
) -> GraphReader:
    """A graph file as a dataset.

    Args:
        path: ``.graphml``, ``.gexf`` or ``.json`` (node-link), also with ``.gz`` behind; an archive ``.cogx.tar.gz``
            or other tar.
        dataset_name: What the dataset is called; default: the file's name without its suffixes.
        mapping: Which attributes hold type, name and relationship; default: found by convention. Not for archives.
        profile: Whose conventions those are (``profiles.choose.PROFILES``); default: what the file shows.

    Raises:
        GraphFileError: The file is missing, of no known kind, not what its suffix says, or does not fit the mapping.
        ArchiveError: It is a damaged COGX archive.
    """
    if not path.is_file():
        raise GraphFileError(f"The graph file {path} does not exist, or is no file.")
    dataset_name = dataset_name or path.name.split(".", 1)[0] or path.name
    if path.name.lower().endswith(_ARCHIVE_SUFFIXES):
        if mapping is not None or profile is not None:
            raise GraphFileError(f"The archive {path} holds a graph of Cognee already: leave mapping and profile out.")
        return ArchiveReader(path, dataset_name=dataset_name)
    source, kind = _source(path)
    try:
        return MappedReader(
            source, dataset_name=dataset_name, mapping=mapping, profile=profile, label=f"The graph file {path}"
        )
    except GraphFileError:
        raise
    except Exception as error:  # whatever a parser stumbles over, it is the file's
        raise GraphFileError(
            f"The graph file {path} cannot be read as {kind}: {type(error).__name__}: {error}."
        ) from error


def _source(path: Path) -> tuple[ElementSource, str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in _FORMATS:
        kinds = ", ".join(sorted(_FORMATS))
        raise GraphFileError(
            f"The graph file {path} is of no kind that can be read: its name must end in {kinds} (also with .gz), or "
            "in .cogx.tar.gz for a COGX archive."
        )
    return _FORMATS[kind](path), kind
