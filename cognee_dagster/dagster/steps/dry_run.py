"""What a push that is launched with ``dry_run`` does: it says what it would do, as an observation."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import latest_push
from cognee_dagster.dagster.links import with_links
from cognee_dagster.dagster.steps.chosen_archive import find_stored
from cognee_dagster.dagster.steps.mirror import MirrorPlace, plan_for_mirror
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.errors import CogneeDagsterError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.wording import with_name
from cognee_dagster.pushing.mirror.wording import kept_in_words
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

_WHAT = ("added", "changed", "removed")


def observe_plan(
    context: dg.AssetExecutionContext,
    dataset: CogneeDataset,
    archives: "Sequence[Archive]",
    *,
    client: CogneeClient,
    options: PushOptions,
    mirror: MirrorPlace | None,
) -> None:
    """Log what a push would send and remove; nothing is sent.

    Args:
        context: The step's.
        dataset: Whose push it is.
        archives: What would be pushed.
        client: The remote.
        options: Where to.
        mirror: The mirror that would be brought to their state; None where a full push would send all of them.
    """
    metadata: dict[str, Any] = {
        keys.DRY_RUN: True,
        keys.TARGET_DATASET: options.target_of(archives[0].dataset_name),
        keys.REMOTE_URL: client.connection.url,
        keys.ARCHIVE_DIGEST: archives[0].digest,
    }
    plan = {} if mirror is None else plan_for_mirror(archives, mirror=mirror, client=client, options=options)
    if not plan or plan["cannot_be_mirrored_because"]:
        nodes, edges = (sum(getattr(archive, name) for archive in archives) for name in ("num_nodes", "num_edges"))
        words = f"A full push: {counted(nodes, 'node')} and {counted(edges, 'edge')} would be sent, nothing removed"
        if plan:
            words += f", since the graph cannot be mirrored: {plan['cannot_be_mirrored_because']}"
            words = f"A push would be refused: {plan['refusal']}" if plan["refusal"] else words
        metadata |= {keys.NUM_NODES: nodes, keys.NUM_EDGES: edges}
        metadata[keys.ARCHIVE_BYTES] = sum(archive.size_bytes for archive in archives)
    else:
        plan["examples"]["nodes"]["removed"] = _named(context, dataset, plan["examples"]["nodes"]["removed"])
        words = _in_words(plan)
        metadata |= {keys.PLAN: _table(plan), keys.PLAN_DETAILS: plan}
    context.log.info(f"{words}. Nothing was sent: this is a dry run.")
    context.log_event(
        dg.AssetObservation(
            asset_key=context.asset_key,
            partition=partition_of(context),
            description=words,
            metadata=with_links(metadata),
        )
    )


def _named(context: dg.AssetExecutionContext, dataset: CogneeDataset, ids: Sequence[str]) -> list[str]:
    """Nodes that are gone, by id and, where the archive that was last pushed is still stored, by the name in it."""
    partition = partition_of(context)
    push = latest_push(context.instance, dataset.push_key, partition=partition) if ids else None
    names: Mapping[str, str] = {}
    if push is not None:
        from cognee_dagster.pushing.mirror.plan.examples import names_of  # numpy comes with it

        try:
            digest = str(push.metadata.get(keys.ARCHIVE_DIGEST))
            with find_stored(context, dataset, digest, partition=partition).local() as archives:
                names = names_of(archives, ids)
        except (CogneeDagsterError, OSError) as error:
            context.log.info(f"What the nodes that are gone were called is not known: {error}")
    return [with_name(node_id, names.get(node_id)) for node_id in ids]


def _in_words(plan: Mapping[str, Any]) -> str:
    if plan["refusal"]:
        return f"A push would be refused: {plan['refusal']}"
    besides = (
        f"; there are besides {plan['unowned']['in_words']}" if plan["unowned"] and not plan["emptied_first"] else ""
    )
    if plan["nothing_to_do"] and besides:
        return f"A push would send nothing: the remote has all of the graph{besides}"
    if plan["in_sync"] and plan["nodes_of_other_mirrors"]:
        beside = counted(plan["nodes_of_other_mirrors"], "node")
        return f"A push would send nothing: the remote has all of the graph, and {beside} more of another mirror"
    if plan["in_sync"]:
        return "The remote is in sync: a push would send nothing"
    kinds = ("nodes", "edges", "documents")
    counts = ", ".join(f"+{(of := plan[kind])['added']} ~{of['changed']} -{of['removed']} {kind}" for kind in kinds)
    adopted = "; what others have brought and the graph does not have would be removed" if plan["adopts"] else ""
    kept = f"; {words}" if (words := kept_in_words(plan)) else ""
    sent = f"{plan['segments_sent']} of {counted(plan['segments'], 'segment')} would be sent"
    others = f", also of {plan['emptied_of']}" if plan["emptied_of"] else ""
    emptied = f"; the remote graph would be emptied first{others}" if plan["emptied_first"] else ""
    return f"{counts}; {sent}{emptied}{adopted}{kept}{besides}"


def _table(plan: Mapping[str, Any]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "records": kind,
                    **{what: plan[kind][what] for what in _WHAT},
                    "examples": "; ".join(
                        f"{what} {example}" for what in _WHAT for example in plan["examples"][kind].get(what, ())
                    ),
                }
            )
            for kind in ("nodes", "edges", "documents")
        ]
    )
