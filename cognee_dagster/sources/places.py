"""Strings that name a file, a folder or a URL, told from those that name a local dataset."""

from pathlib import PurePath

from cognee_dagster.cogx.format import ARCHIVE_SUFFIXES
from cognee_dagster.sources.formats.opening import COMPRESSED_SUFFIXES
from cognee_dagster.sources.remote_files import is_url, local_path
from cognee_dagster.system.spelling import nearest

GRAPH_SUFFIXES = (".graphml", ".gexf", ".json", ".jsonl", ".ndjson")
PICKLE_SUFFIXES = (".gpickle", ".pickle", ".pkl")
"""Of a NetworkX graph that is never read: it is a place all the same, so that the first answer says what to write."""

# Of what is a part of a graph, or of no graph that is read: nobody calls a dataset so.
_OTHER_SUFFIXES = (".csv", ".tsv", ".parquet", ".gml", ".cypher", ".xml", ".yaml", ".yml", ".txt", ".zip", ".zst")
_SHORT = 3  # of a suffix with its dot: what is not longer is like too many
_BEGINNINGS = ("/", "./", "../", "~", "file://")


def is_place(text: str) -> bool:
    """Whether a person who writes ``text`` means a place, and not a dataset's name.

    A URL, what begins like a path, what ends like a graph file or an archive, and what has a slash and is there. A
    folder beside one is ``./folder``: without the dot it is the dataset of that name.
    """
    if is_url(text) or text.startswith(_BEGINNINGS) or text in {".", ".."}:
        return True
    name = text.lower()
    for suffix in COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix) if not name.endswith(ARCHIVE_SUFFIXES) else name
    return name.endswith((*GRAPH_SUFFIXES, *ARCHIVE_SUFFIXES, *PICKLE_SUFFIXES)) or (
        "/" in text and local_path(text).exists()
    )


def resembles_place(text: str) -> bool:
    """Whether a text that is no place may be a mistyped one: it has a slash, or ends nearly like a file.

    A dataset may be called so, too: it is a mistyped place where there is no such dataset.
    """
    suffix = PurePath(text).suffix.lower()
    known = {f".{part}" for ending in (*GRAPH_SUFFIXES, *ARCHIVE_SUFFIXES) for part in ending.split(".") if part}
    return "/" in text or suffix in _OTHER_SUFFIXES or (len(suffix) > _SHORT and bool(nearest(suffix, known)))
