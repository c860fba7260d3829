"""``ChainAsset``: an asset of a chain, whose spec may be changed in all that the chain does not rest on."""

from collections.abc import Callable, Set
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import NEEDS, TARGET_TEMPLATE
from cognee_dagster.dagster.push_assets import dataset_path, plain_value
from cognee_dagster.dagster.steps.partitions import refuse_partitions
from cognee_dagster.dagster.translator import ours
from cognee_dagster.errors import DatasetDefinitionError


class ChainAsset(dg.AssetsDefinition):
    """An asset of a chain.

    ``dg.map_asset_specs``, ``Definitions.map_asset_specs`` and a component's ``post_processing`` may give it another
    group, owners, tags, kinds, metadata, description, automation condition, and more dependencies.

    Raises:
        DatasetDefinitionError: Another key, other partitions, or fewer dependencies than the chain needs.
    """

    def __init__(self, **attributes: Any) -> None:
        attributes.pop("execution_type", None)  # in beta, so that Dagster would warn of it, and always the usual one
        super().__init__(**_with_inputs_for_all_dependencies(attributes))
        for spec in self.specs:
            own = spec.partitions_def if TARGET_TEMPLATE in spec.metadata else None
            refuse_partitions(spec.key, spec.partitions_def, own=own)

    @staticmethod
    def dagster_internal_init(**attributes: Any) -> "ChainAsset":
        # Dagster (1.12 and 1.13) makes with this whatever it derives from an asset, which would be no ChainAsset.
        return ChainAsset(**attributes)

    @classmethod
    def of(cls, definition: dg.AssetsDefinition) -> "ChainAsset":
        """The same asset, guarded."""
        return cls(**definition.get_attributes_dict())

    def map_asset_specs(self, fn: Callable[[dg.AssetSpec], dg.AssetSpec]) -> dg.AssetsDefinition:
        """The asset with its spec as ``fn`` changes it."""
        return super().map_asset_specs(lambda spec: _allowed(spec, fn(spec), needed=self._needed(spec)))

    def with_attributes(self, **attributes: Any) -> dg.AssetsDefinition:
        """The asset with other attributes; Dagster's loaders use it for prefixes and groups."""
        changed = super().with_attributes(**attributes)
        for before, after in zip(self.specs, changed.specs, strict=True):
            _refuse_other_key(before, after)
        return changed

    def _needed(self, spec: dg.AssetSpec) -> set[dg.AssetKey]:
        """What the chain's steps need to run before this one: its own assets, and the graph that an asset returns."""
        handed_over = set(self.keys_by_input_name.values()) if self.is_executable else set()
        root = dataset_path(spec.key, spec.tags)
        own = {dep.asset_key for dep in spec.deps if dep.asset_key.path[: len(root)] == root}
        needs = plain_value(spec.metadata.get(NEEDS, ()))
        return own | handed_over | {dg.AssetKey.from_user_string(key) for key in needs}


def _allowed(before: dg.AssetSpec, after: dg.AssetSpec, *, needed: Set[dg.AssetKey]) -> dg.AssetSpec:
    _refuse_other_key(before, after)
    refuse_partitions(after.key, after.partitions_def, own=before.partitions_def)
    if missing := needed - {dep.asset_key for dep in after.deps}:
        names = ", ".join(sorted(key.to_user_string() for key in missing))
        raise DatasetDefinitionError(
            f"{before.key.to_user_string()} cannot do without its dependency {names}: it would be made before that is. "
            "Add dependencies with spec.merge_attributes(deps=[…]) instead of replacing them all."
        )
    return after.merge_attributes(tags=ours(before.tags), metadata=ours(before.metadata))


def _refuse_other_key(before: dg.AssetSpec, after: dg.AssetSpec) -> None:
    if before.key != after.key:
        raise DatasetDefinitionError(
            f"{before.key.to_user_string()} cannot become {after.key.to_user_string()}: the assets of a dataset find "
            "each other by their keys. Set key_prefix or translator of its CogneeDataset instead."
        )


def _with_inputs_for_all_dependencies(attributes: dict[str, Any]) -> dict[str, Any]:
    """An added dependency as an input of the step, so that it runs before.

    Dagster (1.13.28, ``replace_specs_on_asset``) gives the step an input that is called after the dependency's key, but
    does not say where it comes from: it would be in the lineage, and yet run at any time.
    """
    if attributes.get("node_def") is None:
        return attributes
    inputs = dict(attributes["keys_by_input_name"])
    for spec in attributes["specs"]:
        for key in {dep.asset_key for dep in spec.deps} - set(inputs.values()):
            name = "_".join(key.path).replace("-", "_").replace(".", "_")
            if name in attributes["node_def"].input_dict:
                inputs[name] = key
    return {**attributes, "keys_by_input_name": inputs}
