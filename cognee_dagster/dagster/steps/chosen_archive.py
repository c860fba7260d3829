"""Stored archives: those that a launch chooses, that a target has confirmed, or that were made last."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster import store
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.errors import ArchiveNotStoredError
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.stored import AbsentArchive, StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

_Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


@contextmanager
def archives_to_push(stored: StoredArchive, *, as_it_is: bool) -> "Iterator[tuple[Archive, ...]]":
    """The archives as local files.

    Args:
        stored: Where they are.
        as_it_is: Whether a remote is to get these very files.

    Raises:
        ArchiveNotStoredError: They are gone.
        ArchiveError: One is damaged.
    """
    with stored.local() as archives:
        yield tuple(dataclasses.replace(archive, as_it_is=True) for archive in archives) if as_it_is else archives


def find_stored(
    context: _Context, dataset: CogneeDataset, wanted: str, *, partition: str | None, otherwise: str = ""
) -> StoredArchive:
    """A stored archive of a dataset by its digest, whichever chain wrote it; ``latest`` is this chain's own.

    Args:
        context: The step of ``remote_push``, or of a check of what it did.
        dataset: Whose archive.
        wanted: ``latest``, or the beginning of a digest.
        partition: The chain's partition, if it has some.
        otherwise: What can be done where archives cannot be searched.

    Raises:
        ArchiveNotStoredError: There is none.
    """
    archives = _searchable(context, otherwise=otherwise)
    own_place = (tuple(dataset.archive_key.path), partition)
    everything = store.listed(archives, wanted=lambda _: True)
    own = [found for found in everything if (found.place, found.partition) == own_place]
    names = {str(dataset.name), *(found.stored.dataset_name for found in own)}
    found = own if wanted == store.LATEST else [found for found in everything if found.stored.dataset_name in names]
    return store.choose(found, wanted, of=dataset.archive_key.to_user_string())


def stored_files(context: _Context, sha256s: Sequence[str], *, what: str) -> StoredArchive:
    """The stored archive that has these very files, whichever chain wrote it.

    Raises:
        ArchiveNotStoredError: There is none.
    """
    for found in store.listed(_searchable(context), wanted=lambda _: True):
        if [file.archive.sha256 for file in found.stored.files] == list(sha256s):
            return found.stored
    raise ArchiveNotStoredError(
        f"{what} is not stored any more: it was deleted, or is in another archive store. Push there again."
    )


def latest_archive(context: _Context, dataset: CogneeDataset, *, partition: str) -> StoredArchive:
    """The archive that was made last of a partition, where it is stored.

    Raises:
        ArchiveError: What is noted of it is damaged.
    """
    try:
        return _searchable(context).find(place=dataset.archive_key.path, run_id=None, partition=partition)
    except ArchiveNotStoredError as error:
        return AbsentArchive(reason=str(error))


def _searchable(context: _Context, *, otherwise: str = "") -> ArchiveStore:
    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    if not isinstance(archives, CogxArchiveIOManager):
        raise ArchiveNotStoredError(
            f"Archives are stored by {type(archives).__name__}, which cannot be searched: that takes a "
            f"{CogxArchiveIOManager.__name__}. {otherwise}".rstrip()
        )
    return archives.store()
