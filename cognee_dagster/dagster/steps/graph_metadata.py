"""What a materialization says about a graph."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.steps.picture import picture_as_markdown
from cognee_dagster.dagster.steps.tables import count_table, counts_in, table_of

if TYPE_CHECKING:
    from cognee_dagster.graph.portrait import GraphPortrait
    from cognee_dagster.store.snapshots import Snapshot

_MOST_CONNECTED = 10


def graph_metadata(
    snapshot: "Snapshot", *, seconds: float, before: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """The metadata of ``cognified_graph``.

    Args:
        snapshot: The graph.
        seconds: How long the step took.
        before: The metadata of the former version; empty: there is none.
    """
    summary, origin = snapshot.summary, snapshot.origin
    metadata: dict[str, Any] = {
        keys.NUM_NODES: summary.num_nodes,
        keys.NUM_EDGES: summary.num_edges,
        **(_shown(snapshot.portrait) if snapshot.portrait is not None else {}),
        keys.NODES_BY_TYPE: count_table(
            summary.nodes_by_type, name="node_type", count="nodes", before=counts_in(before.get(keys.NODES_BY_TYPE))
        ),
        **_entities(summary.entities_by_type, before),
        keys.EDGES_BY_RELATIONSHIP: count_table(
            summary.edges_by_relationship,
            name="relationship",
            count="edges",
            before=counts_in(before.get(keys.EDGES_BY_RELATIONSHIP)),
        ),
        keys.GRAPH_DIGEST: summary.digest,
        keys.DATASET_NAME: origin.dataset_name,
        keys.READ_THROUGH: origin.read_through,
        keys.GRAPH_READ: snapshot.read,
        keys.SECONDS: round(seconds, 3),
    }
    if summary.profile is not None:
        metadata[keys.PROFILE] = summary.profile
    if summary.attributes_left_behind:
        metadata[keys.ATTRIBUTES_LEFT_BEHIND] = count_table(
            summary.attributes_left_behind, name="attribute", count="nodes_and_edges"
        )
    if origin.dataset_id is not None:
        metadata[keys.DATASET_ID] = str(origin.dataset_id)
    return metadata


def _entities(counts: Mapping[str, int], before: Mapping[str, Any]) -> dict[str, Any]:
    if not counts:
        return {}
    former = counts_in(before.get(keys.ENTITIES_BY_TYPE))
    return {keys.ENTITIES_BY_TYPE: count_table(counts, name="entity_type", count="entities", before=former)}


def _shown(portrait: "GraphPortrait") -> dict[str, Any]:
    """What a person looks at; nothing of a graph without nodes."""
    shown: dict[str, Any] = {}
    if portrait.nodes:
        shown[keys.PICTURE] = dg.MetadataValue.md(picture_as_markdown(portrait))
        shown[keys.MOST_CONNECTED] = table_of(
            [{"name": node.name, "type": node.type, "edges": node.degree} for node in portrait.nodes[:_MOST_CONNECTED]]
        )
    if portrait.sample_nodes:
        shown[keys.SAMPLE_NODES] = table_of(
            [
                {"id": node.id, "name": node.name, "type": node.type, "description": node.description}
                for node in portrait.sample_nodes
            ]
        )
    if portrait.sample_edges:
        shown[keys.SAMPLE_EDGES] = table_of(
            [
                {
                    "source": edge.source_name or edge.source,
                    "relationship": edge.relationship,
                    "target": edge.target_name or edge.target,
                }
                for edge in portrait.sample_edges
            ]
        )
    return shown
