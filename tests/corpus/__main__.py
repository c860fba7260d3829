"""``python -m tests.corpus NAME…`` writes the files of these producers anew."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.corpus import cognee_exports, extractors, writers

HERE = Path(__file__).parent
PRODUCERS: dict[str, Callable[[Path], None]] = {
    "nano-graphrag": extractors.nano_graphrag,
    "lightrag": extractors.lightrag,
    "graphrag": extractors.graphrag,
    "graphrag-claims": extractors.graphrag_claims,
    "cognee": cognee_exports.cognee,
    "networkx": writers.networkx,
    "igraph": writers.igraph,
    "apoc": writers.apoc,
    "neo4j": writers.neo4j_csv,
    "tinkerpop": writers.tinkerpop,
    "gephi": writers.gephi,
    "yed": writers.yed,
}
# What a producer writes for itself, and no reader of the graph has a use for.
_OWN = ("kv_store_llm_response_cache.json", "vdb_*.json", "lancedb", "stats.json", "context.json")


def produce(name: str) -> None:
    """One producer's files, in a folder of its name."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    PRODUCERS[name](folder)
    for pattern in _OWN:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    for producer in sys.argv[1:] or PRODUCERS:
        produce(producer)
