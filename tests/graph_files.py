"""What a graph file holds as the archive writer sees it, for tests of formats and mappings."""

import json
from pathlib import Path
from typing import Any

from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.ids import node_id
from cognee_dagster.sources.mapping.reader import MappedReader
from cognee_dagster.sources.mapping.value import GraphMapping

GRAPHML = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'


class Found:
    """The rows of a reader."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader
        self.nodes = [row for batch in reader.nodes() for row in batch.to_pylist()]
        self.edges = [row for batch in reader.edges() for row in batch.to_pylist()]
        self._names = {row["id"]: row["name"] for row in self.nodes}

    @property
    def names(self) -> list[str]:
        return [row["name"] for row in self.nodes]

    @property
    def types(self) -> dict[str, str]:
        return {row["name"]: row["type"] for row in self.nodes}

    @property
    def triples(self) -> list[tuple[str, str, str]]:
        """Edges by the names of their ends."""
        return [(self._names[row["source"]], row["relationship"], self._names[row["target"]]) for row in self.edges]

    def node(self, key: Any) -> dict[str, Any]:
        """The row of the node with this key, its properties read."""
        [row] = [row for row in self.nodes if row["id"] == node_id(key)]
        return {**row, "properties": json.loads(row["properties"])}

    def edge_texts(self) -> dict[tuple[str, str, str], str]:
        """What edges say."""
        texts = [json.loads(row["properties"]).get("edge_text") for row in self.edges]
        return dict(zip(self.triples, texts, strict=True))

    def edge_properties(self) -> list[dict[str, Any]]:
        """Properties of the edges, in their order."""
        return [json.loads(row["properties"]) for row in self.edges]


def read(path: Path, content: str | bytes, *, mapping: GraphMapping | None = None, profile: str | None = None) -> Found:
    """Write a file and read it as a graph."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = open_graph_file(path, mapping=mapping, profile=profile)
    assert isinstance(reader, MappedReader)
    return Found(reader)


def graphml(body: str, *, keys: str = "") -> str:
    """A GraphML file.

    Args:
        body: What is in its ``<graph>``.
        keys: ``node:name:string edge:since:int``; a key's id is its name.
    """
    declared = [key.split(":") for key in keys.split()]
    lines = [f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>' for of, name, kind in declared]
    return "\n".join([GRAPHML, *lines, f'<graph edgedefault="directed">{body}</graph>\n</graphml>'])


def gexf(body: str, *, namespace: str | None = "http://gexf.net/1.3", attributes: str = "", graph: str = "") -> str:
    """A GEXF file; ``body`` is what stands beside ``attributes`` in its ``<graph>``."""
    xmlns = f' xmlns="{namespace}"' if namespace else ""
    viz = ' xmlns:viz="http://gexf.net/1.3/viz"'
    opened = f'<gexf{xmlns}{viz} version="1.3"><graph defaultedgetype="directed" {graph}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{opened}{attributes}{body}</graph></gexf>'
