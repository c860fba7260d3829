"""Reads GraphML, GEXF and node-link JSON into NetworkX graphs."""

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from cognee_dagster.errors import GraphFileError

if TYPE_CHECKING:
    import networkx as nx

_LINK_KEYS = ("links", "edges")  # NetworkX wrote the first until 3.5, the second since


def read_graph_file(path: Path) -> "nx.Graph[Any]":
    """The graph in a file, by its suffix; ``.gz`` behind it means that it is compressed.

    Raises:
        GraphFileError: The suffix is of no known kind, or the file is not what its suffix says.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = suffixes[-1:] == [".gz"]
    read = _READERS.get(next(reversed(suffixes[:-1] if compressed else suffixes), ""))
    if read is None:
        kinds = ", ".join(sorted(_READERS))
        raise GraphFileError(
            f"The graph file {path} is of no kind that can be read: its name must end in {kinds} (also with .gz), or "
            "in .cogx.tar.gz for a COGX archive."
        )
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            return read(cast(IO[bytes], file))
    except GraphFileError as error:
        raise GraphFileError(f"The graph file {path} {error}") from error
    except Exception as error:  # the parsers' errors are of many kinds, all of them about the file
        raise GraphFileError(
            f"The graph file {path} cannot be read as {path.suffix}: {type(error).__name__}: {error}."
        ) from error


def _read_graphml(file: IO[bytes]) -> "nx.Graph[Any]":
    import networkx as nx

    return nx.read_graphml(file)


def _read_gexf(file: IO[bytes]) -> "nx.Graph[Any]":
    import networkx as nx

    return nx.read_gexf(file)


def _read_node_link(file: IO[bytes]) -> "nx.Graph[Any]":
    """As ``networkx.node_link_graph``, for files of every NetworkX release."""
    import networkx as nx

    content = json.load(file)
    links = next((content[key] for key in _LINK_KEYS if key in content), None) if isinstance(content, dict) else None
    if links is None or not isinstance(content.get("nodes"), list):
        raise GraphFileError(f"is no node-link JSON: an object with 'nodes' and {' or '.join(map(repr, _LINK_KEYS))}.")
    multigraph = content.get("multigraph", True)  # what is not said must not lose edges
    directed = content.get("directed", True)
    graph = {
        (False, False): nx.Graph,
        (False, True): nx.DiGraph,
        (True, False): nx.MultiGraph,
        (True, True): nx.MultiDiGraph,
    }[bool(multigraph), bool(directed)](**_with_text_keys(content.get("graph")))
    for node in content["nodes"]:
        graph.add_node(_key(node["id"]))
        graph.nodes[_key(node["id"])].update({name: value for name, value in node.items() if name != "id"})
    for link in links:
        ends = (_key(link["source"]), _key(link["target"]))
        for end in ends:
            if end not in graph:
                raise GraphFileError(f"has a link to node {end!r}, which is not among its nodes. Add it.")
        attributes = {name: value for name, value in link.items() if name not in {"source", "target"}}
        key = graph.add_edge(*ends, **({"key": _key(attributes.pop("key", None))} if multigraph else {}))
        graph.edges[(*ends, key) if multigraph else ends].update(attributes)
    return graph


def _key(value: Any) -> Any:
    """JSON has no tuples: NetworkX writes such node keys as lists."""
    return tuple(_key(part) for part in value) if isinstance(value, list) else value


def _with_text_keys(attributes: Any) -> dict[str, Any]:
    return {str(key): value for key, value in attributes.items()} if isinstance(attributes, Mapping) else {}


_READERS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".graphml": _read_graphml,
    ".gexf": _read_gexf,
    ".json": _read_node_link,
}
