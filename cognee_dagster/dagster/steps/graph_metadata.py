"""What a materialization says about a graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys

if TYPE_CHECKING:
    from cognee_dagster.store.snapshots import Snapshot

MAX_TABLE_ROWS = 50  # metadata sits in a row of the event log


def graph_metadata(snapshot: "Snapshot", *, seconds: float) -> dict[str, Any]:
    """The metadata of ``cognified_graph``."""
    summary, origin = snapshot.summary, snapshot.origin
    metadata: dict[str, Any] = {
        keys.NUM_NODES: summary.num_nodes,
        keys.NUM_EDGES: summary.num_edges,
        "dagster/row_count": summary.num_nodes,
        keys.NODES_BY_TYPE: count_table(summary.nodes_by_type, name="node_type", count="nodes"),
        keys.EDGES_BY_RELATIONSHIP: count_table(summary.edges_by_relationship, name="relationship", count="edges"),
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


def count_table(counts: Mapping[str, int], *, name: str, count: str) -> dg.TableMetadataValue:
    """Counts as a table, the largest first; what is beyond ``MAX_TABLE_ROWS`` is summed up in a last row."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:MAX_TABLE_ROWS], ordered[MAX_TABLE_ROWS:]
    rows = [dg.TableRecord({name: text or "(none)", count: number}) for text, number in shown]
    if rest:
        rows.append(dg.TableRecord({name: f"({len(rest)} more)", count: sum(number for _, number in rest)}))
    schema = dg.TableSchema([dg.TableColumn(name, "string"), dg.TableColumn(count, "int")])
    return dg.MetadataValue.table(rows, schema=schema)
