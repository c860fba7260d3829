"""The translation of a ``CogneeComponent``: what its ``defs.yaml`` says of the assets of each kind."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import dagster as dg
from dagster.components.utils.translation import TranslationFnResolver

from cognee_dagster.dagster.translator import CogneeAssetProps

TranslationFunction: TypeAlias = Callable[[dg.AssetSpec, CogneeAssetProps], dg.AssetSpec]


def _variables(props: CogneeAssetProps) -> dict[str, Any]:
    return {"props": props}


_Translation: TypeAlias = Annotated[
    TranslationFunction | None, TranslationFnResolver[CogneeAssetProps](template_vars_for_translation_fn=_variables)
]


class Translation(dg.Model, dg.Resolvable):
    """What is said of the assets of each kind.

    A template may use ``props.dataset``, ``props.kind``, ``props.target`` and ``spec``.
    """

    cognified_graph: _Translation = None
    cogx_archive: _Translation = None
    remote_push: _Translation = None
    remote_graph: _Translation = None

    def apply(self, spec: dg.AssetSpec, props: CogneeAssetProps) -> dg.AssetSpec:
        """The spec as it is to be."""
        function: TranslationFunction | None = getattr(self, props.kind)
        return spec if function is None else function(spec, props)
