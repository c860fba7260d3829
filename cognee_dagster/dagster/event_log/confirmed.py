"""What a target has confirmed: the newest import that succeeded there, unless a check has failed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.dagster.event_log.failed_pushes import failed_push
from cognee_dagster.dagster.event_log.pushes import of_partition, plain_metadata
from cognee_dagster.errors import PromotionError

_PAGE = 100
_FIRST = 10  # of which most often the newest is looked for

_AGAIN = "When that is mended, launch this again; or name the archive that is to be sent."

_CHECKS = (keys.CHECK_IMPORT_SUCCEEDED, keys.CHECK_GRAPH_COMPLETE, keys.CHECK_IN_SYNC, keys.CHECK_ANSWERS)


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What an evaluation says of a remote graph, or of that of one partition.

    Attributes:
        passed: Whether it is as it should be.
        push_run_id: The Dagster run whose push it is about, if it says so.
        description: Why it is not.
    """

    passed: bool
    push_run_id: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfirmedImport:
    """An import that has succeeded.

    Attributes:
        digest: Of the graph's content.
        sha256s: Of the archives' files, in order.
    """

    digest: str
    sha256s: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Confirmations:
    """What is known of the imports into one remote dataset.

    A push of the same asset that was launched for another ``target_dataset`` is none of it.

    Attributes:
        instance: Dagster's.
        push_key: The push asset, and
        graph_key: the asset that stands for its import.
        target_dataset: The remote dataset; None: it is not known, so that an import into any is one.
        partition: The partition, if any.
    """

    instance: dg.DagsterInstance
    push_key: dg.AssetKey
    graph_key: dg.AssetKey
    target_dataset: str | None
    partition: str | None = None

    def newest(self) -> ConfirmedImport | None:
        """The newest import that ended well, whatever came after it; None: there is none."""
        _, metadata = self._newest_of(self.graph_key)
        return _confirmed(metadata) if metadata.get(keys.ARCHIVE_SHA256) else None

    def to_promote(self) -> ConfirmedImport:
        """The newest import that ended well, where nothing says that the remote graph is not its graph any more.

        Raises:
            PromotionError: There is none, a newer push has failed, or a check says of this one that the remote graph is
                not what was pushed. A check that nobody has executed says nothing, nor does one that could not ask.
        """
        name = self.graph_key.to_user_string()
        _, metadata = self._newest_of(self.graph_key)
        if not metadata.get(keys.ARCHIVE_SHA256):
            by = f" by an import into {self.target_dataset!r}" if self.target_dataset is not None else ""
            raise PromotionError(
                f"Nothing can be promoted: {name} was never materialized{by}, so that none is confirmed."
            )
        self._refuse_after_a_failed_push(name)
        for check in _CHECKS:
            latest = self._latest(check)
            of_import = check == keys.CHECK_IMPORT_SUCCEEDED  # of the newest push, and evaluated for each
            # One about an earlier push says nothing about what came after.
            is_of_it = latest is not None and (of_import or latest.push_run_id == metadata.get(keys.PUSH_RUN_ID))
            if latest is not None and not latest.passed and is_of_it:
                raise PromotionError(
                    f"Nothing is promoted: the check {check} of {name} has failed. {latest.description} {_AGAIN}"
                )
            if latest is None and of_import:
                raise PromotionError(
                    f"Nothing is promoted: the check {check} of {name} has not passed yet. Execute it."
                )
        return _confirmed(metadata)

    def _refuse_after_a_failed_push(self, name: str) -> None:
        """A push that failed may have been imported in part, whatever the check was found to say since."""
        after, _ = self._newest_of(self.push_key)
        failed = failed_push(
            self.instance,
            self.push_key,
            partition=self.partition,
            after=after,
            target_dataset=self.target_dataset,
        )
        if failed is None:
            return
        raise PromotionError(
            f"Nothing is promoted: a push after what {name} confirms has failed. {failed.reason} {_AGAIN}"
        )

    def _newest_of(self, key: dg.AssetKey) -> tuple[int, Mapping[str, Any]]:
        """Storage id and metadata of the newest materialization that is about this remote dataset; 0 without one."""
        cursor: str | None = None
        more = True
        while more:
            page = self.instance.fetch_materializations(of_partition(key, self.partition), limit=_FIRST, cursor=cursor)
            for record in page.records:
                event = record.asset_materialization
                metadata = plain_metadata(event.metadata) if event is not None else {}
                if self._is_ours(metadata):
                    return record.storage_id, metadata
            cursor, more = page.cursor, page.has_more and bool(page.records)
        return 0, {}

    def _is_ours(self, metadata: Mapping[str, Any]) -> bool:
        return self.target_dataset in (None, metadata.get(keys.TARGET_DATASET))

    def _latest(self, check: str) -> "_Said | None":
        """What the newest evaluation that knows something says."""
        storage, before = self.instance.event_log_storage, None
        key = dg.AssetCheckKey(self.graph_key, check)
        while records := storage.get_asset_check_execution_history(key, limit=_PAGE, cursor=before):
            for record in records:
                evaluation = evaluation_in(record)
                if evaluation is not None and (said := self._said(evaluation)) is not None:
                    return said
            before = records[-1].id
        return None

    def _said(self, evaluation: dg.AssetCheckEvaluation) -> "_Said | None":
        """None where it could not ask, or is about another partition or remote dataset.

        One that was executed is about all partitions.
        """
        metadata = plain_metadata(evaluation.metadata)
        not_fine: Mapping[str, str | None] | None = metadata.get(keys.PARTITIONS_NOT_FINE)
        description = evaluation.description or ""
        if self.partition is not None and not_fine is not None:
            pushed_by = not_fine.get(self.partition, "")
            if pushed_by is None:
                return None
            return _Said(passed=self.partition not in not_fine, push_run_id=pushed_by, description=description)
        if metadata.get(keys.PARTITION) not in (None, self.partition):
            return None
        if metadata.get(keys.TARGET_DATASET) is not None and not self._is_ours(metadata):
            return None
        if not evaluation.passed and evaluation.severity is not dg.AssetCheckSeverity.ERROR:
            return None
        return _Said(passed=evaluation.passed, push_run_id=metadata.get(keys.PUSH_RUN_ID), description=description)


def _confirmed(metadata: Mapping[str, Any]) -> ConfirmedImport:
    return ConfirmedImport(
        digest=str(metadata.get(keys.ARCHIVE_DIGEST)), sha256s=tuple(str(metadata[keys.ARCHIVE_SHA256]).split())
    )
