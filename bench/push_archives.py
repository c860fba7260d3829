"""Pushes what write_archives.py wrote. Usage: push_archives.py DIRECTORY, with the remote in the environment."""

import pickle
import sys
from pathlib import Path

from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection

directory = Path(sys.argv[1])
archives = pickle.loads((directory / "archives").read_bytes())
with CogneeClient(resolve_connection()) as client:
    push_archives(archives, client=client)
