"""NetworkX graphs as datasets, and any dataset as a NetworkX graph.

How a graph becomes nodes and edges of Cognee, in view of what a Cognee server makes of them (1.6.5,
``modules/migration/loader.py`` and ``snapshot.py``):

- A node key that is a UUID is the node's id. Any other key gets an id derived from its text, always the same, so that
  pushing again updates the same node. ``1`` and ``"1"`` have the same text: a graph with both is refused.
- ``name``, else ``label``, else the key is the name; ``type`` is the type, ``Entity`` where there is none. Of an
  ``Entity`` only name and description reach the remote: give nodes whose other attributes matter a type of their own.
  Types that Cognee declares itself (``EntityType``, ``Rule``, ``Tool`` …) keep the attributes that Cognee declares.
- Attributes become properties (``attributes.as_json_value``). One that a server would trip over, such as a ``version``
  that is no number, is renamed to ``attribute_<name>``.
- ``relationship_name``, else ``relationship``, ``label``, ``type``, else a text as the multigraph's edge key is the
  name of an edge; without any it is ``related_to``. Of an edge's other attributes ``edge_text``, ``valid_at`` and
  ``invalid_at`` reach the remote; a missing ``edge_text`` is made of the names. An undirected edge is one edge.
  Parallel edges of one name are one edge on the remote: the first.
"""

import json
from typing import TYPE_CHECKING, Any

from cognee_dagster.graph.reader import GraphOrigin, GraphReader
from cognee_dagster.sources.networkx.reader import NetworkXReader

if TYPE_CHECKING:
    import networkx as nx


def from_networkx(graph: "nx.Graph[Any]", *, dataset_name: str) -> GraphReader:
    """A NetworkX graph as a dataset; see this module's docstring for how it is mapped.

    Args:
        graph: A ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph``. It is read, not copied: leave it unchanged
            while the reader is in use.
        dataset_name: What the dataset is called; the default target of a push.

    Raises:
        GraphFileError: It is no NetworkX graph, a node key has no lasting text, two keys have the same, or (when the
            batches are read) an attribute has no form in JSON; the message names node or edge, and attribute.
    """
    origin = GraphOrigin(dataset_name=dataset_name, read_through="networkx", fact_text_complete=False)
    return NetworkXReader(graph, origin=origin)


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
