"""What a sensor watches, and which sensor it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import GraphKeys, Push, graph_key_of
from cognee_dagster.dagster.probes import of_partition, probes_of
from cognee_dagster.dagster.push_assets import named_graphs, push_assets
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probes.probe import Probe


@dataclass(frozen=True)
class ReportedGraphs(dg.AssetSelection):
    """The ``remote_graph`` assets that a sensor reports: what its page lists, and whose pages name it.

    Attributes:
        push_keys: The push assets that it watches; default: all that are pushed to ``remote``.
        remote: The key of the ``CogneeRemote`` resource that it asks.
    """

    push_keys: tuple[dg.AssetKey, ...] | None = None
    remote: str = ""

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:  # noqa: ARG002 - Dagster's
        """Those that are in the code location: a sensor may watch what another one pushes."""
        keys = self.push_keys
        if keys is None:
            keys = tuple(asset.key for asset in push_assets(asset_graph) if asset.remote == self.remote)
        named = named_graphs(asset_graph, keys)
        return {graph for key in keys if asset_graph.has(graph := graph_key_of(key, named))}


def push_keys_of(item: CogneeDataset | dg.AssetKey, *, remote: str | None = None) -> list[dg.AssetKey]:
    """The push assets of a dataset, of one remote only if that is named; or the one that was given."""
    if isinstance(item, dg.AssetKey):
        return [item]
    return [found.push_key for found in item.each_target if remote in (None, found.remote)]


def named_by(items: Iterable[CogneeDataset | dg.AssetKey]) -> GraphKeys:
    """The assets that stand for the imports of these datasets, by push asset."""
    datasets = [item for item in items if isinstance(item, CogneeDataset)]
    return {found.push_key: found.remote_graph_key for item in datasets for found in item.each_target}


def named_in(repository: dg.RepositoryDefinition | None, push_keys: Iterable[dg.AssetKey]) -> GraphKeys:
    """The assets that stand for the imports of these push assets, as their code location says it."""
    return named_graphs(repository.asset_graph, push_keys) if repository is not None else {}


def probes_in(repository: dg.RepositoryDefinition | None) -> Callable[[Push], Sequence[Probe]]:
    """What is asked about a push, as the definitions of its code location say it."""

    def probes(push: Push) -> Sequence[Probe]:
        if repository is None or not repository.asset_graph.has(push.asset_key):
            return ()
        try:
            found = probes_of(repository.asset_graph.get(push.asset_key).metadata)
            return found if push.partition is None else of_partition(found, push.partition)
        except DatasetDefinitionError:  # of a partition with which nothing can be pushed any more, either
            return ()

    return probes


def identity_of(name: str, context: dg.SensorEvaluationContext) -> str:
    """What distinguishes the sensor of that name from others of the same Dagster."""
    location = context.code_location_origin.location_name if context.code_location_origin else ""
    return f"{location}/{context.repository_name or ''}/{name}"
