"""The check ``remote_answers``: asks the remote the dataset's probes, now.

A push in the foreground and the import sensor evaluate the same check when an import ends; this is what the Execute
button, and a schedule of the check, run in between.
"""

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.answers import ProbeAnswers
from cognee_dagster.dagster.event_log.pushes import Push, latest_push
from cognee_dagster.dagster.steps.import_check import once_imported, unless_unanswered
from cognee_dagster.dagster.steps.partition_checks import result_one_by_one
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.dagster.steps.unknown import nothing_pushed
from cognee_dagster.pushing.probes.asking import ask_probes
from cognee_dagster.remote.client import CogneeClient


def check_answers(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    """Ask where the latest push went; of a chain with partitions, where that of each partition went."""
    partition = partition_of(context)
    if dataset.partitions is not None and partition is None:
        return result_one_by_one(context, dataset, lambda key, push: _ask(context, dataset, push, partition=key))
    push = latest_push(context.instance, dataset.push_key, partition=partition)
    if push is None:
        return nothing_pushed(dataset)
    return _ask(context, dataset, push, partition=partition)


def _ask(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, push: Push, *, partition: str | None
) -> dg.AssetCheckResult:
    with engine_step(context):
        of_it = dataset if partition is None else dataset.of_partition(partition)

        def ask(client: CogneeClient) -> dg.AssetCheckResult:
            answers = ask_probes(client, of_it.probes, target_dataset=push.target_dataset)
            return ProbeAnswers(push=push, items=answers).check_result()

        return unless_unanswered(lambda: once_imported(context, of_it, push, ask))
