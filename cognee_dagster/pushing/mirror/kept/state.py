"""What is known of a mirror between two pushes, in files that appear whole or not at all.

::

    <base>/<hash of the remote's URL>-<remote dataset's id>-<owner>/mirror.json
    <base>/<hash of the remote's URL>-<remote dataset's id>-<owner>/contents-<SHA-256>.bin

``mirror.json`` never claims more than the remote has: what is about to be sent is noted before, what was confirmed
after. Killed anywhere, a push leaves a state from which the next one can go on.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec

from cognee_dagster.errors import InvalidPushError, UnfitFileError
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.seen.single_edges import SingleEdgesSeen
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.store.files import get_bytes, is_local, matching, open_file, put_bytes
from cognee_dagster.system.files import clear_left
from cognee_dagster.system.urls import base_address

if TYPE_CHECKING:
    from upath import UPath

DEFAULT_DIRECTORY = "~/.cognee-dagster/mirrors"
_FORMAT: Literal[2] = 2
_STATE = "mirror.json"
# Runs of ours that are told from others'; those of earlier pushes are older than what is looked at.
_RUNS_KEPT = 20_000
_MAX_STATE_BYTES = 64 << 20  # three million documents that are to be deleted at once
SIZES_KEPT = 200
# Left out where they say nothing: earlier releases do not know them.
_LATER = (
    *("documents_deleting", "overfull", "last_import", "unowned", "distrusted", "dataset_name", "left"),
    "single_edges",
)

logger = logging.getLogger(__name__)

Letter = Literal["a", "b"]
_Segment = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
_Key = Annotated[int, msgspec.Meta(ge=0)]
_Moment = Annotated[float, msgspec.Meta(ge=0, le=7_258_118_400)]  # until 2200
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class MirrorState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a mirror, but for its contents.

    Attributes:
        format: Which release's file this is.
        remote_url: Where the remote is.
        contents: SHA-256 of the file of contents.
        letters: The present generation by segment.
        run_nodes: How many nodes each of its latest runs brought, by which later ones are estimated.
        dirty: Segments of which the remote may have something else than the contents say: they are sent again.
        overfull: Segments of which it has all that they say, and may have more, since nothing was to be removed.
        begun: By segment the generation that a push has begun to send to, and never confirmed.
        documents_begun: What documents are known by that a push has begun to send, and never confirmed.
        unowned: What the remote dataset may have besides; None where nobody but mirrors has brought anything.
        distrusted: Why what was confirmed cannot be relied on before everything was sent again; empty where it can.
        dataset_name: What the remote dataset was called; empty in files of earlier releases.
        left: What the remote knows imports of this mirror by that were made under an earlier name of the dataset, and
            are to be deleted.
        single_edges: Whether the server deletes removed edges whose nodes stay.
        emptying: Whether a push has begun to empty the remote graph, and never confirmed what it then sent.
        deleting: Generations that are to be deleted, because others have taken their place.
        documents_deleting: What documents are known by that are to be deleted, because they are no longer in the graph.
        began_at: When the push began that confirmed the contents: seconds since 1970, by the server's clock.
        dataset_made_at: When the server made the dataset; None where it does not say.
        run_ids: Its runs, and those of pushes before; oldest first.
        last_import: The last run of the push that confirmed the contents; empty where it had none.
        deletions: Its operations that deleted what it had brought itself.
        accounted: What else happened to the dataset and is made good for: what others did, and what this mirror did
            that may have taken something from others, or changed it.
        checksum: SHA-256 of the state without it; empty in files of format 1.
    """

    remote_url: str
    contents: _Sha256
    letters: dict[_Segment, Letter]
    began_at: _Moment
    dataset_made_at: _Moment | None = None
    run_ids: tuple[str, ...] = ()
    last_import: str = ""
    deletions: tuple[str, ...] = ()
    accounted: tuple[str, ...] = ()
    run_nodes: dict[str, _Count] = {}
    dirty: tuple[_Segment, ...] = ()
    overfull: tuple[_Segment, ...] = ()
    begun: dict[_Segment, Letter] = {}
    documents_begun: tuple[_Key, ...] = ()
    deleting: tuple[tuple[_Segment, Letter], ...] = ()
    documents_deleting: tuple[_Key, ...] = ()
    unowned: Unowned | None = None
    distrusted: str = ""
    dataset_name: str = ""
    left: tuple[UUID, ...] = ()
    single_edges: SingleEdgesSeen = ""
    emptying: bool = False
    format: Literal[1, 2] = _FORMAT
    checksum: str = ""

    @property
    def runs(self) -> frozenset[str]:
        """Runs and operations that are accounted for."""
        return frozenset((*self.run_ids, *self.deletions, *self.accounted))

    @property
    def reliable_runs(self) -> frozenset[str]:
        """Its own, but for those that may have taken something from other mirrors in the dataset, or changed it."""
        return frozenset((*self.run_ids, *self.deletions)).difference(self.accounted)

    @property
    def has_deletions_left(self) -> bool:
        """Whether all that was sent has been confirmed, and not all been deleted that goes for it."""
        return bool(self.deleting or self.documents_deleting) and not (self.begun or self.emptying)

    def encode(self) -> bytes:
        """As a file's content."""
        return self._encode(checksum=self._hash())

    @classmethod
    def decode(cls, content: bytes) -> "MirrorState":
        """The state in a file.

        Raises:
            ValueError: It makes no sense.
        """
        state = msgspec.json.decode(content, type=cls)
        if state.format != 1 and state.checksum != state._hash():
            raise ValueError("its checksum is not that of its content")
        if max((*state.documents_begun, *state.documents_deleting), default=0) >= 2**64:
            raise ValueError("it has a document's key out of range")
        return state

    def _hash(self) -> str:
        return hashlib.sha256(self._encode(checksum="")).hexdigest()

    def _encode(self, *, checksum: str) -> bytes:
        values = msgspec.to_builtins(msgspec.structs.replace(self, format=_FORMAT, checksum=checksum))
        for name in _LATER:
            if not values[name]:
                del values[name]
        return msgspec.json.encode(values)


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
        """Write contents beside those there are, for a state to name; their SHA-256."""
        content = contents.encode()
        name = hashlib.sha256(content).hexdigest()
        put_bytes(content, self._contents(name))
        return name

    def save(self, state: MirrorState) -> None:
        """Write the state, whose contents are there already, and remove contents that it does not name.

        Of a local store, what killed writers have left is removed, too: here, and of locks beside it.
        """
        put_bytes(state.encode(), self.directory / _STATE)
        for path in matching(self.directory, "contents-*.bin"):
            if path.name != self._contents(state.contents).name:
                path.unlink(missing_ok=True)
        if is_local(self.directory):
            clear_left(Path(self.directory.path))
            clear_left(Path(self.directory.parent.path))

    def remove(self) -> None:
        """Leave nothing that is known, the state first."""
        for path in (self.directory / _STATE, *matching(self.directory, "contents-*.bin")):
            path.unlink(missing_ok=True)

    def _contents(self, sha256: str) -> "UPath":
        return self.directory / f"contents-{sha256}.bin"


def _refuse_later(content: bytes, path: "UPath") -> None:
    """A later release's file is not to be written over.

    Raises:
        InvalidPushError: It is one.
    """
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        release = msgspec.json.decode(found.get("format", b"1"), type=int)
    except (ValueError, RecursionError):
        return
    unknown = sorted(found.keys() - set(MirrorState.__struct_fields__))
    if release > _FORMAT or unknown:
        has = f"format {release}" if release > _FORMAT else f"the field {unknown[0][:40]!r}"
        raise InvalidPushError(
            f"What is known of the mirror was written by a later release: {path} has {has}, and this release knows "
            f"format {_FORMAT}. Nothing was sent, and the file was left alone. Upgrade cognee-dagster here, and push "
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


def latest(ids: Iterable[str]) -> tuple[str, ...]:
    """As many ids as are kept, each once."""
    return tuple(dict.fromkeys(ids))[-_RUNS_KEPT:]
