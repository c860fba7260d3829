"""Writes a graph file as archives. Usage: write_archives.py GRAPH_FILE DIRECTORY; DIRECTORY/archives lists them."""

import pickle
import sys
from pathlib import Path

from cognee_dagster.cogx.shard.cut import cut
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file

graph_file, directory = map(Path, sys.argv[1:])
with open_ladybug_file(graph_file, origin=GraphOrigin(dataset_name="large")) as reader:
    whole = write_archive(reader, directory / "large.cogx.tar.gz")
archives = cut(whole)
(directory / "archives").write_bytes(pickle.dumps(archives))
