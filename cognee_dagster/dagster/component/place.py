"""Where in a project a component stands, so that several of them do not get in each other's way."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.store.names import as_identifier, safe_segment


class _Bound:
    """Of the project that was loaded last: which resource was bound under a key, which assets there are, and where."""

    def __init__(self) -> None:
        self._tree: object = None
        self._resources: dict[str, tuple[object, str]] = {}
        self._assets: dict[dg.AssetKey, tuple[str, str]] = {}

    def resources(self, tree: object) -> dict[str, tuple[object, str]]:
        """Those of this load; a new one begins anew."""
        return self._of(tree)._resources

    def assets(self, tree: object) -> dict[dg.AssetKey, tuple[str, str]]:
        """Which component's dataset has which push, in this load."""
        return self._of(tree)._assets

    def _of(self, tree: object) -> "_Bound":
        if tree is not self._tree:
            self._tree, self._resources, self._assets = tree, {}, {}
        return self


_BOUND = _Bound()


def place_of(context: dg.ComponentLoadContext) -> str:
    """The component's directory below ``defs``, and its number where a file has several."""
    path, root = context.path.absolute(), context.defs_module_path.absolute()
    directory = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    number = getattr(getattr(context, "component_path", None), "instance_key", None)
    return f"{directory}[{number}]" if number else directory


def name_at(base: str, place: str) -> str:
    """A name that no component elsewhere has, and that Dagster takes."""
    if place == ".":  # in defs itself
        return base
    # A hyphen would become a '_', so that it needs a digest, too; no place ends with a slash.
    return as_identifier(f"{base}_{safe_segment(f'{place}/' if '-' in place else place)}")


def conditions_follow(context: dg.ComponentLoadContext) -> bool:
    """Whether the component's file may give its assets automation conditions that its definitions do not have yet.

    Dagster applies `post_processing` after them, and tells nobody before.
    """
    with suppress(OSError, UnicodeDecodeError):
        written = (context.path / "defs.yaml").read_text(encoding="utf-8")
        return "post_processing" in written and "automation_condition" in written
    return False


def refuse_other_resources(context: dg.ComponentLoadContext, resources: Mapping[str, object]) -> None:
    """Two components of a project may bind one key only if they say the same about it.

    Raises:
        DatasetDefinitionError: They say different things; Dagster's own message would name neither of them.
    """
    bound, here = _BOUND.resources(context.component_tree), place_of(context)
    for key, resource in resources.items():
        other, where = bound.setdefault(key, (resource, here))
        if other is not resource and where != here:
            raise DatasetDefinitionError(
                f"The components {where!r} and {here!r} say different things about the resource {key!r}, of which a "
                f"code location has one. {_ADVICE.get(key, _OF_REMOTES)}"
            )
        bound[key] = (resource, where)


def refuse_same_assets(context: dg.ComponentLoadContext, datasets: Iterable[CogneeDataset]) -> None:
    """Two components of a project may not have the same dataset.

    Raises:
        DatasetDefinitionError: They have; Dagster's own message would name neither of them.
    """
    taken, here = _BOUND.assets(context.component_tree), place_of(context)
    for dataset in datasets:
        name, where = taken.setdefault(dataset.archive_key, (str(dataset.name), here))
        if where != here:
            raise DatasetDefinitionError(
                f"The components {where!r} and {here!r} would have the same assets: {name!r} and {str(dataset.name)!r} "
                "are called alike. Leave one of them out, or give it another key_prefix or asset_name."
            )


_OF_REMOTES = (
    "Write the same in both, or give one of the two remotes another name, in remotes. A component that says no remote "
    "means the one that Cognee's own settings name."
)
_ADVICE = {
    ARCHIVES_RESOURCE: "Write the same archives in both.",
    LOCAL_RESOURCE: "Write the same local in both; the user who reads may differ from dataset to dataset.",
}
