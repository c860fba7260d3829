"""``CogneeTranslator``: what the assets of a chain are called, and what they say of themselves."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import dagster as dg

from cognee_dagster.errors import DatasetDefinitionError

AssetKind = Literal["cognified_graph", "cogx_archive", "remote_push", "remote_graph"]
KINDS: tuple[AssetKind, ...] = get_args(AssetKind)

OURS = "cognee/"  # metadata and tags of these names are read by the chain's own sensors and jobs


@dataclass(frozen=True, kw_only=True)
class CogneeAssetProps:
    """What a translator is told about one asset of a chain.

    Attributes:
        dataset: The local dataset's name.
        kind: Which of its assets: ``cognified_graph``, ``cogx_archive``, ``remote_push`` or ``remote_graph``.
        target: The name of the target whose asset it is, of a dataset with several.
        spec: What the asset is without a translator. Where only its key is asked for, it has no description, no
            dependencies and no metadata.
    """

    dataset: str
    kind: AssetKind
    target: str | None
    spec: dg.AssetSpec


@dataclass(frozen=True, kw_only=True)
class CogneeStep:
    """The step of an asset of a chain, about to run.

    Attributes:
        dataset: The local dataset's name.
        kind: Which asset it materializes: ``cognified_graph``, ``cogx_archive`` or ``remote_push``.
        run: Runs it, and gives what is to be yielded.
    """

    dataset: str
    kind: AssetKind
    run: Callable[[], Iterator[Any]]


class CogneeTranslator:
    """Makes the specs of a chain's assets; a subclass may change all that the chain does not rest on.

    Args:
        dataset_in_names: Whether the last part of each key, which is all that Dagster's graph shows, begins with the
            dataset: ``research/research_remote_push``. A key is what Dagster knows an asset by: an asset whose key
            changes begins anew, without its history.
    """

    def __init__(self, *, dataset_in_names: bool = False) -> None:
        self._dataset_in_names = dataset_in_names

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        """One asset's spec: key, group, owners, tags, kinds, description, metadata, automation, freshness, more deps.

        What the chain's own sensors and jobs read (``cognee/…``) and its own dependencies stay, whatever this leaves
        out. The same props must give the same key each time.
        """
        if not self._dataset_in_names:
            return props.spec
        *before, last = props.spec.key.path
        which = "_".join(before[-2:] if props.target else before[-1:])
        return props.spec.replace_attributes(key=dg.AssetKey([*before, f"{which}_{last}"]))


def translated(
    spec: dg.AssetSpec, translate: Callable[[dg.AssetSpec], dg.AssetSpec], *, key: dg.AssetKey
) -> dg.AssetSpec:
    """The spec as a translator makes it, with all that the chain rests on.

    Args:
        spec: The chain's own, with the key that it has without a translator.
        translate: What the translator makes of a spec.
        key: The key that the translator gave when it was asked for that.

    Raises:
        DatasetDefinitionError: Another key than before, or other partitions.
    """
    made = translate(spec)
    if made.key != key:
        raise DatasetDefinitionError(
            f"The translator calls {spec.key.to_user_string()} once {key.to_user_string()} and once "
            f"{made.key.to_user_string()}. Make the key of props.spec.key, props.dataset and props.kind alone."
        )
    if made.partitions_def != spec.partitions_def:
        raise DatasetDefinitionError(
            f"The translator gives {key.to_user_string()} other partitions. Set partitions_def of its CogneeDataset."
        )
    known = {dep.asset_key for dep in made.deps}
    return made.replace_attributes(skippable=spec.skippable).merge_attributes(
        deps=[dep for dep in spec.deps if dep.asset_key not in known],
        tags=ours(spec.tags),
        metadata=ours(spec.metadata),
    )


def ours(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of tags or metadata, what the chain rests on."""
    return {name: value for name, value in values.items() if name.startswith(OURS)}
