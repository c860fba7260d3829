"""``CogneeComponent``: datasets and remotes in a ``defs.yaml``, and the definitions made of them."""

from typing import Annotated

import dagster as dg
import pydantic

from cognee_dagster.dagster.component.alerts import Alerts
from cognee_dagster.dagster.component.attributes import (
    Archives,
    Datasets,
    Defaults,
    Local,
    Remote,
    Remotes,
    checked_closely,
)
from cognee_dagster.dagster.component.place import name_at, place_of, refuse_other_resources
from cognee_dagster.dagster.component.scaffolder import CogneeComponentScaffolder
from cognee_dagster.dagster.definitions import build_definitions


@dg.scaffold_with(CogneeComponentScaffolder)
class CogneeComponent(dg.Component, dg.Model, dg.Resolvable):
    """Pushes local Cognee datasets, and other graphs, to a remote Cognee: a chain of assets for each of them.

    .. code-block:: yaml

        type: cognee_dagster.CogneeComponent
        attributes:
          remote:
            url: "{{ env.COGNEE_SERVICE_URL }}"
            api_key: "{{ env.COGNEE_API_KEY }}"
          datasets:
            - research
            - name: handbook
              documents: ["handbook/**/*.md"]
              cron_schedule: "0 3 * * *"
    """

    datasets: Datasets = pydantic.Field(json_schema_extra=checked_closely)
    defaults: Defaults = pydantic.Field(default={}, json_schema_extra=checked_closely)
    remote: Remote = pydantic.Field(default=None, json_schema_extra=checked_closely)
    remotes: Remotes = pydantic.Field(default={}, json_schema_extra=checked_closely)
    local: Local = pydantic.Field(default=None, json_schema_extra=checked_closely)
    archives: Archives = pydantic.Field(default=None, json_schema_extra=checked_closely)
    alerts: Annotated[
        Alerts | None, dg.Resolver.default(description="Who is told when a graph did not arrive. Default: nobody.")
    ] = pydantic.Field(default=None, json_schema_extra=checked_closely)
    sensor: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether there are sensors that report what becomes of pushes in the background, and push "
            "again. Without them such a push is never seen to end, unless you have a sensor of your own."
        ),
    ] = True

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs, schedules, sensors and resources.

        Raises:
            DatasetDefinitionError: What is written cannot work, or does not go with another component's.
        """
        defs = build_definitions(
            self.datasets, remote=self.remote, remotes=self.remotes, local=self.local, archives=self.archives
        )
        refuse_other_resources(context, defs.resources or {})
        return dg.Definitions(
            assets=defs.assets,
            jobs=defs.jobs,
            schedules=defs.schedules,
            sensors=[*(defs.sensors or [] if self.sensor else []), *self._alert_sensors(context)],
            resources=defs.resources,
        )

    def _alert_sensors(self, context: dg.ComponentLoadContext) -> list[dg.SensorDefinition]:
        name = name_at("cognee_alert_sensor", place_of(context))
        return [self.alerts.sensor(self.datasets, name=name)] if self.alerts else []
