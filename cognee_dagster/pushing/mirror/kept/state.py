"""What is known of a mirror between two pushes, as a value.

It never claims more than the remote has: what is about to be sent is noted before, what was confirmed after. Killed
anywhere, a push leaves a state from which the next one can go on.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from cognee_dagster.pushing.mirror.seen.single_edges import SingleEdgesSeen
from cognee_dagster.pushing.mirror.seen.unowned import Unowned

FORMAT: Literal[2] = 2
# Runs of ours that are told from others'; those of earlier pushes are older than what is looked at.
_RUNS_KEPT = 20_000
SIZES_KEPT = 200
# Left out where they say nothing: earlier releases do not know them.
_LATER = (
    *("documents_deleting", "overfull", "last_import", "unowned", "distrusted", "dataset_name", "left"),
    "single_edges",
)

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
    format: Literal[1, 2] = FORMAT
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
        values = msgspec.to_builtins(msgspec.structs.replace(self, format=FORMAT, checksum=checksum))
        for name in _LATER:
            if not values[name]:
                del values[name]
        return msgspec.json.encode(values)


def of_a_later_release(content: bytes) -> str:
    """What a file's content has that this release does not know, in words; empty where it is none of a later one."""
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        release = msgspec.json.decode(found.get("format", b"1"), type=int)
    except (ValueError, RecursionError):
        return ""
    if release > FORMAT:
        return f"format {release}"
    unknown = sorted(found.keys() - set(MirrorState.__struct_fields__))
    return f"the field {unknown[0][:40]!r}" if unknown else ""


def latest(ids: Iterable[str]) -> tuple[str, ...]:
    """As many ids as are kept, each once."""
    return tuple(dict.fromkeys(ids))[-_RUNS_KEPT:]
