"""What a push sent, for the checks that hold the remote against it: whichever archives were made since."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.steps.chosen_archive import find_stored
from cognee_dagster.dagster.steps.import_check import once_imported, unless_unanswered
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.dagster.steps.unknown import not_known
from cognee_dagster.errors import ArchiveNotStoredError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


def compare_with_pushed(
    context: dg.AssetCheckExecutionContext,
    dataset: CogneeDataset,
    compare: "Callable[[CogneeClient, tuple[Archive, ...]], dg.AssetCheckResult]",
    *,
    made: StoredArchive,
    push: Push,
) -> dg.AssetCheckResult:
    """What a comparison with the archives of a push says; a warning where there is nothing that could be compared.

    That is so where the archives are gone, the remote gives no answer or is not the one that was pushed to, the import
    is under way, or the remote made a graph of its own.

    Args:
        context: The check's.
        dataset: Whose archives.
        compare: The comparison, with the remote, and the archives as local files.
        made: What ``cogx_archive`` made last.
        push: The push.
    """
    if push.metadata.get(keys.MODE) == "re-derive":
        return not_known("The latest push was in mode re-derive: the remote has a graph of its own, not what was sent.")
    with engine_step(context):
        try:
            with _pushed(context, dataset, push, made=made).local() as archives:
                return unless_unanswered(
                    lambda: once_imported(context, dataset, push, lambda client: compare(client, archives))
                )
        except ArchiveNotStoredError as error:
            return not_known(
                f"The archive last pushed ({_digest(push)}) is not stored any more, or not where it can be found: "
                f"{error}"
            )


def _pushed(
    context: dg.AssetCheckExecutionContext, dataset: CogneeDataset, push: Push, *, made: StoredArchive
) -> StoredArchive:
    """The latest archive needs no search, if it is the one."""
    digest = _digest(push)
    if made.files and made.files[0].archive.digest == digest:
        return made
    return find_stored(context, dataset, digest, partition=push.partition)


def _digest(push: Push) -> str:
    return str(push.metadata.get(keys.ARCHIVE_DIGEST))
