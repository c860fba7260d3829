"""Which assets the import sensors of a code location watch, so that no two of them watch one."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from cognee_dagster.errors import DatasetDefinitionError

_WATCHED = "cognee/watched"  # a sensor's metadata: the push assets it watches, or
_WATCHED_REMOTE = "cognee/watched_remote"  # the remote of which it watches all that no other sensor does


def watching(push_keys: Iterable[dg.AssetKey]) -> Mapping[str, Any]:
    """A sensor's metadata: it watches these."""
    return {_WATCHED: dg.MetadataValue.json(sorted(key.to_user_string() for key in push_keys))}


def watching_remote(remote_resource_key: str) -> Mapping[str, Any]:
    """A sensor's metadata: it watches everything that is pushed there, and that no other sensor watches."""
    return {_WATCHED_REMOTE: remote_resource_key}


def watches(sensor: dg.SensorDefinition, push_key: dg.AssetKey) -> bool:
    """Whether the sensor was made for this very asset."""
    return push_key.to_user_string() in _watched(sensor)


def watched_keys(repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    """The assets for which a code location has sensors of their own."""
    return {dg.AssetKey.from_user_string(key) for sensor in repository.sensor_defs for key in _watched(sensor)}


def refuse_overlap(name: str, repository: dg.RepositoryDefinition | None) -> None:
    """Of two import sensors over the same assets in one code location, one would only do the other's work again.

    Raises:
        DatasetDefinitionError: This is the second one, by name.
    """
    watched = {sensor.name: _watched(sensor) for sensor in repository.sensor_defs} if repository else {}
    for other, assets in sorted(watched.items()):
        both = sorted(watched.get(name, frozenset()) & assets)
        if both and other < name:
            more = f" and {len(both) - 1} more" if len(both) > 1 else ""
            raise DatasetDefinitionError(
                f"The sensors {other!r} and {name!r} both watch {both[0]}{more}, so {name!r} does nothing. Give every "
                "dataset to one import sensor: leave one of the two out of the definitions, or give them different "
                "datasets."
            )


def _watched(sensor: dg.SensorDefinition) -> frozenset[str]:
    value = sensor.metadata.get(_WATCHED)
    return frozenset(map(str, value.value or ())) if isinstance(value, dg.JsonMetadataValue) else frozenset()
