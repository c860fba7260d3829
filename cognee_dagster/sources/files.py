"""A graph file of any kind, or a folder that holds one, as a graph."""

import contextlib
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cognee_dagster.cogx.format import ARCHIVE_SUFFIX, ARCHIVE_SUFFIXES
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.write.packing import archive_root, pack_directory
from cognee_dagster.errors import GraphFileError, GraphFileNotFoundError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.elements import ElementSource
from cognee_dagster.sources.folders import LOOKED_FOR, holds_graph, is_read_from_folders, missing_part, open_folder
from cognee_dagster.sources.formats.apoc_lines import ApocLines
from cognee_dagster.sources.formats.gexf import GexfFile
from cognee_dagster.sources.formats.graphml import GraphMLFile
from cognee_dagster.sources.formats.node_link import NO_NODE_LINK, NodeLinkFile
from cognee_dagster.sources.formats.opening import COMPRESSED_SUFFIXES
from cognee_dagster.sources.mapping.reader import MappedReader, reading
from cognee_dagster.sources.mapping.room import Room
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.nearby import meant_instead
from cognee_dagster.sources.places import PICKLE_SUFFIXES
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
    meaning = _Meaning(dataset_name=dataset_name, mapping=mapping, profile=profile)
    if isinstance(path, str):
        if is_url(path):
            return _open_url(path, meaning)
        path = local_path(path)
    return _open(path, meaning, shown=str(path))


class _Meaning(NamedTuple):
    """What a user says about a graph."""

    dataset_name: str | None
    mapping: GraphMapping | None
    profile: str | None


def _open(path: Path, meaning: _Meaning, *, shown: str) -> GraphReader:
    """What is at a path; ``shown`` is what messages call it."""
    if not path.exists():
        where = "" if path.is_absolute() else f" (looked in {Path.cwd()})"
        instead = meant_instead(path, is_source=_is_source)
        raise GraphFileNotFoundError(f"There is no file or folder {shown}{where}.{instead or ' Correct the path.'}")
    if not (path.is_file() or path.is_dir()):  # to open a named pipe would wait for whoever writes to it
        raise GraphFileError(f"The graph file {shown} is not a regular file. Write or copy the graph to a file first.")
    dataset_name = meaning.dataset_name or path.name.split(".", 1)[0] or path.name
    is_directory = path.is_dir() and archive_root(path) is not None
    if is_directory or _is_archive_file(path):
        if meaning.mapping is not None or meaning.profile is not None:
            raise GraphFileError(f"The archive {shown} holds a graph of Cognee already. Leave mapping and profile out.")
        if is_directory:
            return _open_packed(path, dataset_name, shown=shown)
        return ArchiveReader(path, dataset_name=dataset_name, shown=shown)
    return _open_foreign(path, meaning._replace(dataset_name=dataset_name), shown=shown)


def _is_archive_file(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()


def _is_source(path: Path) -> bool:
    """Whether a file or folder is a graph, by names alone."""
    if path.is_dir():
        return archive_root(path) is not None or holds_graph(path)
    return _is_archive_file(path) or _suffix(path) in _FORMATS


def graphs_near(place: str) -> str:
    """A sentence that names graphs near a path that is none; empty where there are none."""
    return meant_instead(local_path(place), is_source=_is_source)


def _open_packed(directory: Path, dataset_name: str, *, shown: str) -> ArchiveReader:
    with _kept_folder() as folder:
        packed = Path(folder.name) / f"{directory.absolute().name}{ARCHIVE_SUFFIX}"
        pack_directory(directory, packed)
        reader = ArchiveReader(packed, dataset_name=dataset_name, shown=shown)
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


def _open_foreign(path: Path, meaning: _Meaning, *, shown: str) -> MappedReader:
    label = f"The graph {'folder' if path.is_dir() else 'file'} {shown}"
    with reading(label), _led_to_its_folder(path):
        source = _folder(path) if path.is_dir() else _FORMATS[_kind(path)](path)
        return MappedReader(
            source,
            dataset_name=str(meaning.dataset_name),
            mapping=meaning.mapping,
            profile=meaning.profile,
            label=label,
            room=lambda: Room.beside(getattr(source, "held_bytes", 0)),
        )


@contextlib.contextmanager
def _led_to_its_folder(path: Path) -> Iterator[None]:
    """Of a working directory, people name one of the JSON files in it."""
    try:
        yield
    except GraphFileError as error:
        if NO_NODE_LINK not in str(error):
            raise
        raise GraphFileError(f"{error}{meant_instead(path, is_source=_is_source)}") from error


def _folder(path: Path) -> ElementSource:
    if (source := open_folder(path)) is None:
        instead = meant_instead(path, is_source=_is_source)
        raise GraphFileNotFoundError(missing_part(path) or f"holds no graph of a known kind. {LOOKED_FOR}{instead}")
    return source


def _open_url(url: str, meaning: _Meaning) -> GraphReader:
    with _kept_folder() as folder:
        path = fetched(url, to=Path(folder.name) / name_of(url), wanted=is_read_from_folders)
        reader = _open(path, meaning, shown=public(url))
        weakref.finalize(reader, folder.cleanup)
    return reader


def _suffix(path: Path) -> str:
    """The suffix that says what a file is, without that of a compression behind it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _kind(path: Path) -> str:
    if path.suffix.lower() == ".zst":
        raise GraphFileError(
            "is compressed as .zst, which Cognee servers unpack on Python 3.14 only, and this package nowhere. "
            "Compress it as .gz, .bz2 or .xz instead."
        )
    if (kind := _suffix(path)) == ".cypher":
        raise GraphFileError(
            "is a script for a database, not a graph. Export the graph with Cognee as cogx, json or graphml, or from "
            "the database with APOC."
        )
    if kind in PICKLE_SUFFIXES:
        raise GraphFileError(
            "is a pickle, which runs whatever is in it when it is read. Write the graph with nx.write_graphml(graph, "
            "'graph.graphml') and name that, or return it from an asset of yours, whose key is then the graph."
        )
    if kind not in _FORMATS:
        kinds = ", ".join(sorted(_FORMATS))
        raise GraphFileError(
            f"is of no kind that can be read. Its name must end in {kinds} (also with .gz, "
            ".bz2 or .xz), or in .cogx.tar.gz for a COGX archive; or it is a folder with nodes.csv and edges.csv."
            f"{meant_instead(path, is_source=_is_source)}"
        )
    return kind
