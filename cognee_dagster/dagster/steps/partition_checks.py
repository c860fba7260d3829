"""What a check of ``remote_graph`` says of a chain with partitions: of all of them at once, since a check has none.

Dagster stores one evaluation of a check and partition without a run, so that the import sensor could not write a second
one of a partition. Executed, a check looks at every partition's latest push, and names those that are not as they
should be.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.failed_pushes import FailedPush, failed_pushes
from cognee_dagster.dagster.event_log.pushes import Push, latest_pushes, plain_metadata
from cognee_dagster.dagster.steps.chosen_archive import latest_archive
from cognee_dagster.dagster.steps.import_result import failed_before, result_about
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.dagster.steps.unknown import not_known, nothing_pushed
from cognee_dagster.graph.counting import counted
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.imports.watch import ImportWatch
from cognee_dagster.store.stored import StoredArchive

_MAX_NAMED = 20  # partitions in a description
_AS_IT_SHOULD_BE = ("partition is as it should be", "partitions are as they should be")


def pushes_of_partitions(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dict[str, Push]:
    """The newest push of each partition that there is and that was pushed."""
    return latest_pushes(context.instance, dataset.push_key, _partitions(context, dataset))


def tries_of_partitions(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dict[str, Push]:
    """The same, with those that failed since; also of partitions none of whose pushes has succeeded."""
    pushes = pushes_of_partitions(context, dataset)
    failed = failed_pushes(context.instance, dataset.push_key, _partitions(context, dataset), after=pushes)
    return {**pushes, **failed}


def _partitions(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> set[str]:
    assert dataset.partitions is not None  # noqa: S101 - what the caller looked at
    return set(dataset.partitions.get_partition_keys(dynamic_partitions_store=context.instance))


class CheckOne(Protocol):
    """What a check does for one partition."""

    def __call__(
        self, context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive, push: Push
    ) -> dg.AssetCheckResult: ...


def check_each_partition(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, check: CheckOne
) -> dg.AssetCheckResult:
    """One result about every partition that was pushed, each held against what was pushed of it."""

    def check_one(key: str, push: Push) -> dg.AssetCheckResult:
        with engine_step(context):
            of_it = dataset.of_partition(key)
            archive = latest_archive(context, of_it, partition=key)
        return check(context, of_it, archive=archive, push=push)

    return result_one_by_one(context, dataset, check_one)


def result_one_by_one(
    context: dg.AssetCheckExecutionContext,
    dataset: CogneeDataset,
    check_one: Callable[[str, Push], dg.AssetCheckResult],
) -> dg.AssetCheckResult:
    """One result about the latest push of every partition; what one fails with says nothing of the others.

    Args:
        context: The step of the check.
        dataset: The dataset.
        check_one: What to do about a partition and its push, in steps of the engine of its own.
    """
    results: dict[str, dg.AssetCheckResult] = {}
    for key, push in sorted(pushes_of_partitions(context, dataset).items()):
        try:
            results[key] = check_one(key, push)
        except dg.Failure as failure:  # one tenant's archive is damaged or gone: the others are looked at
            results[key] = not_known(str(failure.description))
    if not results:
        return nothing_pushed(dataset)
    return result_of_partitions(results)


def ask_about_partitions(client: CogneeClient, pushes: Mapping[str, Push]) -> dict[str, dg.AssetCheckResult]:
    """What the check says of each partition, with few requests where the imports are well.

    Raises:
        RemoteError: The remote does not answer.
    """
    unasked = {key: push for key, push in pushes.items() if isinstance(push, FailedPush) and not push.run_id}
    pushes = {key: push for key, push in pushes.items() if key not in unasked}
    here = {key: push for key, push in pushes.items() if push.remote_url == client.connection.url}
    results = {key: failed_before(push) for key, push in unasked.items()}
    results |= {
        key: not_known(f"It was pushed to {push.remote_url}, and the remote is now {client.connection.url}.")
        for key, push in pushes.items()
        if key not in here
    }
    watch = ImportWatch(feed=client, now=time.time(), stalled_after=STALLED_AFTER)
    items = [push.watched for push in here.values()]
    answers = watch.ask_about(items, watch.read(items))
    for index, (key, push) in enumerate(here.items()):
        if index in answers.verdicts:
            results[key] = result_about(push, answers.verdicts[index])
        else:
            error = answers.errors.get(index) or answers.unreachable
            results[key] = not_known(f"The remote could not be asked: {error}")
    return results


def result_of_partitions(results: Mapping[str, dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """One result of a check for all partitions: what is wrong first, as bad as the worst."""
    bad = {key: result for key, result in sorted(results.items()) if not result.passed}
    wrong = [key for key, result in bad.items() if result.severity is dg.AssetCheckSeverity.ERROR]
    ordered = [*wrong, *(key for key in bad if key not in wrong)]
    lines = [f"{key}: {bad[key].description}" for key in ordered[:_MAX_NAMED]]
    if len(ordered) > _MAX_NAMED:
        lines.append(f"and {len(ordered) - _MAX_NAMED} more")
    fine = len(results) - len(bad)
    pushed_by = {key: _push_run(result) if key in wrong else None for key, result in bad.items()}
    metadata: dict[str, Any] = {keys.PARTITIONS: len(results), keys.PARTITIONS_NOT_FINE: pushed_by}
    if ordered:
        metadata[keys.REASON] = "\n".join(lines)
    return dg.AssetCheckResult(
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR if wrong or not bad else dg.AssetCheckSeverity.WARN,
        description=f"{fine} of {counted(len(results), *_AS_IT_SHOULD_BE)}." + "".join(f"\n{x}" for x in lines),
        metadata=metadata,
    )


def _push_run(result: dg.AssetCheckResult) -> str:
    """The Dagster run that made the push which a result is about."""
    return str(plain_metadata(result.metadata).get(keys.PUSH_RUN_ID) or "")
