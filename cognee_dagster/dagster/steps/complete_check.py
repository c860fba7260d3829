"""The check ``remote_graph_complete``: reads the remote graph back, now, and holds it against the archive last pushed.

A push in the foreground with ``verify="graph"`` compares by itself; this is how the graph of one in the background, or
one that somebody else may have changed since, is compared.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import Push, latest_push
from cognee_dagster.dagster.links import with_links
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.steps.import_check import unless_unanswered
from cognee_dagster.dagster.steps.mirror import SEND_ALL_AGAIN
from cognee_dagster.dagster.steps.partition_checks import check_each_partition
from cognee_dagster.dagster.steps.pushed_archive import compare_with_pushed
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


def check_complete(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive
) -> dg.AssetCheckResult:
    """Compare with what the latest push sent, whichever archives were made since; before any, with the latest."""
    push = latest_push(context.instance, dataset.push_key)
    if push is not None:
        return _check(context, dataset, archive=archive, push=push)
    remote: CogneeRemote = getattr(context.resources, dataset.remote)
    target = str(dataset.target_dataset or archive.dataset_name)

    def ask() -> dg.AssetCheckResult:
        with remote.client() as client:
            return _compare(client, archives, target, push=None)

    with engine_step(context), archive.local() as archives:
        return unless_unanswered(ask)


def check_partitions_complete(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    """Compare the remote dataset of every partition with what its latest push sent."""
    return check_each_partition(context, dataset, _check)


def _check(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive, push: Push
) -> dg.AssetCheckResult:
    return compare_with_pushed(
        context,
        dataset,
        lambda client, archives: _compare(client, archives, push.target_dataset, push=push),
        made=archive,
        push=push,
    )


def _compare(
    client: CogneeClient, archives: "Sequence[Archive]", target: str, *, push: Push | None
) -> dg.AssetCheckResult:
    url = client.connection.url
    remote_dataset = client.find_dataset(target)
    metadata: dict[str, Any] = {
        keys.TARGET_DATASET: target,
        keys.REMOTE_URL: url,
        keys.ARCHIVE_DIGEST: archives[0].digest,
    }
    if push is not None:  # which import brought the graph
        metadata |= {keys.PIPELINE_RUN_ID: push.run_id or None, keys.PUSH_RUN_ID: push.dagster_run_id}
    if remote_dataset is None:
        problems = [f"{url} has no dataset {target!r}. Push it."]
    else:
        found = compare_graph(client, remote_dataset.id, archives)
        is_mirror = push is not None and keys.MIRROR in push.metadata
        problems = [*found.lacking, SEND_ALL_AGAIN] if is_mirror and found.lacking else found.problems
        problems = [f"{target!r} on {url} is incomplete:", *problems] if problems else []
        if found.remarks:
            metadata[keys.REMARKS] = " ".join(found.remarks)
    return dg.AssetCheckResult(
        passed=not problems,
        description=" ".join(problems) or f"All nodes and edges of the archive are in {target!r} on {url}.",
        metadata=with_links(metadata),
    )
