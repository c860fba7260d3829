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
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.steps.import_check import ask_about
from cognee_dagster.dagster.steps.partition_checks import check_each_partition
from cognee_dagster.dagster.steps.pushed_archive import compare_with_pushed
from cognee_dagster.dagster.steps.unknown import not_known, nothing_pushed, pushed_elsewhere
from cognee_dagster.errors import DatasetNotFoundError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.compared import Difference, RemoteComparison, compare_archives
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

_EXAMPLES = 10
_PHRASES = {
    "missing": "missing on the remote",
    "renamed": "there under another name",
    "changed": "there with another type or property",
    "extra": "on the remote only",
}


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
    if push.metadata.get(keys.MODE) == "re-derive":
        return not_known("The latest push was in mode re-derive: the remote has a graph of its own, not what was sent.")
    remote: CogneeRemote = getattr(context.resources, dataset.remote)
    return compare_with_pushed(
        context, dataset, lambda archives: _ask(dataset, remote, archives, push), made=archive, push=push
    )


def _ask(
    dataset: CogneeDataset, remote: CogneeRemote, archives: "Sequence[Archive]", push: Push
) -> dg.AssetCheckResult:
    with remote.client() as client:
        if push.remote_url != client.connection.url:
            return pushed_elsewhere(push, client.connection, remote=dataset.remote)
        if push.in_background and (verdict := ask_about(client, push)).state.is_under_way:
            return not_known(f"The import of the latest push is still under way: {verdict.reason}")
        try:
            found = compare_archives(archives, client=client, target_dataset=push.target_dataset)
        except DatasetNotFoundError as error:
            reason = f"{error} Push again."
            metadata = {keys.REASON: reason, **_of_push(push)}
            return dg.AssetCheckResult(passed=False, description=reason, metadata=metadata)
        return _result(dataset, found, push)


def _result(dataset: CogneeDataset, found: RemoteComparison, push: Push) -> dg.AssetCheckResult:
    wrong = [difference for difference in found.differences if _is_wrong(difference, dataset, push)]
    besides = [_in_words(difference) for difference in found.differences if difference not in wrong]
    nodes, edges = counted(found.num_nodes, "node"), counted(found.num_edges, "edge")
    where = f"{found.target_dataset!r} on {push.remote_url}"
    if wrong:
        words = f"{where} is not what was last pushed: {'; '.join(map(_in_words, wrong))}. {_advice(wrong, push)}"
    else:
        words = f"{where} {'is exactly' if found.is_exact else 'has all of'} what was last pushed: {nodes}, {edges}."
    metadata: dict[str, Any] = {
        **({keys.REASON: words} if wrong else {}),
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
    return dg.AssetCheckResult(passed=not wrong, description=words, metadata=metadata)


def _is_wrong(difference: Difference, dataset: CogneeDataset, push: Push) -> bool:
    """A full push merges: what the remote has besides is right. After hybrid, cognify may have changed nodes."""
    if difference.what == "extra":
        return keys.MIRROR in push.metadata and dataset.on_removed != "keep"
    return difference.what == "missing" or push.metadata.get(keys.MODE) == "preserve"


def _advice(wrong: Sequence[Difference], push: Push) -> str:
    if keys.MIRROR not in push.metadata:
        return "Push again."
    if any(difference.what != "extra" for difference in wrong):
        return "Launch the push with resend, which sends everything again."
    return (
        "Launch the push with adopt, which removes what other pushes have brought; what was made on the remote itself "
        'goes with on_removed="replace" and a push that is launched with resend.'
    )


def _in_words(difference: Difference) -> str:
    count = counted(difference.count, difference.kind)
    return f"{count} {_PHRASES[difference.what]}, such as {difference.examples[0]}"


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
