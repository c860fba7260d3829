"""A stored archive that the command line names: ``push DATASET --archive DIGEST|latest``."""

from typing import TYPE_CHECKING

import click

from cognee_dagster import store
from cognee_dagster.cli.hidden import hide_parts_of
from cognee_dagster.cli.options import TEXT
from cognee_dagster.cli.settings import ARCHIVES_VARIABLE
from cognee_dagster.environment import cognee_environment
from cognee_dagster.store.names import safe_segment

if TYPE_CHECKING:
    from cognee_dagster.store.listing import ListedArchive
    from cognee_dagster.store.stored import StoredArchive

archive_option = click.option(
    "--archive",
    type=TEXT,
    metavar="DIGEST|latest",
    help="Send what the archive store has of the dataset, exactly as it is: the latest, or the one whose content "
    "digest begins so.",
)
archives_option = click.option(
    "--archives",
    type=TEXT,
    metavar="DIR|URL",
    help=f"With --archive: where archives are stored. Default: {ARCHIVES_VARIABLE}, else "
    f"{store.DEFAULT_ARCHIVE_DIRECTORY}.",
)


def stored_archive(dataset: str, wanted: str, *, location: str | None) -> "StoredArchive":
    """What the archive store has of a dataset.

    Args:
        dataset: The dataset's name, or the asset key without its last part (``team/research``).
        wanted: ``latest``, or the beginning of a digest.
        location: Where the store is.

    Raises:
        ArchiveNotStoredError: There is none, or more than one is meant; the message lists what is stored.
    """
    base = store_location(location)
    archives = store.listed(store.ArchiveStore.at(base), wanted=lambda archive: is_of_dataset(archive, dataset))
    return store.choose(archives, wanted, of=f"dataset {dataset!r} in {base}")


def store_location(given: str | None) -> str:
    """Where the archive store is: as given, else as the setting says, else where the assets have it."""
    location = given or cognee_environment().get(ARCHIVES_VARIABLE, "").strip() or store.DEFAULT_ARCHIVE_DIRECTORY
    hide_parts_of(location)
    return location


def is_of_dataset(archive: "ListedArchive", dataset: str) -> bool:
    """Whether it is one that ``dataset`` names: a dataset, or an asset key with or without its last part."""
    owner = archive.place[:-1]
    named = {archive.stored.dataset_name, "/".join(archive.place), "/".join(owner)}
    return dataset in named or owner[-1:] == (safe_segment(dataset),)
