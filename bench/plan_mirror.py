"""Plans a push to a mirror. Usage: plan_mirror.py DIRECTORY first|again; DIRECTORY/archives lists the graph's archives.

``first`` knows nothing of the remote and leaves in DIRECTORY/contents what it would hold then; ``again`` knows that.
"""

import pickle
import sys
from pathlib import Path

from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.fingerprints import read_fingerprints
from cognee_dagster.pushing.mirror.plan.plan import plan_sync

directory, which = Path(sys.argv[1]), sys.argv[2]
contents = directory / "contents"
graph = read_fingerprints(pickle.loads((directory / "archives").read_bytes()))
there = MirrorContents.empty() if which == "first" else MirrorContents.decode(contents.read_bytes())
letters = dict.fromkeys(range(int(there.node_segments.max(initial=-1)) + 1), "a")
plan = plan_sync(graph, there, letters)
if which == "first":
    contents.write_bytes(plan.contents_after(graph, there, confirmed=there).encode())
elif not plan.is_empty:
    raise SystemExit("an unchanged graph has a plan")
