"""The asset ``remote_push``: the upload of an archive."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import dagster as dg
from pydantic import Field

from cognee_dagster.dagster.assets.spec import asset_spec, parsed_once
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import REMOTE_RESOURCE
from cognee_dagster.pushing.options import IMPORT_MODES
from cognee_dagster.store.archives import StoredArchive

REMOTE_POOL = "cognee_remote"  # limit it, and a hundred datasets do not hit one server at once


def build_push_asset(dataset: CogneeDataset, *, retry_policy: dg.RetryPolicy) -> dg.AssetsDefinition:
    """The asset that uploads the archive, and reports the remote graph where the import is finished with it."""
    spec = asset_spec(
        dataset,
        dataset.push_key,
        deps=[dataset.archive_key],
        code_version=dataset.code_version("target_dataset", "mode", "run_in_background"),
        description=f"The upload of {str(dataset.name)!r} to the remote Cognee; remote_graph is its import there.",
    )

    @dg.multi_asset(
        name=dataset.push_key.to_python_identifier(),
        specs=[spec],
        ins={"archive": dg.AssetIn(key=dataset.archive_key)},
        pool=REMOTE_POOL,
        required_resource_keys={REMOTE_RESOURCE},
        config_schema=_config_fields(dataset.target_dataset, dataset.mode, dataset.run_in_background),
        retry_policy=retry_policy,
    )
    @parsed_once
    def remote_push(context: dg.AssetExecutionContext, archive: StoredArchive) -> Iterator[dg.MaterializeResult[None]]:
        from cognee_dagster.dagster.steps.push import push_stored

        config = PushConfig(**context.op_execution_context.op_config)
        remote = getattr(context.resources, REMOTE_RESOURCE)
        yield from push_stored(context, dataset, archive=archive, config=config, remote=remote)

    return remote_push


class PushConfig(dg.Config):
    """What can be said anew at each launch."""

    target_dataset: str | None = Field(
        default=None, description="Dataset name on the remote; empty: the local dataset's name."
    )
    mode: str = Field(
        default=IMPORT_MODES[0],
        description="preserve imports the graph as it is; hybrid also cognifies its texts; re-derive builds it anew.",
    )
    run_in_background: bool = Field(
        default=False, description="Do not wait for the import; the import sensor reports remote_graph when it is done."
    )


@cache
def _config_fields(target: str | None, its_mode: str, in_background: bool) -> dict[str, Any]:
    """``PushConfig`` with what the dataset says as defaults, so that the Launchpad shows them.

    Made once for all datasets that say the same: to make a model, and to derive its schema for a parameter ``config``,
    takes longer than everything else about the asset.
    """

    def described(name: str, default: Any) -> Any:
        return Field(default=default, description=PushConfig.model_fields[name].description)

    class RemotePushConfig(PushConfig):
        target_dataset: str | None = described("target_dataset", target)
        mode: str = described("mode", its_mode)
        run_in_background: bool = described("run_in_background", in_background)

    return RemotePushConfig.to_fields_dict()
