"""The asset ``remote_push``: the upload of an archive."""

from collections.abc import Iterator
from functools import partial

import dagster as dg

from cognee_dagster.dagster import steps
from cognee_dagster.dagster.assets.spec import asset_spec, executed, parsed_once, when_changed
from cognee_dagster.dagster.config import PushConfig, config_fields
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import MAY_BE_ABSENT
from cognee_dagster.dagster.keys import PROMOTE_FROM, REMOTE_GRAPH_KEY
from cognee_dagster.dagster.probes import probes_metadata
from cognee_dagster.dagster.promotion import promoted_from_asset
from cognee_dagster.dagster.push_assets import repush_metadata
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.store.stored import StoredArchive

# After 10 and 30 s: a server that restarts listens again after 12 to 40 s (measured on Cognee 1.6.5). The attempts
# themselves wait at random, so that pushes which failed together do not come back together.
PUSH_RETRY_POLICY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL)

_SAID = ("remote", "target_dataset", "mode", "sync", "run_in_background")


def _how(dataset: CogneeDataset) -> str:
    """Whether records go from the remote, unless a launch says otherwise."""
    is_mirror = dataset.keeps_mirror(mode=dataset.mode, in_background=dataset.run_in_background)
    removes = is_mirror and dataset.on_removed in ("remove", "replace")
    return ", as a mirror: what is gone from the graph is removed there" if removes else ""


def _spec(dataset: CogneeDataset) -> dg.AssetSpec:
    source = dataset.promoted_from
    # Behind the push of what it is promoted from, which confirms an import in the same run where it waits for it.
    promoted = [source.push_key, source.remote_graph_key] if source is not None else []
    spec = asset_spec(
        dataset,
        dataset.push_key,
        deps=[dataset.archive_key, *promoted],
        code_version=dataset.code_version(*_SAID, *(["promoted_from"] if source is not None else [])),
        metadata={
            **repush_metadata(attempts=dataset.repush_attempts, in_background=dataset.repush_in_background),
            **probes_metadata(dataset.probes),
            **({REMOTE_GRAPH_KEY: dataset.remote_graph_key.to_user_string()} if dataset.translator else {}),
            **({PROMOTE_FROM: source.target_name} if source is not None else {}),
        },
        description=f"The upload of {dataset} to the remote Cognee{_how(dataset)}; remote_graph is its import there.",
        skippable=True,  # a dry run materializes nothing
    )
    if dataset.push_when_changed and spec.automation_condition is None:
        spec = when_changed(spec)
    condition = dataset.automation_condition
    if condition is None or spec.automation_condition is not None:
        return spec
    if source is not None:
        condition = promoted_from_asset(condition, str(source.target_name), source.remote_graph_key)
    return spec.replace_attributes(automation_condition=condition)


def build_push_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    """The asset that uploads the archive, and reports the remote graph where the import is finished with it."""
    source = dataset.promoted_from

    @dg.multi_asset(
        name=dataset.push_key.to_python_identifier(),
        specs=[_spec(dataset)],
        ins={"archive": dg.AssetIn(key=dataset.archive_key)},
        # A run may send another chain's archive, before its own has made any.
        op_tags={**dataset.op_tags, **MAY_BE_ABSENT},
        pool=dataset.pool or dataset.remote,  # limit it, and a hundred datasets do not hit one server at once
        required_resource_keys={dataset.remote, ARCHIVES_RESOURCE},
        config_schema=config_fields(
            dataset.target_dataset,
            dataset.mode,
            dataset.run_in_background,
            source.target_name if source is not None else None,
        ),
        retry_policy=dataset.retry_policy or PUSH_RETRY_POLICY,
    )
    @parsed_once
    def remote_push(context: dg.AssetExecutionContext, archive: StoredArchive) -> Iterator[dg.MaterializeResult[None]]:
        config = PushConfig(**context.op_execution_context.op_config)
        remote = getattr(context.resources, dataset.remote)
        run = partial(steps.push_stored, context, dataset, archive=archive, config=config, remote=remote)
        yield from executed(context, dataset, "remote_push", run)

    return remote_push
