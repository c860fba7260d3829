"""What is said in words of a summary of a push to a mirror; without numpy, which making one needs."""

from collections.abc import Mapping
from typing import Any

from cognee_dagster.graph.counting import counted


def kept_in_words(done: Mapping[str, Any]) -> str:
    """What stays on the remote of what the graph no longer has, from a summary; empty where nothing does."""
    kept = [counted(n, kind) for kind in ("node", "edge") if (n := done[f"{kind}s"].get("kept"))]
    words = f"{' and '.join(kept)} that the graph no longer has stay there" if kept else ""
    if done.get("kept_is_known", True):
        return words
    beyond = "whether more does" if kept else "whether anything that the graph no longer has stays there"
    return f"{words}{'; ' if words else ''}{beyond} is not known here, `cognee-dagster verify` looks"
