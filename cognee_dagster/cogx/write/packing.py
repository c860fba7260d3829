"""A COGX archive as the directory that ``cognee.export()`` writes, packed."""

import json
from contextlib import ExitStack, suppress
from pathlib import Path

from cognee_dagster.cogx.advice import NAME_ANOTHER
from cognee_dagster.cogx.format import MANIFEST_FILE, PERMISSIONS_FILE, RECORD_KINDS
from cognee_dagster.cogx.write.spool import Spool, assemble
from cognee_dagster.errors import ArchiveError
from cognee_dagster.system.bounded_reading import read_regular
from cognee_dagster.system.files import naming_full, unnamed_file

# Accounts, which nobody should send, are packed, too: whoever checks the archive has to see them.
_FILES = (MANIFEST_FILE, *RECORD_KINDS, PERMISSIONS_FILE)
_CHUNK_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 64 << 20  # far more than a server takes, which says so
_VERSION = "cogx_version"


def archive_root(directory: Path) -> Path | None:
    """The directory that holds the manifest: this one, or, as for a Cognee server, its only subdirectory."""
    inside = [path for path in directory.iterdir() if path.is_dir()]
    roots: list[Path] = [directory, *(inside if len(inside) == 1 else ())]
    for root in roots:
        with suppress(OSError, ValueError, RecursionError):
            manifest = json.loads(read_regular(root / MANIFEST_FILE, most=_MAX_MANIFEST_BYTES))
            if isinstance(manifest, dict) and _VERSION in manifest:
                return root
    return None


def pack_directory(directory: Path, destination: Path) -> None:
    """Write the ``.tar.gz`` of an archive's directory: its files in a fixed order, times and owners zero.

    Args:
        directory: What ``cognee.export()`` wrote.
        destination: The file to write; its directory must exist.

    Raises:
        ArchiveError: The directory holds no archive, or a symbolic link in a file's place.
        OSError: A file cannot be read or written.
    """
    root = archive_root(directory)
    if root is None:
        raise ArchiveError(
            f"The directory {directory} holds no COGX archive: there is no {MANIFEST_FILE} of one in it. {NAME_ANOTHER}"
        )
    with ExitStack() as stack:
        spools = []
        for name in _FILES:
            if (root / name).is_symlink():
                raise ArchiveError(
                    f"{root / name} is a symbolic link: what it leads to may not be meant to be sent. Copy the "
                    "file there."
                )
            if (root / name).is_file():
                spool = stack.enter_context(Spool(name, file=unnamed_file(destination.parent)))
                spools.append(spool)
                with (root / name).open("rb") as file:
                    while content := file.read(_CHUNK_BYTES):
                        spool.write(content)
        with naming_full(destination), destination.open("wb") as packed:
            assemble(spools, packed)
