"""NetworkX graphs as datasets, and any dataset as a NetworkX graph."""

import json
from typing import TYPE_CHECKING, Any

from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.mapping.reader import MappedReader
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.networkx.source import NetworkXGraph

if TYPE_CHECKING:
    import networkx as nx


def from_networkx(
    graph: "nx.Graph[Any]", *, dataset_name: str, mapping: GraphMapping | None = None, profile: str | None = None
) -> MappedReader:
    """A NetworkX graph as a dataset.

    A node key that is a UUID is the node's id. Any other key gets an id derived from its text, always the same, so
    that pushing again updates the same node; ``1`` and ``"1"`` have the same text. An undirected edge is one edge.

    Args:
        graph: A ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph``. It is read, not copied: leave it unchanged
            while the reader is in use.
        dataset_name: What the dataset is called; the default target of a push.
        mapping: Which attributes hold type, name and relationship; default: found by convention.
        profile: Whose conventions those are; default: what the graph shows.

    Raises:
        GraphFileError: It is no NetworkX graph, a node key has no lasting text, two keys have the same, the mapping
            does not fit, or (when the batches are read) an attribute has no form in JSON; the message names node or
            edge, and attribute.
    """
    return MappedReader(
        NetworkXGraph(graph, dataset_name=dataset_name), dataset_name=dataset_name, mapping=mapping, profile=profile
    )


def to_networkx(reader: GraphReader) -> "nx.MultiDiGraph[Any]":
    """A whole dataset as a graph in memory: node keys are ids, node and edge attributes are the properties.

    ``from_networkx`` of it gives the same nodes and edges again. Graph attributes: ``dataset_name``, ``dataset_id``.
    """
    import networkx as nx

    origin = reader.origin
    graph = nx.MultiDiGraph(dataset_name=origin.dataset_name, dataset_id=origin.dataset_id and str(origin.dataset_id))
    for batch in reader.nodes():
        for row in batch.to_pylist():
            columns = {key: row[key] for key in ("name", "type") if row[key] is not None}
            graph.add_node(row["id"], **{**columns, **_properties(row["properties"])})
    for batch in reader.edges():
        for row in batch.to_pylist():
            attributes = {**_properties(row["properties"]), "relationship_name": row["relationship"]}
            graph.add_edge(row["source"], row["target"], **attributes)
    return graph


def _properties(text: str | None) -> dict[str, Any]:
    properties = json.loads(text) if text else {}
    return properties if isinstance(properties, dict) else {}
