"""The discovery of a ``CogneeComponent``: partitions for the local datasets that there are."""

from collections.abc import Iterable
from typing import Annotated

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.sensors.discovery import OnVanished
from cognee_dagster.dagster.sensors.discovery_sensor import build_discovery_sensor
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.options import MAX_REMOVED


class DiscoveryAttributes(dg.Model, dg.Resolvable):
    """What is done about local datasets that come and go."""

    on_vanished: Annotated[
        OnVanished, dg.Resolver.default(description="What becomes of partitions whose dataset is gone.")
    ] = "keep"
    max_removed: Annotated[
        float, dg.Resolver.default(description="The share of the partitions that one look may remove.")
    ] = MAX_REMOVED
    request_runs: Annotated[bool, dg.Resolver.default(description="Whether new datasets are pushed.")] = True
    minimum_interval_seconds: Annotated[int, dg.Resolver.default(description="Time between two looks.")] = 60

    def sensors(self, datasets: Iterable[CogneeDataset]) -> list[dg.SensorDefinition]:
        """A sensor for each of these that has dynamic partitions.

        Raises:
            DatasetDefinitionError: None has.
        """
        chains = [dataset for dataset in datasets if isinstance(dataset.partitions, dg.DynamicPartitionsDefinition)]
        if not chains:
            raise DatasetDefinitionError(
                "discover finds nothing: no dataset of the component has dynamic partitions. Give one a "
                "partitions_def, such as tenants, with {partition} in its name; or leave discover out."
            )
        return [
            build_discovery_sensor(
                chain,
                on_vanished=self.on_vanished,
                max_removed=self.max_removed,
                request_runs=self.request_runs,
                minimum_interval_seconds=self.minimum_interval_seconds,
            )
            for chain in chains
        ]
