"""Jobs and sensors of which a code location has one, however many definitions it is merged from.

Dagster takes two of one name for one where both are the same object. What components build would not be: of that each
definition becomes a copy that notes its source file. These stay what they are.
"""

from typing import Any

import dagster as dg


class SharedSensor(dg.SensorDefinition):
    """A sensor that is the same object wherever it is put."""

    def with_attributes(self, **_: Any) -> "SharedSensor":
        """The sensor itself: it has no job whose resources would have to be bound."""
        return self


def shared_job(name: str, *, selection: dg.AssetSelection, description: str) -> Any:
    """A job over assets that is the same object wherever it is put; Dagster does not name its type."""
    asset_job: Any = type(dg.define_asset_job(name))

    class SharedJob(asset_job):  # type: ignore[misc]
        def with_metadata(self, _: Any) -> Any:
            return self

    return SharedJob(name=name, selection=selection, description=description)
