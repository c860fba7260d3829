"""Graph files, folders and archives that are somewhere else, fetched through fsspec."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from cognee_dagster.errors import GraphFileError

_CHECK = "Check the URL, and whether this process may read it."
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(path: str) -> bool:
    """Whether a string names a file somewhere else: ``s3://…``, ``https://…``, but not ``file://…``."""
    return _SCHEME.match(path) is not None and urlsplit(path).scheme.lower() != "file"


def local_path(path: str) -> Path:
    """The path that a string names, also as ``file:///…``."""
    if _SCHEME.match(path) is not None:
        return Path(unquote(urlsplit(path).path))
    return Path(path).expanduser()


def name_of(place: str) -> str:
    """The last part of a path or URL."""
    return (
        re.split(r"[?#]", place, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
        if is_url(place)
        else local_path(place).name
    )


def fetched(url: str, *, to: Path, wanted: Callable[[str], bool] | None = None) -> Path:
    """Fetch a file, or the files of a folder.

    Args:
        url: Where it is.
        to: Where to put it.
        wanted: Which files of a folder are fetched, by their names; None: a folder is no place to fetch from.

    Raises:
        GraphFileError: It is not there, may not be read, or its file system is not installed.
    """
    import fsspec  # takes a tenth of a second, and few need it

    try:
        if wanted is not None and "." not in name_of(url):
            system, path = fsspec.core.url_to_fs(url)
            if system.isdir(path):
                _fetch_folder(system, path, to=to, wanted=wanted)
                return to
        with fsspec.open(url, "rb") as remote, to.open("wb") as local:
            shutil.copyfileobj(remote, local, 1 << 20)
    except ImportError as error:
        raise GraphFileError(f"The file {public(url)} cannot be fetched: {error}. Install what it names.") from error
    except Exception as error:  # every file system has its own errors
        said = str(error).replace(url, public(url))
        raise GraphFileError(
            f"The file {public(url)} cannot be fetched: {type(error).__name__}: {said}. {_CHECK}"
        ) from None
    return to


def public(url: str) -> str:
    """A URL without what may be secret: a password before the host, and a signature behind the path."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "…" if parts.query else "", ""))


def _fetch_folder(system: Any, path: str, *, to: Path, wanted: Callable[[str], bool]) -> None:
    """What a folder holds, and what the folders in it hold."""
    to.mkdir()
    base = path.rstrip("/")
    for place in system.find(path, maxdepth=2):
        inside = PurePosixPath(place[len(base) :].lstrip("/"))
        if wanted(inside.name) and ".." not in inside.parts:
            (to / inside).parent.mkdir(exist_ok=True)
            system.get_file(place, str(to / inside))
