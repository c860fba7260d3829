"""Imports that failed, as the checks of ``remote_graph`` say it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.dagster.event_log.pushes import GraphKeys, graph_key_of, plain_metadata, pushed_by
from cognee_dagster.dagster.event_log.reports import FAILED, INCOMPLETE, STALLED

_READ_BACK = (keys.CHECK_GRAPH_COMPLETE, keys.CHECK_IN_SYNC, keys.CHECK_ANSWERS)
CHECKS = (keys.CHECK_IMPORT_SUCCEEDED, *_READ_BACK)

_PAGE = 100
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One evaluation of a check, or the plan to make one.

    Attributes:
        row_id: Its place among all evaluations; of a planned one it is the place of the plan.
        push_key: The push asset whose import it is about.
        check: The check.
        timestamp: When it was written, in Unix seconds.
        evaluation: What came out; None while it is planned only.
    """

    row_id: int
    push_key: dg.AssetKey
    check: str
    timestamp: float
    evaluation: dg.AssetCheckEvaluation | None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the check said besides."""
        return plain_metadata(self.evaluation.metadata) if self.evaluation else {}

    @property
    def state(self) -> str | None:
        """How the import ended, where that is a failure; a check that could not ask, or asked too early, says None.

        So does one of a push that failed: its run tells that, unless it is tried again.
        """
        if self.evaluation is None or self.evaluation.passed or self.metadata.get(keys.PUSH_FAILED):
            return None
        if self.check in _READ_BACK:
            return INCOMPLETE if self.evaluation.severity is dg.AssetCheckSeverity.ERROR else None
        status = self.metadata.get(keys.STATUS)
        return str(status) if status in (FAILED, STALLED, INCOMPLETE) else None

    @property
    def import_id(self) -> str:
        """Which import; see ``Push.import_id``."""
        metadata = self.metadata
        pushed_by_run = str(metadata.get(keys.PUSH_RUN_ID) or "")
        if metadata.get(keys.PIPELINE_RUN_ID) or pushed_by_run:
            return str(metadata.get(keys.PIPELINE_RUN_ID) or pushed_by(pushed_by_run, metadata.get(keys.PARTITION)))
        return f"before check {self.row_id}"  # somebody else pushed it


class CheckLog:
    """Reads the checks of the watched assets. Dagster has no decorated-public way; these have been there since 1.5.

    Args:
        instance: Dagster's.
        push_keys: The watched push assets.
        named: The assets that stand for their imports, where a translator has named them.
    """

    def __init__(self, instance: dg.DagsterInstance, push_keys: Iterable[dg.AssetKey], named: GraphKeys) -> None:
        self._storage = instance.event_log_storage
        self._named = named
        self._push_keys = {
            dg.AssetCheckKey(graph_key_of(push_key, named), check): push_key
            for push_key in push_keys
            for check in CHECKS
        }

    def newest(self) -> dict[dg.AssetCheckKey, int]:
        """The newest row of each check, by one query whatever their number."""
        latest = self._storage.get_latest_asset_check_execution_by_key(list(self._push_keys))
        return {key: record.id for key, record in latest.items()}

    def after(self, row_id: int, newest: Mapping[dg.AssetCheckKey, int]) -> tuple[int, list[CheckRow]]:
        """How far one look gets beyond that id, and all rows on the way, oldest first."""
        reached = row_id + _ROWS_AT_ONCE
        rows: list[CheckRow] = []
        for key in (key for key, latest in newest.items() if latest > row_id):
            for row in self._backwards(key, before=reached + 1):
                if row.row_id <= row_id:
                    break
                rows.append(row)
        return reached, sorted(rows, key=lambda row: row.row_id)

    def since(self, moment: float, newest: Mapping[dg.AssetCheckKey, int]) -> int:
        """The id after which the rows begin that were written since then."""
        first = max(newest.values(), default=0) + 1
        for key in newest:
            for row in self._backwards(key):
                if row.timestamp < moment:
                    break
                first = min(first, row.row_id)
        return first - 1

    def row(self, push_key: dg.AssetKey, check: str, row_id: int) -> CheckRow | None:
        """This row as it is now; None when its asset was wiped, or is watched no more."""
        key = dg.AssetCheckKey(graph_key_of(push_key, self._named), check)
        if key not in self._push_keys:
            return None
        found = self._storage.get_asset_check_execution_history(key, limit=1, cursor=row_id + 1)
        return next((self._row(key, record) for record in found if record.id == row_id), None)

    def _backwards(self, key: dg.AssetCheckKey, *, before: int | None = None) -> Iterator[CheckRow]:
        while True:
            records = self._storage.get_asset_check_execution_history(key, limit=_PAGE, cursor=before)
            yield from (self._row(key, record) for record in records)
            if len(records) < _PAGE:
                return
            before = records[-1].id

    def _row(self, key: dg.AssetCheckKey, record: Any) -> CheckRow:
        return CheckRow(
            row_id=record.id,
            push_key=self._push_keys[key],
            check=key.name,
            timestamp=max(record.create_timestamp, record.event.timestamp if record.event is not None else 0.0),
            evaluation=evaluation_in(record),
        )
