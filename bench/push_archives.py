"""Pushes what write_archives.py wrote. Usage: push_archives.py DIRECTORY, with the remote in the environment."""

import pickle
import sys
from pathlib import Path

from cognee_dagster.connection import resolve_connection
from cognee_dagster.pushing import push_archives
from cognee_dagster.remote.client import CogneeClient

directory = Path(sys.argv[1])
archives = pickle.loads((directory / "archives").read_bytes())
with CogneeClient(resolve_connection()) as client:
    push_archives(archives, client=client)
