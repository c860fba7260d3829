"""A graph file of any kind, or a folder that holds one, as a graph."""

import contextlib
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

from cognee_dagster.cogx.format import ARCHIVE_SUFFIX, ARCHIVE_SUFFIXES
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.write.packing import archive_root, pack_directory
from cognee_dagster.errors import CogneeDagsterError, GraphFileError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.elements import ElementSource
from cognee_dagster.sources.folders import is_read_from_folders, open_folder
from cognee_dagster.sources.formats.apoc_lines import ApocLines
from cognee_dagster.sources.formats.gexf import GexfFile
from cognee_dagster.sources.formats.graphml import GraphMLFile
from cognee_dagster.sources.formats.node_link import NodeLinkFile
from cognee_dagster.sources.formats.opening import COMPRESSED_SUFFIXES
from cognee_dagster.sources.mapping.reader import MappedReader
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.remote_files import fetched, is_url, local_path, name_of, public


def _json(path: Path) -> ElementSource:
    return ApocLines(path) if ApocLines.fits(path) else NodeLinkFile(path)


_FORMATS: dict[str, Callable[[Path], ElementSource]] = {
    ".graphml": GraphMLFile,
    ".gexf": GexfFile,
    ".json": _json,
    ".jsonl": ApocLines,
    ".ndjson": ApocLines,
}


def open_graph_file(
    path: Path | str,
    *,
    dataset_name: str | None = None,
    mapping: GraphMapping | None = None,
    profile: str | None = None,
) -> GraphReader:
    """A graph file, or a folder that holds a graph, as a dataset.

    Args:
        path: ``.graphml``, ``.gexf``, ``.json`` (node-link) or ``.jsonl`` (APOC), also compressed with
            ``.gz``, ``.bz2`` or ``.xz`` behind; an archive ``.cogx.tar.gz`` or other tar, or the directory of one; a
            folder with two tables ``nodes`` and ``edges``, GraphRAG's output, or LightRAG's or nano-graphrag's working
            directory. All of them may also be a URL that fsspec reads: ``s3://…``.
        dataset_name: What the dataset is called; default: the file's name without its suffixes.
        mapping: Which attributes hold type, name and relationship; default: found by convention. Not for archives.
        profile: Whose conventions those are (``profiles.choose.PROFILES``); default: what the file shows.

    Raises:
        GraphFileError: The file is missing, of no known kind, not what its suffix says, or does not fit the mapping.
        ArchiveError: It is a damaged COGX archive.
    """
    if isinstance(path, str):
        if is_url(path):
            return _open_url(path, dataset_name=dataset_name, mapping=mapping, profile=profile)
        path = local_path(path)
    if not path.exists():
        where = "" if path.is_absolute() else f" (looked in {Path.cwd()})"
        raise GraphFileError(f"The graph file {path} does not exist, or is no file{where}.")
    if not (path.is_file() or path.is_dir()):  # to open a named pipe would wait for whoever writes to it
        raise GraphFileError(f"The graph file {path} is not a regular file. Write or copy the graph to a file first.")
    dataset_name = dataset_name or path.name.split(".", 1)[0] or path.name
    is_directory = path.is_dir() and archive_root(path) is not None
    if is_directory or (path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()):
        if mapping is not None or profile is not None:
            raise GraphFileError(f"The archive {path} holds a graph of Cognee already: leave mapping and profile out.")
        return _open_packed(path, dataset_name) if is_directory else ArchiveReader(path, dataset_name=dataset_name)
    return _open_foreign(path, dataset_name=dataset_name, mapping=mapping, profile=profile)


def _open_packed(directory: Path, dataset_name: str) -> ArchiveReader:
    with _kept_folder() as folder:
        packed = Path(folder.name) / f"{directory.absolute().name}{ARCHIVE_SUFFIX}"
        pack_directory(directory, packed)
        reader = ArchiveReader(packed, dataset_name=dataset_name)
        weakref.finalize(reader, folder.cleanup)
    return reader


@contextlib.contextmanager
def _kept_folder() -> "Iterator[tempfile.TemporaryDirectory[str]]":
    """A folder for a reader's files, which is gone at once if there will be no reader."""
    folder = tempfile.TemporaryDirectory(prefix="cognee-graph-")
    try:
        yield folder
    except BaseException:
        folder.cleanup()
        raise


def _open_foreign(path: Path, *, dataset_name: str, mapping: GraphMapping | None, profile: str | None) -> MappedReader:
    label = f"The graph {'folder' if path.is_dir() else 'file'} {path}"
    kind = _kind(path)
    try:
        source = open_folder(path) if path.is_dir() else _FORMATS[kind](path)
        return MappedReader(source, dataset_name=dataset_name, mapping=mapping, profile=profile, label=label)
    except GraphFileError as error:
        raise error if str(error).startswith(label) else GraphFileError(f"{label} {error}") from error
    except Exception as error:  # whatever a parser stumbles over, it is the file's
        raise GraphFileError(f"{label} cannot be read as {kind}: {type(error).__name__}: {error}.") from error


def _open_url(url: str, *, dataset_name: str | None, mapping: GraphMapping | None, profile: str | None) -> GraphReader:
    with _kept_folder() as folder:
        path = fetched(url, to=Path(folder.name) / name_of(url), wanted=is_read_from_folders)
        try:
            reader = open_graph_file(path, dataset_name=dataset_name, mapping=mapping, profile=profile)
        except CogneeDagsterError as error:
            raise type(error)(str(error).replace(str(path), public(url))) from error
        weakref.finalize(reader, folder.cleanup)
    return reader


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".zst"]:
        raise GraphFileError(
            f"The graph file {path} is compressed as .zst, which Cognee servers unpack on Python 3.14 only, and this "
            "package nowhere. Compress it as .gz, .bz2 or .xz instead."
        )
    if suffixes and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in _FORMATS:
        kinds = ", ".join(sorted(_FORMATS))
        raise GraphFileError(
            f"The graph file {path} is of no kind that can be read: its name must end in {kinds} (also with .gz, "
            ".bz2 or .xz), or in .cogx.tar.gz for a COGX archive; or it is a folder with nodes.csv and edges.csv."
        )
    return kind
