"""Which archive a push sends: the one that was made, a stored one that the launch names, or one that is promoted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.config import PushConfig
from cognee_dagster.dagster.dataset import CogneeDataset, TargetedDataset
from cognee_dagster.dagster.event_log.confirmed import Confirmations
from cognee_dagster.dagster.steps.chosen_archive import archives_to_push, find_stored, stored_files
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.dagster.templates import rendered
from cognee_dagster.errors import ArchiveNotStoredError, PromotionError
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


_WITHOUT_SEARCH = "Or launch the push without archive, for what cogx_archive has made."


@dataclass(frozen=True, kw_only=True)
class LaunchedArchives:
    """What a push sends.

    Attributes:
        stored: Where they are stored.
        archives: The archives of the graph, as local files.
        as_mirror: Whether a mirror is brought to their state, instead of sending all of them.
        metadata: What the push says about where they come from.
    """

    stored: StoredArchive
    archives: "tuple[Archive, ...]"
    as_mirror: bool
    metadata: dict[str, str]


@contextmanager
def launched_archives(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, *, made: StoredArchive, config: PushConfig
) -> Iterator[LaunchedArchives]:
    """The archives, for as long as they are needed.

    Args:
        context: The step of ``remote_push``.
        dataset: Whose archive, and where it goes.
        made: What ``cogx_archive`` made.
        config: What the launch says; an archive that it names goes before one that is promoted.

    Raises:
        PromotionError: The target that is to be promoted from has confirmed nothing.
        ArchiveNotStoredError: There is no such archive.
        ArchiveError: Its file is damaged.
    """
    chosen, source = config.archive or None, config.promote_from or None
    may_mirror = dataset.keeps_mirror(mode=config.mode, in_background=config.run_in_background)
    mirrored = may_mirror and chosen is None and not config.full
    stored, partition = made, partition_of(context)
    if chosen is not None:
        stored = find_stored(context, dataset, chosen, partition=partition, otherwise=_WITHOUT_SEARCH)
    elif source is not None:
        stored = _promoted(context, dataset, source, partition=partition)
    with archives_to_push(stored, as_it_is=stored is not made and not mirrored) as archives:
        digest, metadata = archives[0].digest, dict[str, str]()
        if chosen is not None:
            context.log.info(f"Chosen: the stored archive {digest}, exactly as it is.")
            metadata = {keys.CHOSEN_ARCHIVE: digest}
        elif source is not None:
            context.log.info(f"Promoted from {source}: the stored archive {digest}, which it has confirmed.")
            metadata = {keys.CHOSEN_ARCHIVE: digest, keys.PROMOTED_FROM: source}
        yield LaunchedArchives(stored=stored, archives=archives, as_mirror=mirrored, metadata=metadata)


def _promoted(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, source: str, *, partition: str | None
) -> StoredArchive:
    """The very files that another target has confirmed last."""
    found = {to.target_name: to for to in dataset.whole.each_target} if isinstance(dataset, TargetedDataset) else {}
    found.pop(dataset.target_name, None)
    if source not in found:
        raise PromotionError(
            f"promote_from={source!r} cannot be used: {dataset} can be promoted from "
            f"{', '.join(map(str, found)) or 'no other target'}."
        )
    confirmed = _confirmations(context, found[source], partition=partition).to_promote()
    return stored_files(
        context, confirmed.sha256s, what=f"The archive that {source!r} has confirmed ({confirmed.digest})"
    )


def confirmed_archive(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, *, partition: str | None
) -> StoredArchive | None:
    """What one of several targets has now, which can be promoted until the next push there is confirmed.

    A push in the background is confirmed by the import sensor, which knows no archive store. None where there is
    nothing, or it is not stored any more.
    """
    if dataset.target_name is None:
        return None
    confirmed = _confirmations(context, dataset, partition=partition).newest()
    if confirmed is None:
        return None
    try:
        return stored_files(context, confirmed.sha256s, what=f"What {dataset.target_name} has confirmed")
    except ArchiveNotStoredError:
        return None


def _confirmations(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, *, partition: str | None
) -> Confirmations:
    """Of the imports into a target's own remote dataset: not into one that a launch named instead."""
    named = dataset.name if isinstance(dataset.name, str) else None  # the name of a UUID is the local Cognee's to tell
    target = dataset.target_dataset or named
    return Confirmations(
        instance=context.instance,
        push_key=dataset.push_key,
        graph_key=dataset.remote_graph_key,
        target_dataset=target if partition is None else rendered(target, partition),
        partition=partition,
    )
