"""Which documents of a dataset have left the folders that they came from, as far as that can be told from files.

A folder that is not mounted looks like one whose files were all deleted. So a document is gone only where its folder
was looked through whole: one that does not exist, cannot be read or is empty says nothing about what was in it.
"""

import fnmatch
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, kw_only=True)
class HeldDocument:
    """A document that a dataset holds.

    Attributes:
        data_id: What Cognee knows it by.
        location: The file that it came from, as a URI; anything, where it came from no file.
        content_hash: MD5 of the file's content then.
    """

    data_id: str
    location: str
    content_hash: str

    @property
    def path(self) -> Path | None:
        """The file that it came from; None where it came from none."""
        parts = urlsplit(self.location)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None


@dataclass(frozen=True, kw_only=True)
class GoneDocuments:
    """What has become of the files of documents.

    Attributes:
        gone: Documents whose file is no longer there, nor another one of the same content.
        num_held: How many documents came from the folders.
        left_alone: Of which folders nothing can be said, and why, in sentences.
    """

    gone: tuple[HeldDocument, ...]
    num_held: int
    left_alone: tuple[str, ...]


def gone_documents(
    held: Iterable[HeldDocument], patterns: Iterable[str], *, present: Sequence[Path] = ()
) -> GoneDocuments:
    """Which documents have left their folders.

    Args:
        held: What the dataset holds. What no pattern matches did not come from them, and is passed over.
        patterns: Glob patterns of the documents' files.
        present: The files that there are now; one of them may hold a document that was moved.
    """
    folders = [_Pattern.of(pattern) for pattern in patterns]
    held = list(held)
    moved = _hashes_of_new({document.path for document in held}, present)
    gone, reasons, num_held = [], dict[str, int](), 0
    for document in held:
        folder = next((folder for folder in folders if document.path and folder.matches(document.path)), None)
        if folder is None or document.path is None:
            continue
        num_held += 1
        if not _is_gone(document.path) or document.content_hash in moved:
            continue
        if (reason := folder.says_nothing_of(document.path)) is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
        else:
            gone.append(document)
    return GoneDocuments(
        gone=tuple(gone),
        num_held=num_held,
        left_alone=tuple(f"{reason}: its documents stay ({number})" for reason, number in reasons.items()),
    )


def _is_gone(path: Path) -> bool:
    """Whether there is surely no such file; not where it cannot be looked at."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _hashes_of_new(known: Iterable[Path | None], present: Sequence[Path]) -> frozenset[str]:
    """MD5 of the files that the dataset does not hold under their own names."""
    names = set(known)
    new = (path for path in present if Path(os.path.realpath(path)) not in names)
    return frozenset(hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in new)


@dataclass(frozen=True)
class _Pattern:
    """A glob pattern: the folder that it looks through, and which paths in it it takes."""

    root: Path
    rest: tuple[str, ...]

    @classmethod
    def of(cls, pattern: str) -> "_Pattern":
        parts = Path(pattern).expanduser().absolute().parts
        first = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
        return cls(Path(os.path.realpath(Path(*parts[:first]))), parts[first:])

    def matches(self, path: Path) -> bool:
        return path.is_relative_to(self.root) and _matches(path.relative_to(self.root).parts, self.rest)

    def says_nothing_of(self, path: Path) -> str | None:
        """Why that a file is not there does not mean that it was deleted; None if it does."""
        if self._not_whole is not None:
            return self._not_whole
        nearest = next(folder for folder in path.parents if folder.is_dir())
        if next(_entries(nearest), None) is None:
            return f"{nearest} is empty, as a folder that is not mounted"
        return None

    @cached_property
    def _not_whole(self) -> str | None:
        """Why the folder cannot be looked through; None if it can, all of it."""
        if not self.root.is_dir():
            return f"{self.root} is not there"
        try:
            for _ in os.walk(self.root, onerror=_raise):
                pass
        except OSError as error:
            return f"{error.filename or self.root} cannot be read ({error.strerror})"
        return None


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """As ``glob.glob`` does it, with ``recursive=True``: hidden names only where a pattern begins with a dot."""
    if not pattern:
        return not parts
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        return _matches(parts, rest) or (bool(parts) and not parts[0].startswith(".") and _matches(parts[1:], pattern))
    if not parts or (parts[0].startswith(".") and not first.startswith(".")):
        return False
    return fnmatch.fnmatchcase(parts[0], first) and _matches(parts[1:], rest)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        yield from found


def _raise(error: OSError) -> None:
    raise error
