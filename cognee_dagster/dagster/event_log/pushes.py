"""The pushes in Dagster's event log, as the import sensor needs them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import dagster as dg

from cognee_dagster.dagster.keys import (
    DELIVERED_AT,
    MODE,
    PIPELINE_RUN_ID,
    REMOTE_DATASET_ID,
    REMOTE_URL,
    SECONDS,
    STATUS,
    TARGET_DATASET,
)
from cognee_dagster.remote.imports.vocabulary import ImportState, cognify_follows
from cognee_dagster.remote.imports.watch import WatchedImport, time_of

REMOTE_GRAPH = "remote_graph"

# By push asset, the assets that stand for imports and that a translator has named.
GraphKeys = Mapping[dg.AssetKey, dg.AssetKey]

_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class Push:
    """A materialization of ``remote_push``.

    Attributes:
        storage_id: Its position in the event log; a higher one is a newer push.
        asset_key: The push asset.
        partition: Its partition, if the asset has partitions.
        dagster_run_id: The run that pushed.
        timestamp: When it was logged, in Unix seconds, by the clock of the machine that pushed.
        metadata: What the push said of itself, as plain values.
        named_graph: The external asset that stands for the imported graph, where a translator has named it and whoever
            reads the push knows that.
    """

    storage_id: int
    asset_key: dg.AssetKey
    partition: str | None
    dagster_run_id: str
    timestamp: float
    metadata: Mapping[str, Any]
    named_graph: dg.AssetKey | None = None

    @property
    def graph_key(self) -> dg.AssetKey:
        """The external asset that stands for the imported graph."""
        return self.named_graph or graph_key_of(self.asset_key, {})

    @property
    def run_id(self) -> str:
        """The import's run on the remote; empty where the remote named none."""
        return str(self.metadata.get(PIPELINE_RUN_ID) or "")

    @property
    def import_id(self) -> str:
        """What distinguishes its import from others: the run on the remote, else the Dagster run that pushed."""
        return self.run_id or pushed_by(self.dagster_run_id, self.partition)

    @property
    def in_background(self) -> bool:
        """Whether its import went on when it was logged."""
        return ImportState.of_status(self.metadata.get(STATUS)).is_under_way

    @property
    def remote_url(self) -> str:
        """Where it was pushed to."""
        return str(self.metadata.get(REMOTE_URL) or "").rstrip("/")

    @property
    def target_dataset(self) -> str:
        """The remote dataset's name."""
        return str(self.metadata.get(TARGET_DATASET) or "")

    @property
    def dataset_id(self) -> str:
        """The remote dataset's id, if the push knew it."""
        return str(self.metadata.get(REMOTE_DATASET_ID) or "")

    @property
    def seconds(self) -> float:
        """How long it took until it was logged; 0 where it does not say so."""
        seconds = self.metadata.get(SECONDS)
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    @property
    def cognifies(self) -> bool:
        """Whether the import is only finished when the cognify run that follows it is, too."""
        return cognify_follows(status=self.metadata.get(STATUS), mode=self.metadata.get(MODE))

    @property
    def watched(self) -> WatchedImport:
        """What there is to ask the remote about it."""
        return WatchedImport(
            run_id=self.run_id,
            dataset_id=self.dataset_id,
            pushed_at=self.timestamp,
            push_seconds=self.seconds,
            cognifies=self.cognifies,
            delivered_at=time_of(self.metadata.get(DELIVERED_AT)),
            confirmed=self._has_arrived and self.metadata.get(MODE) != "re-derive",
        )

    @property
    def _has_arrived(self) -> bool:
        return ImportState.of_status(self.metadata.get(STATUS)).has_arrived


def graph_key_of(push_key: dg.AssetKey, named: GraphKeys) -> dg.AssetKey:
    """``<…>/remote_push`` -> ``<…>/remote_graph``, or what a translator calls that one."""
    return named.get(push_key) or dg.AssetKey([*push_key.path[:-1], REMOTE_GRAPH])


class LoggedPush(Protocol):
    """Where in the event log a push is."""

    @property
    def storage_id(self) -> int: ...

    @property
    def asset_key(self) -> str: ...


