"""An import path that the guide of 0.1 named; kept for one release."""

from typing import Any

from cognee_dagster.graph.moved import moved


def __getattr__(name: str) -> Any:
    return moved(__name__, name, to="cognee_dagster.sources.networkx.graphs")
