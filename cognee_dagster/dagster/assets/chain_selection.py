"""``ChainSelection``: what a job over chains runs, and where a code location's chains are looked at as it is loaded."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import NEEDS, REMOTE_GRAPH_KEY, TARGET_TEMPLATE
from cognee_dagster.dagster.push_assets import dataset_path, plain_value, push_assets
from cognee_dagster.dagster.steps.partitions import (
    GRAPH_INPUT,
    refuse_other_partitions_of_graph,
    refuse_partitions,
)
from cognee_dagster.dagster.translator import KINDS


@dataclass(frozen=True)
class ChainSelection(dg.AssetSelection):
    """Push assets with everything that runs before them, in whichever definitions that is.

    Whatever a graph is made of runs before it: a job that left that out would push yesterday's graph. Assets with other
    partitions than the chain's, and what is above them, are left out, because a run of the job has none of those; they
    run when their own partitions do. Checks of ``remote_graph`` ask about an earlier push, and so are not part of a run
    that pushes.

    Attributes:
        push_keys: The push assets, all with the same partitions; default: all without any that the code location has
            when it is loaded, but for those that get what another target has confirmed. Of one of these, nothing runs
            before it: what it pushes is stored.
    """

    push_keys: tuple[dg.AssetKey, ...] | None = None

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:
        """The assets' keys.

        Raises:
            DatasetDefinitionError: A chain was given partitions, or gets its graph from an asset that has others.
        """
        assets = push_assets(asset_graph)
        promoted = {asset.key for asset in assets if asset.promote_from is not None}
        keys = self.push_keys or [asset.key for asset in assets if asset.key not in promoted]
        found = dg.AssetSelection.assets(*keys).resolve(asset_graph, allow_missing=allow_missing)
        for key in found:
            _refuse_other_partitions(asset_graph, key)
        pushed = [key for key in found if self.push_keys or asset_graph.get(key).partitions_def is None]
        alone = promoted.intersection(pushed)
        return alone | _with_upstream(asset_graph, [key for key in pushed if key not in alone])


@dataclass(frozen=True)
class LookSelection(dg.AssetSelection):
    """What says whether a graph has changed, with everything that runs before it.

    Attributes:
        key: The dataset's ``cognified_graph``, or the ``cogx_archive`` where there is an archive already.
    """

    key: dg.AssetKey

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:  # noqa: ARG002 - Dagster's
        """The assets' keys; of a graph that is observed it is that one alone."""
        return _with_upstream(asset_graph, [self.key]) or {self.key}


def _with_upstream(asset_graph: Any, keys: Iterable[dg.AssetKey]) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    waiting = list(keys)
    partitions = asset_graph.get(waiting[0]).partitions_def if waiting else None
    while waiting:
        node = asset_graph.get(waiting.pop())
        if node.key not in found and node.is_materializable and node.partitions_def == partitions:
            found.add(node.key)
            waiting += node.parent_keys
    return found


def _refuse_other_partitions(asset_graph: Any, push_key: dg.AssetKey) -> None:
    root = dataset_path(push_key, asset_graph.get(push_key).tags)
    keys = [dg.AssetKey([*path, last]) for path in (root, push_key.path[:-1]) for last in KINDS]
    if REMOTE_GRAPH_KEY in asset_graph.get(push_key).metadata:
        keys = _translated_chain(asset_graph, push_key)
    nodes = [asset_graph.get(key) for key in keys if asset_graph.has(key)]
    own = asset_graph.get(push_key).partitions_def if TARGET_TEMPLATE in asset_graph.get(push_key).metadata else None
    for node in nodes:
        refuse_partitions(node.key, node.partitions_def, own=own)
    if nodes[0].key != keys[0]:  # no graph, but an archive that is there already
        return
    made_by = nodes[0].assets_def.keys_by_input_name.get(GRAPH_INPUT)
    if made_by is not None:
        refuse_other_partitions_of_graph(keys[0], made_by, asset_graph.get(made_by).partitions_def, own=own)


def _translated_chain(asset_graph: Any, push_key: dg.AssetKey) -> list[dg.AssetKey]:
    """The keys of a chain with a translator, from the graph or the archive on."""
    keys, waiting = [], [push_key]
    while waiting:
        keys.append(key := waiting.pop())
        waiting += map(dg.AssetKey.from_user_string, plain_value(asset_graph.get(key).metadata.get(NEEDS, ())))
    remote_graph = dg.AssetKey.from_user_string(plain_value(asset_graph.get(push_key).metadata[REMOTE_GRAPH_KEY]))
    return [*reversed(keys), remote_graph]
