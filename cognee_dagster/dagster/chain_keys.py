"""The keys of a chain's assets: made of the dataset's, and translated where it has a translator."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster.translator import KINDS, AssetKind, CogneeAssetProps, translated
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.store.names import as_identifier

if TYPE_CHECKING:
    from cognee_dagster.dagster.field_types import Name


_OF_TARGETS = ("remote_push", "remote_graph")  # of which each target has its own


class ChainKeys:
    """The part of a ``CogneeDataset`` that says what its assets are called."""

    if TYPE_CHECKING:  # of the dataset
        name: Name
        key_prefix: Any
        group_name: str | None
        owners: Sequence[str]
        targets: Sequence[Any]
        translator: Any

        @property
        def target_name(self) -> str | None: ...

        @property
        def segment(self) -> str: ...

        @property
        def all_tags(self) -> dict[str, str]: ...

    @property
    def graph_key(self) -> dg.AssetKey:
        return self._keys["cognified_graph"]

    @property
    def archive_key(self) -> dg.AssetKey:
        return self._keys["cogx_archive"]

    @property
    def push_key(self) -> dg.AssetKey:
        """Of a dataset with several targets: ``dataset.target("…").push_key``."""
        return self._key_of_target("remote_push")

    @property
    def remote_graph_key(self) -> dg.AssetKey:
        """Of a dataset with several targets: ``dataset.target("…").remote_graph_key``."""
        return self._key_of_target("remote_graph")

    @property
    def own_keys(self) -> Collection[dg.AssetKey]:
        """Of all its assets; what its targets have of their own is not among them."""
        return self._keys.values()

    @property
    def group(self) -> str:
        return self.group_name or as_identifier("__".join([*self.key_prefix, self.segment]))

    @property
    def job_name(self) -> str:
        """The job over the whole chain, where it has one."""
        own = self._untranslated("remote_push").path[:-1]
        return f"push_{as_identifier('__'.join(own))}"

    @property
    def look_job_name(self) -> str:
        """The job that looks at the graph alone, for a push that waits for it to change."""
        return f"look_at_{self.job_name.removeprefix('push_')}"

    def translated(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """One of the chain's specs as the translator makes it.

        Raises:
            DatasetDefinitionError: The translator asks for what a chain cannot do without.
        """
        if self.translator is None:
            return spec
        (kind,) = (kind for kind, key in self._keys.items() if key == spec.key)
        own = spec.replace_attributes(key=self._untranslated(kind))
        return translated(own, partial(self._translate, kind), key=spec.key)

    def refuse_equal_keys(self) -> None:
        """Two assets need two keys.

        Raises:
            DatasetDefinitionError: The translator gives them one.
        """
        for kind, key in self._keys.items():
            if (other := next(found for found, its in self._keys.items() if its == key)) != kind:
                raise DatasetDefinitionError(f"it calls both {other} and {kind} {key.to_user_string()}")

    def with_keys_of(self, chain: "ChainKeys") -> None:
        """Take the keys of the chain that this is a partition of: whatever is rendered in it, its assets are those."""
        self.__dict__["_keys"] = chain._keys

    @cached_property
    def _keys(self) -> Mapping[AssetKind, dg.AssetKey]:
        kinds = KINDS if not self.targets else tuple(kind for kind in KINDS if kind not in _OF_TARGETS)
        if self.translator is None:
            return {kind: self._untranslated(kind) for kind in kinds}
        return {kind: self._translate(kind, self._bare_spec(kind)).key for kind in kinds}

    def _key_of_target(self, kind: AssetKind) -> dg.AssetKey:
        if kind in self._keys:
            return self._keys[kind]
        names = [target.name for target in self.targets]
        raise DatasetDefinitionError(
            f"CogneeDataset {str(self.name)[:80]!r}: targets={names} cannot be used: say whose {kind} is meant, such "
            f"as .target({names[0]!r}).push_key."
        )

    def _untranslated(self, kind: AssetKind) -> dg.AssetKey:
        target = self._target_of(kind)
        return dg.AssetKey([*self.key_prefix, self.segment, *([target] if target else []), kind])

    def _target_of(self, kind: AssetKind) -> str | None:
        return self.target_name if kind in _OF_TARGETS else None

    def _bare_spec(self, kind: AssetKind) -> dg.AssetSpec:
        return dg.AssetSpec(
            self._untranslated(kind), group_name=self.group, owners=list(self.owners), tags=self.all_tags
        )

    def _translate(self, kind: AssetKind, spec: dg.AssetSpec) -> dg.AssetSpec:
        made: dg.AssetSpec = self.translator.get_asset_spec(
            CogneeAssetProps(dataset=str(self.name), kind=kind, target=self._target_of(kind), spec=spec)
        )
        return made