class PushLog:
    """Reads pushes of the watched assets.

    Args:
        instance: Dagster's.
        push_keys: The watched assets.
        named: The assets that stand for their imports, where a translator has named them.
    """

    def __init__(self, instance: dg.DagsterInstance, push_keys: Iterable[dg.AssetKey], named: GraphKeys) -> None:
        self._instance = instance
        self._named = named
        self._keys = {key.to_user_string(): key for key in push_keys}

    @property
    def asset_keys(self) -> Collection[str]:
        """The watched assets, as ``AssetKey.to_user_string()`` spells them."""
        return self._keys.keys()

    def newest(self) -> dict[str, int]:
        """The storage id of each asset's newest push by the index of assets; one query whatever their number."""
        records = self._instance.get_asset_records(list(self._keys.values())) if self._keys else []
        return {
            entry.asset_key.to_user_string(): entry.last_materialization_storage_id
            for entry in (record.asset_entry for record in records)
            if entry.last_materialization_storage_id is not None
        }

    def page(self, asset_key: str, *, after: int, upto: int) -> tuple[list[Push], int | None]:
        """Pushes after ``after`` and up to ``upto``, oldest first, and where the next page begins."""
        pushes, more = self._fetch(asset_key, after_storage_id=after, before_storage_id=upto + 1)
        return pushes, pushes[-1].storage_id if more else None

    def read(self, imports: Iterable[LoggedPush]) -> dict[int, Push]:
        """The pushes behind these imports, by storage id; without those whose asset is gone or was wiped."""
        by_asset: dict[str, list[int]] = defaultdict(list)
        for item in imports:
            if self.watches(item.asset_key):
                by_asset[item.asset_key].append(item.storage_id)
        pushes: dict[int, Push] = {}
        for asset_key, storage_ids in by_asset.items():
            for start in range(0, len(storage_ids), _PAGE):
                found, _ = self._fetch(asset_key, storage_ids=storage_ids[start : start + _PAGE])
                pushes.update({push.storage_id: push for push in found})
        return pushes

    def later(self, asset_key: str, *, than: int) -> list[Push]:
        """All pushes of the asset after storage id ``than``, whether in the background or not."""
        pushes: list[Push] = []
        more = True
        while more:
            found, more = self._fetch(asset_key, after_storage_id=pushes[-1].storage_id if pushes else than)
            pushes += found
        return pushes

    def watches(self, asset_key: str) -> bool:
        """Whether this is (still) one of the watched assets."""
        return asset_key in self._keys

    def _fetch(self, asset_key: str, **wanted: Any) -> tuple[list[Push], bool]:
        key = self._keys[asset_key]
        records_filter = dg.AssetRecordsFilter(asset_key=key, **wanted)
        found = self._instance.fetch_materializations(records_filter, limit=_PAGE, ascending=True)
        read = [push for record in found.records if (push := push_of(record)) is not None]
        pushes = [replace(push, named_graph=self._named.get(key)) for push in read]
        return pushes, found.has_more and bool(pushes)


def latest_push(instance: dg.DagsterInstance, push_key: dg.AssetKey, *, partition: str | None = None) -> Push | None:
    """The newest push of a ``remote_push`` asset, or of one of its partitions; None when there is none."""
    records = instance.fetch_materializations(of_partition(push_key, partition), limit=1).records
    return push_of(records[0]) if records else None


def latest_pushes(instance: dg.DagsterInstance, push_key: dg.AssetKey, partitions: Collection[str]) -> dict[str, Push]:
    """The newest push of each of these partitions that has one, by few queries whatever their number."""
    newest = instance.get_latest_storage_id_by_partition(push_key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    storage_ids = [storage_id for partition, storage_id in newest.items() if partition in partitions]
    found: dict[str, Push] = {}
    for start in range(0, len(storage_ids), _PAGE):
        wanted = dg.AssetRecordsFilter(asset_key=push_key, storage_ids=storage_ids[start : start + _PAGE])
        for record in instance.fetch_materializations(wanted, limit=_PAGE).records:
            if (push := push_of(record)) is not None and push.partition is not None:
                found[push.partition] = push
    return found


def latest_materialization(
    instance: dg.DagsterInstance, key: dg.AssetKey, *, partition: str | None
) -> dg.AssetMaterialization | None:
    """The newest materialization of an asset, or of one of its partitions; None when there is none."""
    records = instance.fetch_materializations(of_partition(key, partition), limit=1).records
    return records[0].asset_materialization if records else None


def latest_observation(
    instance: dg.DagsterInstance, key: dg.AssetKey, *, partition: str | None
) -> dg.AssetObservation | None:
    """The newest observation of an asset, or of one of its partitions; None when there is none."""
    records = instance.fetch_observations(of_partition(key, partition), limit=1).records
    return records[0].asset_observation if records else None


def of_partition(key: dg.AssetKey, partition: str | None, *, after: int | None = None) -> dg.AssetRecordsFilter:
    """The events of an asset, or of one of its partitions; only those after a storage id, if that is given."""
    partitions = None if partition is None else [partition]
    return dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions, after_storage_id=after)


def push_of(record: dg.EventLogRecord) -> Push | None:
    """The push in this record, which always is one in a list of materializations."""
    materialization = record.asset_materialization
    if materialization is None:
        return None
    return Push(
        storage_id=record.storage_id,
        asset_key=materialization.asset_key,
        partition=materialization.partition,
        dagster_run_id=record.run_id,
        timestamp=record.timestamp,
        metadata=plain_metadata(materialization.metadata),
    )


def pushed_by(dagster_run_id: str, partition: str | None) -> str:
    """An id for an import without one."""
    return f"pushed by {dagster_run_id}" + (f" {partition}" if partition is not None else "")


def plain_metadata(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    """Metadata values without their Dagster wrapping."""
    return {key: value.value for key, value in metadata.items()}
