"""What a person may have meant who names a file or folder that is no graph: one below it, beside it, or above it."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from cognee_dagster.sources.places import is_place
from cognee_dagster.system.spelling import nearest

_LOOKED_AT = 500  # entries of folders: nobody waits for a hint
_TOLD = 3
_KIND = re.compile(r"(\.[A-Za-z]\w{0,7})+$")  # the suffixes of a name: in v1.2.json.gz, only the last two

IsSource = Callable[[Path], bool]


def meant_instead(path: Path, *, is_source: IsSource) -> str:
    """A sentence that names graphs near a path which is none; empty where there are none.

    Args:
        path: A folder without a graph, a file that is none or only a part of one, or a path of nothing at all.
        is_source: Whether a file or folder is a graph, as far as a glance can tell.
    """
    found = [_written(near) for near in islice(_near(path, is_source), _TOLD)]
    if not found:
        return ""
    return f" Did you mean {found[0]}?" if len(found) == 1 else f" Did you mean one of {', '.join(found)}?"


def _written(path: Path) -> str:
    """The path as one that is no dataset's name."""
    return str(path) if is_place(str(path)) else f"./{path}"


def _near(path: Path, is_source: IsSource) -> Iterator[Path]:
    try:
        if path.is_dir():
            yield from _below(path, is_source)
        elif path.exists():
            yield from (found for found in (path.parent,) if is_source(found))
        else:
            yield from (found for found in _called_alike(path) if is_source(found))
    except OSError:
        return  # a folder that may not be read


def _below(folder: Path, is_source: IsSource) -> Iterator[Path]:
    """The graphs in a folder, then those in the folders in it that are none themselves."""
    inside = _candidates(folder)
    graphs = [path for path in inside if is_source(path)]
    yield from graphs
    for path in inside:
        if path.is_dir() and path not in graphs:
            yield from (deeper for deeper in _candidates(path) if is_source(deeper))


def _candidates(folder: Path) -> list[Path]:
    """What is in a folder, but for what is hidden, and for JSON, since most of that is no graph."""
    paths = islice(folder.iterdir(), _LOOKED_AT)
    return sorted(path for path in paths if not path.name.startswith(".") and ".json" not in path.suffixes)


def _called_alike(path: Path) -> Iterator[Path]:
    """What stands where the path says, and is called nearly the same: with another suffix, or a letter wrong."""
    if not path.parent.is_dir():
        return
    names = sorted(child.name for child in islice(path.parent.iterdir(), _LOOKED_AT) if child.name[:1] != ".")
    stem = _KIND.sub("", path.name)
    alike = dict.fromkeys(nearest(stem, [_KIND.sub("", name) for name in names]))
    for found in alike:
        yield from (path.parent / name for name in names if _KIND.sub("", name) == found)
