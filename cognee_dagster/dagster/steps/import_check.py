"""The check ``remote_import_succeeded``: asks the remote, now, what has become of the latest push.

The import sensor and a push in the foreground evaluate the same check when an import ends; this is what the Execute
button runs in between.
"""

import time
from collections.abc import Callable

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.failed_pushes import FailedPush, failed_push
from cognee_dagster.dagster.event_log.pushes import Push, latest_push
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.steps.import_result import failed_before, result_about
from cognee_dagster.dagster.steps.partition_checks import (
    ask_about_partitions,
    result_of_partitions,
    tries_of_partitions,
)
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.dagster.steps.unknown import not_known, nothing_pushed, pushed_elsewhere
from cognee_dagster.errors import ConnectionConfigError, RemoteError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import STALLED_AFTER, ImportVerdict
from cognee_dagster.remote.imports.watch import ImportWatch


def check_import(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    """Ask about the dataset's latest push; of a chain with partitions, about that of each partition."""
    partition = partition_of(context)
    if dataset.partitions is not None and partition is None:
        return _check_partitions(context, dataset)
    push = latest_push(context.instance, dataset.push_key, partition=partition)
    after = push.storage_id if push is not None else 0
    push = failed_push(context.instance, dataset.push_key, partition=partition, after=after) or push
    if push is None:
        return nothing_pushed(dataset)
    if isinstance(push, FailedPush) and not push.run_id:
        return failed_before(push)
    remote: CogneeRemote = getattr(context.resources, dataset.remote)

    def ask() -> dg.AssetCheckResult:
        with remote.client() as client:
            if push.remote_url != client.connection.url:
                return pushed_elsewhere(push, client.connection, remote=dataset.remote)
            return result_about(push, ask_about(client, push))

    with engine_step(context):
        return unless_unanswered(ask)


def _check_partitions(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    pushes = tries_of_partitions(context, dataset)
    if not pushes:
        return nothing_pushed(dataset)
    remote: CogneeRemote = getattr(context.resources, dataset.remote)

    def ask() -> dg.AssetCheckResult:
        with remote.client() as client:
            return result_of_partitions(ask_about_partitions(client, pushes))

    with engine_step(context):
        return unless_unanswered(ask)


def once_imported(
    context: dg.AssetCheckExecutionContext,
    dataset: CogneeDataset,
    push: Push,
    ask: Callable[[CogneeClient], dg.AssetCheckResult],
) -> dg.AssetCheckResult:
    """What is found where a push went; a warning where the remote is another now, or the import is under way."""
    remote: CogneeRemote = getattr(context.resources, dataset.remote)
    with remote.client() as client:
        if push.remote_url != client.connection.url:
            return pushed_elsewhere(push, client.connection, remote=dataset.remote)
        if push.in_background and (verdict := ask_about(client, push)).state.is_under_way:
            return not_known(f"The import of the latest push is still under way: {verdict.reason}")
        return ask(client)


def unless_unanswered(ask: Callable[[], dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """The check's result; where the remote gives no answer, that nothing is known, and why."""
    try:
        return ask()
    except (RemoteError, ConnectionConfigError) as error:
        return not_known(f"The remote could not be asked: {error}", error_class=type(error).__name__)


def ask_about(client: CogneeClient, push: Push) -> ImportVerdict:
    """What has become of a push's import."""
    return ImportWatch(feed=client, now=time.time(), stalled_after=STALLED_AFTER).ask(push.watched)
