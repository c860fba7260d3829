"""What the import sensor remembers between ticks: a typed, versioned and bounded record.

The event log is the truth; the cursor only saves work. Losing it, or meeting one that this release cannot read, costs
one sweep over the event log and never an import or a double report. It holds no secret and, beyond the run ids to look
for, nothing that can be read from the event log again.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from cognee_dagster.dagster.event_log.pushes import Push

CURSOR_VERSION = 1

# MySQL keeps a sensor's state in a TEXT column of 65,535 bytes. A pending import takes 35 bytes here, 49 when each has
# an asset and a backoff of its own (measured), so that this many fit. What does not fit waits in the event log.
MAX_PENDING = 1_150


@dataclass(frozen=True, kw_only=True)
class PendingImport:
    """A started push whose import has not been reported.

    Attributes:
        storage_id: The push's materialization in the event log; with the asset key it finds everything else.
        asset_key: Key of the push asset, as ``AssetKey.to_user_string()`` spells it.
        run_id: The import's ``pipeline_run_id``; empty where the remote named none (a background ``re-derive``).
        pushed_at: When the push was logged, in Unix seconds; never later than when the sensor found it.
        failures: Fruitless attempts in a row to learn its state.
        ask_again_at: Not to be asked about before, in Unix seconds.
    """

    storage_id: int
    asset_key: str
    run_id: str
    pushed_at: int
    failures: int = 0
    ask_again_at: int = 0

    @classmethod
    def of(cls, push: Push, *, now: float) -> "PendingImport":
        """The import that a push has begun; one from the future (a clock that is ahead) counts as pushed now."""
        return cls(
            storage_id=push.storage_id,
            asset_key=push.asset_key.to_user_string(),
            run_id=push.run_id,
            pushed_at=int(min(push.timestamp, now)),
        )


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A look through the event log for new pushes that may take several ticks.

    Attributes:
        upto: The newest materialization when it began; later ones belong to the next sweep.
        began_at: When it began, in Unix seconds.
        settled: Highest storage id seen of a push that was old enough for the log before it to be complete.
        asset_key: The asset it has come to, in the order of the keys; empty: not begun.
        after: The storage id it has come to within that asset.
    """

    upto: int
    began_at: int
    settled: int
    asset_key: str = ""
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class ImportCursor:
    """The sensor's memory.

    Attributes:
        assets: A digest of the watched assets' keys, to notice when another one is watched.
        watermark: Every push of these assets with this storage id or a lower one has been taken up.
        sweep: The look through the event log in progress, if the last tick could not finish it.
        pending: Imports to report, by storage id of their push.
        feed_offset: Where in the remote's feed the next tick goes on, if the last one ran out of time there.
        silent_ticks: How often in a row the remote as a whole gave no answer.
        silent_until: The remote is not to be asked before, in Unix seconds.
    """

    assets: str = ""
    watermark: int = 0
    sweep: Sweep | None = None
    pending: Mapping[int, PendingImport] = field(default_factory=dict)
    feed_offset: int = 0
    silent_ticks: int = 0
    silent_until: int = 0

    @property
    def room(self) -> int:
        """How many more imports fit."""
        return max(0, MAX_PENDING - len(self.pending))

    def with_pending(self, imports: Iterable[PendingImport]) -> "ImportCursor":
        """With these added or changed."""
        return replace(self, pending={**self.pending, **{item.storage_id: item for item in imports}})

    def without(self, storage_ids: Iterable[int]) -> "ImportCursor":
        """With these dropped, because they are reported."""
        gone = set(storage_ids)
        return replace(self, pending={key: item for key, item in self.pending.items() if key not in gone})

    def encode(self) -> str:
        """As text for Dagster: the version in clear, the rest deflated."""
        keys = sorted({item.asset_key for item in self.pending.values()})
        places = {key: place for place, key in enumerate(keys)}
        rows = [_to_row(item, places) for _, item in sorted(self.pending.items())]
        sweep = self.sweep and [
            self.sweep.upto,
            self.sweep.began_at,
            self.sweep.settled,
            self.sweep.asset_key,
            self.sweep.after,
        ]
        state = [
            self.assets,
            self.watermark,
            sweep,
            self.feed_offset,
            self.silent_ticks,
            self.silent_until,
            keys,
            *rows,
        ]
        packed = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)
        return f"{CURSOR_VERSION}:{base64.b85encode(packed).decode()}"

    @classmethod
    def decode(cls, text: str | None) -> "ImportCursor | None":
        """The record in ``text``; None if there is none, or none that this release can read."""
        if not text:
            return None
        version, _, packed = text.partition(":")
        if version != str(CURSOR_VERSION):
            return None
        try:
            return _from_state(json.loads(_inflate(base64.b85decode(packed))))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, zlib.error, RecursionError):
            return None


def _inflate(packed: bytes) -> bytes:
    """At most what ``encode`` can have packed: a damaged cursor must not fill the memory."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(packed, 1 << 22)
    if not inflater.eof:
        raise ValueError("the cursor is cut off or larger than any this release writes")
    return text


def _to_row(item: PendingImport, places: Mapping[str, int]) -> list[int | str]:
    row: list[int | str] = [item.storage_id, places[item.asset_key], _pack_run_id(item.run_id), item.pushed_at]
    if item.failures or item.ask_again_at:
        row += [item.failures, item.ask_again_at - item.pushed_at]
    return row


def _from_row(row: Any, keys: list[str]) -> PendingImport:
    storage_id, place, run_id, pushed_at, *backoff = row
    failures, wait = backoff or (0, 0)
    return PendingImport(
        storage_id=_whole(storage_id),
        asset_key=keys[_whole(place)],
        run_id=_unpack_run_id(run_id),
        pushed_at=_whole(pushed_at),
        failures=_whole(failures),
        ask_again_at=_whole(pushed_at + wait) if backoff else 0,
    )


def _pack_run_id(run_id: str) -> str:
    """Cognee's ids are UUIDs, whose dashes say nothing; anything else is kept as it is."""
    try:
        return UUID(run_id).hex if str(UUID(run_id)) == run_id else f"={run_id}"
    except ValueError:
        return f"={run_id}"


def _unpack_run_id(packed: str) -> str:
    return packed[1:] if packed.startswith("=") else str(UUID(packed))


def _from_state(state: Any) -> ImportCursor:
    assets, watermark, sweep, feed_offset, silent_ticks, silent_until, keys, *rows = state
    if not all(isinstance(text, str) for text in [assets, *keys]):
        raise ValueError("not text")
    pending = [_from_row(row, keys) for row in rows]
    return ImportCursor(
        assets=assets,
        watermark=_whole(watermark),
        sweep=None if sweep is None else _to_sweep(*sweep),
        pending={item.storage_id: item for item in pending},
        feed_offset=_whole(feed_offset),
        silent_ticks=_whole(silent_ticks),
        silent_until=_whole(silent_until),
    )


def _to_sweep(upto: Any, began_at: Any, settled: Any, asset_key: Any, after: Any) -> Sweep:
    return Sweep(
        upto=_whole(upto), began_at=_whole(began_at), settled=_whole(settled), asset_key=asset_key, after=_whole(after)
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a whole number")
    return value
