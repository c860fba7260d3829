"""What the import sensor remembers between ticks: a typed, versioned and bounded record.

The event log is the truth; the cursor only saves work. Losing it, or meeting one that this release cannot read, costs
one scan of the event log and never an import or a double report. It holds no secret and, beyond the run ids to look
for, nothing that can be read from the event log again. ``packed.py`` says how it is written.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.sensors import cursor_version_1 as version_1
from cognee_dagster.dagster.sensors.packed import MAX_BYTES, UNREADABLE, pack, unpack, version_of

CURSOR_VERSION = 2

# How many imports are taken up at most. What does not fit waits in the event log.
MAX_PENDING = 1_150

# What an import takes in a cursor: measured where each has its own asset, run and backoff, and nothing compresses.
_BYTES_EACH = MAX_BYTES // MAX_PENDING

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)

Whole = Annotated[int, msgspec.Meta(ge=0)]


class PendingImport(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A started push whose import is not reported, or whose report was not seen in the event log yet.

    Attributes:
        storage_id: The push's materialization in the event log; with the asset key it finds everything else.
        asset_key: Key of the push asset, as ``AssetKey.to_user_string()`` spells it.
        run_id: The import's ``pipeline_run_id``; empty where the remote named none (a background ``re-derive``).
        pushed_at: When the push was logged, in Unix seconds; never later than when the sensor found it.
        failures: Fruitless attempts in a row to learn its state.
        ask_again_at: Not to be asked about before, in Unix seconds.
        handed_over: The kinds of events about its end that an earlier tick gave to Dagster, as a bit field
            (``reports.kinds_as_bits``).
    """

    storage_id: Whole
    asset_key: str
    run_id: str
    pushed_at: Whole
    failures: Whole = 0
    ask_again_at: Whole = 0
    handed_over: Whole = 0

    @classmethod
    def of(cls, push: Push, *, now: float) -> "PendingImport":
        """The import that a push has begun; one from the future (a clock that is ahead) counts as pushed now."""
        return cls(
            storage_id=push.storage_id,
            asset_key=push.asset_key.to_user_string(),
            run_id=push.run_id,
            pushed_at=max(0, int(min(push.timestamp, now))),
        )


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A search of the event log for new pushes that may take several ticks.

    Attributes:
        upto: The newest materialization when it began; later ones belong to the next scan.
        began_at: When it began, in Unix seconds.
        audit: Whether it reads every asset's events, not only where the index of assets shows something new.
        asset_key: The asset it has come to, in the order of the keys; empty: not begun.
        after: The storage id it has come to within that asset.
    """

    upto: Whole
    began_at: Whole
    audit: bool = False
    asset_key: str = ""
    after: Whole = 0


class ImportCursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sensor's memory.

    Attributes:
        assets: A digest of the watched assets' keys, to notice when another one is watched.
        watermark: Every push of these assets with this storage id or a lower one has been taken up.
        audited: The same of the last scan that did not rely on the index of assets.
        audit_at: When to scan without that index next, in Unix seconds.
        seen_upto: The newest materialization when the last scan began; where the watermark goes once the log before it
            is complete.
        seen_at: When that was, in Unix seconds.
        scan: The scan of the event log in progress, if the last tick could not finish it.
        pending: Imports to report, by storage id of their push.
        feed_offset: Where in the remote's feed the next tick goes on, if the last one ran out of time there.
        unanswered_ticks: How often in a row the remote as a whole gave no answer.
        paused_until: The remote is not to be asked before, in Unix seconds.
    """

    assets: str = ""
    watermark: Whole = 0
    audited: Whole = 0
    audit_at: Whole = 0
    seen_upto: Whole = 0
    seen_at: Whole = 0
    scan: Scan | None = None
    pending: Mapping[Whole, PendingImport] = msgspec.field(default_factory=dict)
    feed_offset: Whole = 0
    unanswered_ticks: Whole = 0
    paused_until: Whole = 0

    @property
    def room(self) -> int:
        """How many more imports fit; run ids that are longer than a UUID take the place of several."""
        longer = sum(max(0, len(item.run_id) - 36) for item in self.pending.values())
        return max(0, MAX_PENDING - len(self.pending) - longer * 5 // (4 * _BYTES_EACH))

    def with_pending(self, imports: Iterable[PendingImport]) -> "ImportCursor":
        """With these added or changed."""
        return replace(self, pending={**self.pending, **{item.storage_id: item for item in imports}})

    def without(self, storage_ids: Iterable[int]) -> "ImportCursor":
        """With these dropped, because they are reported."""
        gone = set(storage_ids)
        return replace(self, pending={key: item for key, item in self.pending.items() if key not in gone})

    def encode(self) -> str:
        """The record as a string for Dagster, never longer than ``MAX_BYTES``.

        If it were, the newest imports are left out and the watermark is put before them: the next scan finds them.
        """
        text = self._written()
        kept = sorted(self.pending)
        while len(text) > MAX_BYTES and kept:
            kept, left_out = kept[: len(kept) * 9 // 10], kept[len(kept) * 9 // 10 :]
            text = self._only(kept, before=left_out[0] - 1)._written()
        return text

    def _only(self, storage_ids: Iterable[int], *, before: int) -> "ImportCursor":
        return replace(
            self,
            pending={key: self.pending[key] for key in storage_ids},
            scan=None,
            watermark=min(self.watermark, before),
            audited=min(self.audited, before),
            seen_upto=min(self.seen_upto, before),
        )

    def _written(self) -> str:
        state = msgspec.to_builtins(self)
        if self.pending:
            state["pending"] = [_packed(item) for _, item in sorted(self.pending.items())]
        return pack(CURSOR_VERSION, state)

    @classmethod
    def decode(cls, text: str | None) -> "ImportCursor | None":
        """The record in ``text``; None if there is none, or none that this release can read."""
        version = version_of(text)
        if text is None or version not in (str(CURSOR_VERSION), version_1.CURSOR_VERSION):
            return None
        try:
            state = unpack(text)
            if version == version_1.CURSOR_VERSION:
                state = version_1.as_version_2(state)
            imports = msgspec.convert([_unpacked(row) for row in state.get("pending", ())], type=list[PendingImport])
            return msgspec.convert({**state, "pending": {item.storage_id: item for item in imports}}, type=cls)
        except UNREADABLE:
            return None


def _packed(item: PendingImport) -> tuple[Any, ...]:
    """An import as a row. Cognee's ids are UUIDs, whose dashes say nothing; anything else is kept as it is."""
    storage_id, asset_key, run_id, *rest = msgspec.structs.astuple(item)
    return storage_id, asset_key, run_id.replace("-", "") if _UUID.fullmatch(run_id) else f"={run_id}", *rest


def _unpacked(row: Any) -> list[Any]:
    storage_id, asset_key, short, *rest = row
    return [storage_id, asset_key, short[1:] if short.startswith("=") else str(UUID(short)), *rest]
