"""What the definitions of all assets of a chain have in common; written so that hundreds of them load fast."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, TypeVar

import dagster as dg

from cognee_dagster.dagster.conditions import push_when_changed
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.failures import StepTerminatedError
from cognee_dagster.dagster.keys import NEEDS, TARGET_TEMPLATE
from cognee_dagster.dagster.resources import LOCAL_RESOURCE
from cognee_dagster.dagster.steps.partitions import GRAPH_INPUT
from cognee_dagster.dagster.translator import AssetKind, CogneeStep

_BEING_ENDED = (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED)

# A local graph that is busy is free again when the cognify() that writes it has ended.
DEFAULT_RETRY_POLICY = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

_F = TypeVar("_F", bound=Callable[..., Any])


def asset_spec(
    dataset: CogneeDataset,
    key: dg.AssetKey,
    *,
    deps: Sequence[dg.AssetKey],
    description: str,
    code_version: str | None = None,
    kinds: Set[str] = frozenset({"cognee"}),
    metadata: Mapping[str, Any] | None = None,
    skippable: bool = False,
) -> dg.AssetSpec:
    """One asset of the dataset's chain, with what the dataset says about all of them."""
    spec = dg.AssetSpec(
        key,
        deps=deps,
        description=description,
        code_version=code_version,
        metadata={**(metadata or {}), **partition_metadata(dataset), **_needs(dataset, deps)},
        skippable=skippable,
        partitions_def=dataset.partitions,
        kinds=set(kinds),
        group_name=dataset.group,
        owners=list(dataset.owners),
        tags=dataset.all_tags,
    )
    return dataset.translated(spec)


def partition_metadata(dataset: CogneeDataset) -> dict[str, Any]:
    """What tells partitions of a chain's own from those that somebody gave it."""
    return {} if dataset.partitions is None else {TARGET_TEMPLATE: dataset.target_dataset or str(dataset.name)}


def _needs(dataset: CogneeDataset, deps: Sequence[dg.AssetKey]) -> dict[str, Any]:
    """Which dependencies are the chain's own, where that cannot be told by their keys."""
    if dataset.translator is None:
        return {}
    return {NEEDS: [key.to_user_string() for key in deps if key in dataset.own_keys]}


def executed(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, kind: AssetKind, run: Callable[[], Iterator[Any]]
) -> Iterator[Any]:
    """What a step yields, by whatever the dataset has run around its steps."""
    step = CogneeStep(dataset=str(dataset.name), kind=kind, run=run)
    try:
        yield from run() if dataset.execute is None else dataset.execute(context, step)
    except dg.DagsterExecutionInterruptedError as interrupt:
        run_now = context.instance.get_run_by_id(context.run.run_id)
        if run_now is not None and run_now.status in _BEING_ENDED:
            raise StepTerminatedError from interrupt
        raise  # a machine that goes away: the step may be tried again on another one


def when_changed(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset, made when what it is made of has changed."""
    return spec.replace_attributes(automation_condition=push_when_changed())


def parsed_once(function: _F) -> _F:
    """Keep a step function's signature where ``inspect.signature`` finds it.

    Dagster 1.13 asks for it some fifteen times a step and would have it parsed each time: a third of what defining the
    step costs.
    """
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function


def graph_deps(dataset: CogneeDataset) -> list[dg.AssetKey]:
    """The asset that makes the graph, if there is one."""
    return [dataset.graph_asset] if dataset.graph_asset else []


def graph_input(dataset: CogneeDataset) -> dict[str, dg.AssetIn]:
    """The graph as a step's input, where an asset makes it."""
    return {GRAPH_INPUT: dg.AssetIn(key=dataset.graph_asset)} if dataset.graph_asset else {}


def source_resources(dataset: CogneeDataset) -> set[str]:
    """The keys of the resources that reading the graph needs."""
    return {LOCAL_RESOURCE} if dataset.graph is None and dataset.archive is None else set()
