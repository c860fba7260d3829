"""What the alert sensor remembers between ticks: how far it has read, what is still to be told, and what was.

Written as ``packed.py`` says. The event log is the truth here, too: every failure is read from it again when its turn
has come, so that nothing stands here but where it is.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec.structs import replace

from cognee_dagster.dagster.sensors.packed import UNREADABLE, pack, unpack, version_of
from cognee_dagster.dagster.sensors.policies import COMMITTED_AFTER_SECONDS

ALERT_CURSOR_VERSION = 1

MAX_OPEN = 400  # failures that are still to be told; more wait in the event log
MAX_TAKEN_UP = 500  # between two moves of the marks
MAX_TOLD = 1_500  # what was taken up since the last move but one, and some for checks that are executed again

Whole = Annotated[int, msgspec.Meta(ge=0)]


class Mark(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How far a list of the event log has been read, whose rows may become visible out of order.

    Attributes:
        upto: Every row with this id or a lower one has been read.
        seen: The last row that was read when the mark moved last; where it moves next.
        seen_at: When that was, in Unix seconds of our clock.
    """

    upto: Whole = 0
    seen: Whole = 0
    seen_at: Whole = 0

    def moved(self, reached: int, *, now: float) -> "Mark":
        """After all rows up to ``reached`` that could be seen have been read, and none behind it."""
        if 0 <= now - self.seen_at < COMMITTED_AFTER_SECONDS:  # a clock that was put back must not hold it up
            return self
        return Mark(upto=max(self.upto, min(self.seen, reached)), seen=max(self.seen, reached), seen_at=int(now))


class OpenFailure(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A failure that is still to be told.

    Attributes:
        asset_key: Key of the push asset, as ``AssetKey.to_user_string()`` spells it.
        run_id: The Dagster run that was to push and failed; empty for an import's failure.
        partition: The partition that run was to push, if any.
        check: The check that says so of an import; empty for a run.
        row_id: That check's row.
        found_at: When it was found, in Unix seconds of our clock.
        attempts: How often ``on_failure`` was called for it and raised.
        again_at: Not to be looked at before, in Unix seconds.
        requested: Whether a run about it was asked for that has not been seen yet.
    """

    asset_key: str
    run_id: str = ""
    partition: str | None = None
    check: str = ""
    row_id: Whole = 0
    found_at: Whole = 0
    attempts: Whole = 0
    again_at: Whole = 0
    requested: bool = False

    @property
    def key(self) -> tuple[str, str, str | None, str, int]:
        """Which failure it is."""
        return self.asset_key, self.run_id, self.partition, self.check, self.row_id


class BegunRun(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How far the failures of a run with more of them than fit have been taken up.

    Attributes:
        position: The run's failure in the event log.
        asset_key: The last push asset, and
        partition: its last partition, that was taken up: they are in this order.
    """

    position: Whole
    asset_key: str
    partition: str | None = None


class AlertCursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sensor's memory.

    Attributes:
        checks: How far the evaluations of checks have been read.
        runs: How far the failures of runs have been read.
        open: Failures to tell, in the order in which they were found.
        told: Digests of the ids of the last failures that were told.
        taken_up: How many failures were taken up since the marks were moved last.
        begun: Runs with more failures than fit, that the mark has not passed yet.
    """

    checks: Mark = Mark()
    runs: Mark = Mark()
    open: tuple[OpenFailure, ...] = ()
    told: tuple[str, ...] = ()
    taken_up: Whole = 0
    begun: tuple[BegunRun, ...] = ()

    @property
    def room(self) -> int:
        """How many more failures fit."""
        return max(0, min(MAX_OPEN - len(self.open), MAX_TAKEN_UP - self.taken_up))

    def knows(self, item: OpenFailure, failure_id: str | None) -> bool:
        """Whether it is open, or was told under this id."""
        told = failure_id is not None and digest_of(failure_id) in self.told
        return told or any(item.key == other.key for other in self.open)

    def with_found(self, *found: OpenFailure) -> "AlertCursor":
        """With these taken up."""
        return replace(self.with_open(found), taken_up=self.taken_up + len(found))

    def begun_run(self, position: int) -> BegunRun | None:
        """How far this run was taken up, if it has more failures than fit."""
        return next((run for run in self.begun if run.position == position), None)

    def with_begun(self, position: int, last: OpenFailure) -> "AlertCursor":
        """With this run taken up as far as this failure; without those that the mark has passed."""
        others = (run for run in self.begun if run.position != position and run.position > self.runs.upto)
        run = BegunRun(position=position, asset_key=last.asset_key, partition=last.partition)
        return replace(self, begun=(*others, run))

    def with_open(self, found: Iterable[OpenFailure]) -> "AlertCursor":
        """With these added, or changed."""
        by_key = {item.key: item for item in self.open}
        by_key.update({item.key: item for item in found})
        return replace(self, open=tuple(by_key.values()))

    def without(self, item: OpenFailure) -> "AlertCursor":
        """With this one done."""
        return replace(self, open=tuple(other for other in self.open if other.key != item.key))

    def with_told(self, digests: Iterable[str]) -> "AlertCursor":
        """With these told last."""
        new = [digest for digest in digests if digest not in self.told]
        return replace(self, told=(*self.told, *new)[-MAX_TOLD:])

    def encode(self) -> str:
        """The record as a string for Dagster."""
        return pack(ALERT_CURSOR_VERSION, self)

    @classmethod
    def decode(cls, text: str | None) -> "AlertCursor | None":
        """The record in ``text``; None if there is none, or none that this release can read."""
        if text is None or version_of(text) != str(ALERT_CURSOR_VERSION):
            return None
        try:
            return msgspec.convert(unpack(text), type=cls)
        except UNREADABLE:
            return None


def digest_of(failure_id: str) -> str:
    """A short form of an id, by which it is remembered."""
    return hashlib.sha256(failure_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
