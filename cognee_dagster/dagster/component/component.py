"""``CogneeComponent``: datasets and remotes in a ``defs.yaml``, and the definitions made of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

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
    shared_resource,
)
from cognee_dagster.dagster.component.checked_model import checked_model
from cognee_dagster.dagster.component.demo import DEMO_DIRECTORY, SandboxRemote, sandboxed
from cognee_dagster.dagster.component.discovery import DiscoveryAttributes
from cognee_dagster.dagster.component.place import (
    conditions_follow,
    name_at,
    place_of,
    refuse_other_resources,
    refuse_same_assets,
)
from cognee_dagster.dagster.component.scaffolder import CogneeComponentScaffolder
from cognee_dagster.dagster.component.translation import Translation
from cognee_dagster.dagster.conditions import require_imported
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.definitions import build_definitions
from cognee_dagster.dagster.promotion import promoted_from
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.sensors.automation import AUTOMATION_SENSOR, shared_automation_sensor
from cognee_dagster.dagster.translator import CogneeAssetProps, CogneeStep, CogneeTranslator

ALERT_SENSOR = "cognee_alert_sensor"


class StepAttributes(dg.Model, dg.Resolvable):
    """How steps are run."""

    pool: Annotated[
        str | None, dg.Resolver.default(description="The pool of the pushes. Default: the key of the remote.")
    ] = None
    tags: Annotated[dict[str, Any], dg.Resolver.default(description="Tags of all steps and checks, as of an op.")] = (
        pydantic.Field(default={})
    )


@dg.scaffold_with(CogneeComponentScaffolder)
class CogneeComponent(dg.Component, dg.Model, dg.Resolvable):
    """Pushes local Cognee datasets, and other graphs, to a remote Cognee: a chain of assets for each of them.

    To scaffold it writes a small graph to begin with; ``--dataset NAME`` takes a dataset of the local Cognee instead.
    ``--format python`` writes a ``component.py`` in place of the ``defs.yaml``.

    .. code-block:: yaml

        type: cognee_dagster.CogneeComponent
        attributes:
          remote:
            url: "{{ env.COGNEE_SERVICE_URL }}"
            api_key: "{{ env.COGNEE_API_KEY }}"
          datasets:
            - name: research
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
    discover: Annotated[
        DiscoveryAttributes | None,
        dg.Resolver.default(description="Partitions for the local datasets that fit a dataset's name. Default: none."),
    ] = pydantic.Field(default=None, json_schema_extra=checked_closely)
    sensor: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether there are sensors that report what becomes of pushes in the background, and push "
            "again. Without them such a push is never seen to end, unless you have a sensor of your own."
        ),
    ] = True
    automation_sensor: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether there is a sensor, running, that evaluates the automation conditions of the datasets' "
            "assets, push_when_changed among them. False: a sensor of yours does."
        ),
    ] = True

    translation: Annotated[
        Translation | None, dg.Resolver.default(description="What the assets of each kind say of themselves.")
    ] = pydantic.Field(default=None, json_schema_extra=checked_closely)
    dataset_in_names: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether the last part of each key, all that Dagster's graph shows, begins with the dataset."
        ),
    ] = False
    op: Annotated[
        StepAttributes | None,
        dg.Resolver.default(
            description="Pool of the pushes of datasets that say none, and tags of all steps and checks."
        ),
    ] = pydantic.Field(default=None, json_schema_extra=checked_closely)
    demo_mode: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether a sandbox on this machine, which needs Cognee, stands for all remotes."
        ),
    ] = False

    @classmethod
    def get_form_config(cls) -> "dg.ComponentFormConfig | None":
        """What Dagster (from 1.13 on) calls it in its own form, in which it can be written, too."""
        return dg.ComponentFormConfig(label="Cognee datasets", editable=True)

    @classmethod
    def get_model_cls(cls) -> type[pydantic.BaseModel]:
        """What Dagster checks a ``defs.yaml`` with."""
        return checked_model(cls.model())

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        """One asset's spec. Override it for what YAML cannot say; `translation` is applied to what it returns.

        .. code-block:: python

            class Tenants(CogneeComponent):
                def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
                    return super().get_asset_spec(props).merge_attributes(tags={"tenant": props.dataset})
        """
        return CogneeTranslator(dataset_in_names=self.dataset_in_names).get_asset_spec(props)

    def execute(self, context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:  # noqa: ARG002
        """Run a step that materializes an asset. Override it to do something before and after.

        .. code-block:: python

            class Logged(CogneeComponent):
                def execute(self, context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
                    context.log.info("%s of %s begins", step.kind, step.dataset)
                    yield from super().execute(context, step)
        """
        yield from step.run()

    @classmethod
    def get_additional_scope(cls) -> Mapping[str, Any]:
        """What a ``{{ … }}`` may use besides what Dagster puts there."""
        return {**super().get_additional_scope(), "promoted_from": promoted_from, "require_imported": require_imported}

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs, schedules, sensors and resources.

        Raises:
            DatasetDefinitionError: What is written cannot work, or does not go with another component's.
        """
        datasets = [self._dataset(dataset) for dataset in self.datasets]
        refuse_same_assets(context, datasets)
        defs = build_definitions(
            datasets,
            remote=None if self.demo_mode else self.remote,
            remotes=_sandboxes(datasets) if self.demo_mode else self.remotes,
            local=self.local,
            archives=self.archives,
            automation_sensor=self.automation_sensor,
        )
        refuse_other_resources(context, defs.resources or {})
        alerts = [self.alerts.sensor(datasets, name=name_at(ALERT_SENSOR, place_of(context)))] if self.alerts else []
        automation = [shared_automation_sensor()] if self.automation_sensor and conditions_follow(context) else []
        discovery = self.discover.sensors(datasets) if self.discover else []
        return dg.Definitions(
            assets=defs.assets,
            jobs=defs.jobs,
            schedules=defs.schedules,
            sensors=list(dict.fromkeys([*self._kept(defs.sensors or []), *automation, *alerts, *discovery])),
            resources=defs.resources,
        )

    def _kept(self, sensors: Iterable[dg.SensorDefinition]) -> list[dg.SensorDefinition]:
        """Those that the component has; automation conditions are evaluated by the automation sensor alone."""
        whole = self.sensor and not self.demo_mode
        return [sensor for sensor in sensors if whole or sensor.name == AUTOMATION_SENSOR]

    def _dataset(self, dataset: CogneeDataset) -> CogneeDataset:
        """The dataset with all that the component says; one that already has a translator keeps it beneath."""
        changed: dict[str, Any] = {}
        if self.translation or self.dataset_in_names or _overrides(self, "get_asset_spec"):
            changed["translator"] = _ComponentTranslator(self, beneath=dataset.translator)
        if _overrides(self, "execute"):
            changed["execute"] = self.execute
        if self.op:
            changed["pool"] = dataset.pool or self.op.pool
            changed["op_tags"] = {**self.op.tags, **dataset.op_tags}
        changed_dataset = replace(dataset, **changed) if changed else dataset
        return sandboxed(changed_dataset) if self.demo_mode else changed_dataset


class _ComponentTranslator(CogneeTranslator):
    def __init__(self, component: CogneeComponent, *, beneath: CogneeTranslator | None) -> None:
        super().__init__()
        self._component = component
        self._beneath = beneath

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        if self._beneath is not None:
            props = replace(props, spec=self._beneath.get_asset_spec(props))
        spec = self._component.get_asset_spec(props)
        return self._component.translation.apply(spec, props) if self._component.translation else spec


def _sandboxes(datasets: Iterable[CogneeDataset]) -> dict[str, CogneeRemote]:
    used = sorted({way.remote for dataset in datasets for way in dataset.each_target})
    return {key: shared_resource(SandboxRemote, {"directory": f"{DEMO_DIRECTORY}/{key}"}) for key in used}


def _overrides(component: CogneeComponent, method: str) -> bool:
    return getattr(type(component), method) is not getattr(CogneeComponent, method)
