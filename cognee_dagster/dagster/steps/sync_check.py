"""The check ``remote_in_sync``: reads the remote dataset back, now, and holds it against the archive last pushed.

It is about what the remote has, whoever changed it since: for a mirror that has to be the graph exactly, after any
other push at least all of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import Push, latest_push
from cognee_dagster.dagster.links import with_links
from cognee_dagster.dagster.steps.mirror import has_to_be_exact, how_to_mend
from cognee_dagster.dagster.steps.partition_checks import check_each_partition
from cognee_dagster.dagster.steps.pushed_archive import compare_with_pushed
from cognee_dagster.dagster.steps.unknown import nothing_pushed
from cognee_dagster.errors import DatasetNotFoundError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.difference import unreadable_in_words
from cognee_dagster.pushing.verify import Difference, RemoteComparison, compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

_EXAMPLES = 10


def check_in_sync(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive
) -> dg.AssetCheckResult:
    """Compare the remote with what the latest push sent, whichever archives were made since."""
    push = latest_push(context.instance, dataset.push_key)
    if push is None:
        return nothing_pushed(dataset)
    return _check(context, dataset, archive=archive, push=push)


def check_partitions_in_sync(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    """Compare the remote dataset of every partition with what its latest push sent."""
    return check_each_partition(context, dataset, _check)


def _check(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive, push: Push
) -> dg.AssetCheckResult:
    return compare_with_pushed(
        context,
        dataset,
        lambda client, archives: _compare(client, archives, push),
        made=archive,
        push=push,
    )


def _compare(client: CogneeClient, archives: "Sequence[Archive]", push: Push) -> dg.AssetCheckResult:
    try:
        found = compare_archives(archives, client=client, target_dataset=push.target_dataset)
    except DatasetNotFoundError as error:
        reason = f"{error} Push again."
        return dg.AssetCheckResult(passed=False, description=reason, metadata={keys.REASON: reason, **_of_push(push)})
    return _result(found, push)


def _result(found: RemoteComparison, push: Push) -> dg.AssetCheckResult:
    exact = has_to_be_exact(push.metadata.get(keys.MIRROR))
    wrong = found.wrong(exact=exact, mode=str(push.metadata.get(keys.MODE)))
    besides = [difference.in_words for difference in found.differences if difference not in wrong]
    nodes, edges = counted(found.num_nodes, "node"), counted(found.num_edges, "edge")
    where = f"{found.target_dataset!r} on {push.remote_url}"
    if wrong:
        what = "; ".join(difference.in_words for difference in wrong)
        words = f"{where} is not what was last pushed: {what}. {_advice(wrong, push)}"
    elif found.unreadable:
        words = f"Whether {where} is what was last pushed is not known: {unreadable_in_words(found.unreadable)}."
    else:
        words = f"{where} {'is exactly' if found.is_exact else 'has all of'} what was last pushed: {nodes}, {edges}."
    metadata: dict[str, Any] = {
        **({keys.REASON: words} if wrong or found.unreadable else {}),
        **_of_push(push),
        keys.NUM_NODES: found.num_nodes,
        keys.NUM_EDGES: found.num_edges,
        keys.NUM_DIFFERENCES: sum(difference.count for difference in found.differences),
        keys.NOT_COMPARED: found.not_compared,
    }
    if found.differences:
        metadata[keys.DIFFERENCES] = _table(found.differences)
    if besides:
        metadata[keys.REMARKS] = "; ".join(besides)
    return dg.AssetCheckResult(
        passed=not wrong and not found.unreadable,
        severity=dg.AssetCheckSeverity.WARN if found.unreadable and not wrong else dg.AssetCheckSeverity.ERROR,
        description=words,
        metadata=metadata,
    )


def _advice(wrong: Sequence[Difference], push: Push) -> str:
    return how_to_mend(wrong) if keys.MIRROR in push.metadata else "Push again."


def _table(differences: Sequence[Difference]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "kind": difference.kind,
                    "difference": difference.what,
                    "count": difference.count,
                    "examples": "; ".join(difference.examples[:_EXAMPLES]),
                }
            )
            for difference in differences
        ]
    )


def _of_push(push: Push) -> dict[str, Any]:
    return with_links(
        {
            keys.TARGET_DATASET: push.target_dataset,
            keys.REMOTE_URL: push.remote_url,
            keys.ARCHIVE_DIGEST: push.metadata.get(keys.ARCHIVE_DIGEST),
            keys.PIPELINE_RUN_ID: push.run_id or None,
            keys.PUSH_RUN_ID: push.dagster_run_id,
        }
    )
