"""The files of a mirror: what is known of it between two pushes, each whole or not there at all.

::

    <base>/<hash of the remote's URL>-<remote dataset's id>-<owner>/mirror.json
    <base>/<hash of the remote's URL>-<remote dataset's id>-<owner>/contents-<SHA-256>.bin
"""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.errors import InvalidPushError, UnfitFileError
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.kept.state import FORMAT, MirrorState, of_a_later_release
from cognee_dagster.store.files import get_bytes, is_local, matching, open_file, put_bytes
from cognee_dagster.system.files import clear_left
from cognee_dagster.system.urls import base_address

if TYPE_CHECKING:
    from upath import UPath

DEFAULT_DIRECTORY = "~/.cognee-dagster/mirrors"
_STATE = "mirror.json"
_MAX_STATE_BYTES = 64 << 20  # three million documents that are to be deleted at once

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MirrorFiles:
    """The files of one mirror.

    Attributes:
        directory: Theirs alone.
    """

    directory: "UPath"

    @classmethod
    def of(cls, base: "UPath", *, remote_url: str, dataset_id: str, owner: str) -> "MirrorFiles":
        """The files of the mirror that ``owner`` has in a remote dataset."""
        remote = hashlib.sha256(base_address(remote_url).encode()).hexdigest()[:8]
        return cls(base / f"{remote}-{dataset_id}-{owner}")

    @property
    def owner(self) -> str:
        """Whose mirror it is: see ``generations.owner_of``."""
        return self.directory.name.rpartition("-")[2]

    def load(self) -> MirrorState | None:
        """The state; None: there is none, or none that makes sense.

        Raises:
            OSError: The store does not let it be read.
            InvalidPushError: A later release has written it.
        """
        content = _read(self.directory / _STATE, _state_in)
        if content is None:
            return None
        _refuse_later(content, self.directory / _STATE)
        try:
            return MirrorState.decode(content)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            logger.warning("The mirror's state in %s cannot be understood: %s", self.directory, error)
            return None

    def siblings(self) -> "Iterator[MirrorFiles]":
        """The files of other mirrors in the same remote dataset that are kept beside these."""
        pattern = f"{self.directory.name.rpartition('-')[0]}-*"
        for directory in matching(self.directory.parent, pattern):
            if directory.name != self.directory.name:
                yield MirrorFiles(directory)

    def elsewhere(self) -> "Iterator[MirrorFiles]":
        """The files of this mirror's name and remote dataset that are kept beside these under other URLs."""
        for directory in matching(self.directory.parent, f"*-{self.directory.name.partition('-')[2]}"):
            if directory.name != self.directory.name:
                yield MirrorFiles(directory)

    def load_contents(self, state: MirrorState) -> MirrorContents | None:
        """The contents that a state names; None where they are gone or damaged.

        Raises:
            OSError: The store does not let them be read.
        """
        try:
            content = _read(self._contents(state.contents), _contents_in)
            if content is None:
                raise ValueError("it is gone")
            if hashlib.sha256(content).hexdigest() != state.contents:
                raise ValueError("it is damaged")
            contents = MirrorContents.decode(content)
            if state.format == 1 and not contents.segments <= state.letters.keys():
                raise ValueError("the state does not know its segments")
            return contents
        except ValueError as error:
            logger.warning("%s cannot be used: %s", self._contents(state.contents), error)
            return None

    def save_contents(self, contents: MirrorContents) -> str:
        """Write contents beside those there are, for a state to name; their SHA-256.

        Raises:
            OSError: The store cannot be written.
        """
        content = contents.encode()
        name = hashlib.sha256(content).hexdigest()
        with self._writing():
            put_bytes(content, self._contents(name))
        return name

    def save(self, state: MirrorState) -> None:
        """Write the state, whose contents are there already, and remove contents that it does not name.

        Of a local store, what killed writers have left is removed, too: here, and of locks beside it.

        Raises:
            OSError: The store cannot be written.
        """
        with self._writing():
            put_bytes(state.encode(), self.directory / _STATE)
            for path in matching(self.directory, "contents-*.bin"):
                if path.name != self._contents(state.contents).name:
                    path.unlink(missing_ok=True)
        if is_local(self.directory):
            clear_left(Path(self.directory.path))
            clear_left(Path(self.directory.parent.path))

    def remove(self) -> None:
        """Leave nothing that is known, the state first.

        Raises:
            OSError: The store cannot be written.
        """
        with self._writing():
            for path in (self.directory / _STATE, *matching(self.directory, "contents-*.bin")):
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Errors of this machine's disk name the file themselves."""
        try:
            yield
        except Exception as error:  # file systems raise their own kinds of errors
            if is_local(self.directory):
                raise
            raise OSError(
                f"What is known of the mirror cannot be written: {self.directory}: {type(error).__name__}: {error}. "
                "Push again when the store can be written: it goes on from what is noted there."
            ) from error

    def _contents(self, sha256: str) -> "UPath":
        return self.directory / f"contents-{sha256}.bin"


def _refuse_later(content: bytes, path: "UPath") -> None:
    """A later release's file is not to be written over.

    Raises:
        InvalidPushError: It is one.
    """
    if has := of_a_later_release(content):
        raise InvalidPushError(
            f"What is known of the mirror was written by a later release: {path} has {has}, and this release knows "
            f"format {FORMAT}. Nothing was sent, and the file was left alone. Upgrade cognee-dagster here, and push "
            "again. If no later release pushes to this remote dataset, the file is damaged: remove it, and it counts "
            "as lost."
        )


def _state_in(path: "UPath") -> bytes:
    return get_bytes(path, most=_MAX_STATE_BYTES)


def _contents_in(path: "UPath") -> bytes:
    """No more than one byte beyond what the file says that it has: by that it is damaged."""
    with open_file(path) as file:
        head = file.read(MirrorContents.HEAD_BYTES)
        try:
            told = MirrorContents.bytes_told(head)
        except ValueError:
            return head
        content = bytearray(head)
        while len(content) <= told and (piece := file.read(min(told + 1 - len(content), 2**20))):
            content += piece
        return bytes(content)


def _read(path: "UPath", read: "Callable[[UPath], bytes]") -> bytes | None:
    """A file's content; None where it is not there.

    Raises:
        OSError: Nobody can tell now what is in it. Whoever took it for lost would write over what it says.
    """
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except UnfitFileError as error:
        raise UnfitFileError(
            f"What is known of the mirror cannot be read: {path} {error.problem}. Nothing was sent. Move it out of the "
            "way, and what is known counts as lost.",
            problem=error.problem,
        ) from None
    except Exception as error:  # file systems raise their own kinds of errors
        raise OSError(
            f"What is known of the mirror cannot be read: {path}: {type(error).__name__}: {error}. Nothing was sent, "
            "and nothing of it is lost. Push again when the store can be read."
        ) from error
