"""The push assets of a code location, in whichever definitions they were merged from, by what their specs say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import (
    PROMOTE_FROM,
    REMOTE_GRAPH_KEY,
    REMOTE_TAG,
    REPUSH_ATTEMPTS,
    REPUSH_IN_BACKGROUND,
    TARGET_TAG,
)

PUSH_ASSET = "remote_push"


@dataclass(frozen=True, kw_only=True)
class PushAsset:
    """One ``…/remote_push`` asset.

    Attributes:
        key: The asset's.
        remote: The key of the ``CogneeRemote`` resource that it pushes to.
        repush_attempts: How often to push again, unasked, when a background import fails or stalls.
        repush_in_background: Whether that is in the background, too.
        promote_from: The target whose confirmed archives it pushes, instead of those that were just made.
    """

    key: dg.AssetKey
    remote: str
    repush_attempts: int
    repush_in_background: bool
    promote_from: str | None = None


def push_assets(asset_graph: Any) -> list[PushAsset]:
    """Those in a code location's asset graph, of which Dagster does not name the type, by their keys."""
    found = [
        _push_asset(node.key, tags=node.tags, metadata=node.metadata)
        for node in asset_graph.asset_nodes
        if (node.key.path[-1] == PUSH_ASSET or REMOTE_GRAPH_KEY in node.metadata) and REMOTE_TAG in node.tags
    ]
    return sorted(found, key=lambda asset: asset.key.to_user_string())


def named_graphs(asset_graph: Any, push_keys: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, dg.AssetKey]:
    """By push asset of a code location, the asset that stands for its import, where a translator has named it."""
    nodes = [asset_graph.get(key) for key in push_keys if asset_graph.has(key)]
    return {
        node.key: dg.AssetKey.from_user_string(plain_value(node.metadata[REMOTE_GRAPH_KEY]))
        for node in nodes
        if REMOTE_GRAPH_KEY in node.metadata
    }


def dataset_path(key: dg.AssetKey, tags: Mapping[str, str]) -> Sequence[str]:
    """What the keys of a dataset's assets begin with; of a target's asset that is all before the target's name."""
    return key.path[:-2] if TARGET_TAG in tags else key.path[:-1]


def repush_metadata(*, attempts: int, in_background: bool) -> dict[str, Any]:
    """What a push asset's spec says about pushing again; nothing where it is not done."""
    return {REPUSH_ATTEMPTS: attempts, REPUSH_IN_BACKGROUND: in_background} if attempts else {}


def plain_value(value: Any) -> Any:
    """What a spec's metadata says, whether Dagster has wrapped it already or not."""
    return value.value if isinstance(value, dg.MetadataValue) else value


def _push_asset(key: dg.AssetKey, *, tags: Mapping[str, str], metadata: Mapping[str, Any]) -> PushAsset:
    def said(name: str, otherwise: Any) -> Any:
        return plain_value(metadata.get(name, otherwise))

    return PushAsset(
        key=key,
        remote=tags[REMOTE_TAG],
        repush_attempts=int(said(REPUSH_ATTEMPTS, 0)),
        repush_in_background=bool(said(REPUSH_IN_BACKGROUND, True)),
        promote_from=said(PROMOTE_FROM, None),
    )
