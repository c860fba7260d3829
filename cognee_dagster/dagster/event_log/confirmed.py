"""What a target has confirmed: the newest import that succeeded there, unless a check has failed since."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.dagster.event_log.pushes import latest_materialization, plain_metadata
from cognee_dagster.errors import PromotionError

_PAGE = 100

_CHECKS = (keys.CHECK_IMPORT_SUCCEEDED, keys.CHECK_GRAPH_COMPLETE, keys.CHECK_IN_SYNC, keys.CHECK_ANSWERS)


@dataclass(frozen=True, kw_only=True)
class ConfirmedImport:
    """An import that has succeeded.

    Attributes:
        digest: Of the graph's content.
        sha256s: Of the archives' files, in order.
    """

    digest: str
    sha256s: tuple[str, ...]


def confirmed_import(
    instance: dg.DagsterInstance, graph_key: dg.AssetKey, *, partition: str | None = None
) -> ConfirmedImport:
    """The newest import into a ``remote_graph`` that succeeded.

    Raises:
        PromotionError: There is none, a newer one has failed, or a check says of this one that the remote graph is not
            what was pushed. A check that nobody has executed says nothing, nor does one that could not ask.
    """
    name = graph_key.to_user_string()
    found = latest_materialization(instance, graph_key, partition=partition)
    metadata = plain_metadata(found.metadata) if found is not None else {}
    if not metadata.get(keys.ARCHIVE_SHA256):
        raise PromotionError(f"Nothing can be promoted: {name} was never materialized, so that no import is confirmed.")
    for check in _CHECKS:
        latest = _latest(instance, dg.AssetCheckKey(graph_key, check), partition=partition)
        of_import = check == keys.CHECK_IMPORT_SUCCEEDED  # which speaks of the newest push, and is evaluated for each
        # One about an earlier push says nothing about what came after.
        is_of_it = latest is not None and (of_import or latest.push_run_id == metadata.get(keys.PUSH_RUN_ID))
        if latest is not None and not latest.passed and is_of_it:
            raise PromotionError(
                f"Nothing is promoted: the check {check} of {name} has failed. {latest.description} Push there "
                "again, or name the archive that is to be sent."
            )
        if latest is None and of_import:
            raise PromotionError(f"Nothing is promoted: the check {check} of {name} has not passed yet. Execute it.")
    return ConfirmedImport(
        digest=str(metadata.get(keys.ARCHIVE_DIGEST)), sha256s=tuple(str(metadata[keys.ARCHIVE_SHA256]).split())
    )


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


def _latest(instance: dg.DagsterInstance, key: dg.AssetCheckKey, *, partition: str | None) -> _Said | None:
    """What the newest evaluation that knows something says."""
    storage, before = instance.event_log_storage, None
    while records := storage.get_asset_check_execution_history(key, limit=_PAGE, cursor=before):
        for record in records:
            evaluation = evaluation_in(record)
            if evaluation is not None and (said := _said(evaluation, partition)) is not None:
                return said
        before = records[-1].id
    return None


def _said(evaluation: dg.AssetCheckEvaluation, partition: str | None) -> _Said | None:
    """None where it could not ask, or is about another partition. One that was executed is about all of them."""
    metadata = plain_metadata(evaluation.metadata)
    not_fine: Mapping[str, str | None] | None = metadata.get(keys.PARTITIONS_NOT_FINE)
    description = evaluation.description or ""
    if partition is not None and not_fine is not None:
        pushed_by = not_fine.get(partition, "")
        if pushed_by is None:
            return None
        return _Said(passed=partition not in not_fine, push_run_id=pushed_by, description=description)
    if metadata.get(keys.PARTITION) not in (None, partition):
        return None
    if not evaluation.passed and evaluation.severity is not dg.AssetCheckSeverity.ERROR:
        return None
    return _Said(passed=evaluation.passed, push_run_id=metadata.get(keys.PUSH_RUN_ID), description=description)
