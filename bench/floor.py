"""What nobody can do without: read the rows as Arrow, and compress the lines that become of them.

Usage: floor.py GRAPH_FILE DIRECTORY, with the unpacked archive in DIRECTORY. Nothing is paged, encoded or kept.
"""

import sys
from pathlib import Path

import ladybug
from isal import isal_zlib

_POOL_BYTES = 8 << 30  # of addresses; un-paged, a million nodes do not fit into less
_PIECE_BYTES = 1 << 20
_QUERIES = (
    "MATCH (n:Node) RETURN n.id, n.name, n.type, n.properties",
    "MATCH (a:Node)-[r]->(b:Node) RETURN offset(id(a)), offset(id(b)), r.relationship_name, r.properties",
)

graph_file, directory = map(Path, sys.argv[1:])
database = ladybug.Database(str(graph_file), read_only=True, buffer_pool_size=_POOL_BYTES, max_num_threads=1)
connection = ladybug.Connection(database, num_threads=1)
for query in _QUERIES:
    result = connection.execute(query)
    assert not isinstance(result, list)
    result.get_as_arrow(chunk_size=20_000)
    result.close()
for path in sorted(directory.glob("*.jsonl")):
    compressor = isal_zlib.compressobj(1, wbits=31)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            compressor.compress(piece)
    compressor.flush()
