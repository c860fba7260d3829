"""Strings that name a file, a folder or a URL, told from those that name a local dataset."""

from cognee_dagster.cogx.format import ARCHIVE_SUFFIXES
from cognee_dagster.sources.formats.opening import COMPRESSED_SUFFIXES
from cognee_dagster.sources.remote_files import is_url, local_path

GRAPH_SUFFIXES = (".graphml", ".gexf", ".json", ".jsonl", ".ndjson")

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
    return name.endswith((*GRAPH_SUFFIXES, *ARCHIVE_SUFFIXES)) or ("/" in text and local_path(text).exists())
