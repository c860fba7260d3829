"""Unpack a COGX archive, or read its manifest, without trusting it."""

import ast
import contextlib
import re
import shutil
from pathlib import Path

from pydantic import ValidationError

from cognee_dagster.cogx.advice import EXPORT_AGAIN, NAME_ANOTHER
from cognee_dagster.cogx.format import ARCHIVE_SUFFIXES, MANIFEST_FILE, PERMISSIONS_FILE
from cognee_dagster.cogx.read.safe_members import Member, read_members
from cognee_dagster.cogx.schema import Manifest, describe, newer_version
from cognee_dagster.errors import ArchiveError

_MAX_MANIFEST_BYTES = 1024 * 1024
_EXPORT_NOTE = re.compile(r"Exported from Cognee dataset (?P<name>.*)\.", re.DOTALL)


def read_manifest(path: Path) -> Manifest:
    """What an archive says about itself.

    Raises:
        ArchiveError: There is no manifest, it is not valid, or its version cannot be read.
    """
    for member in read_members(path):
        if member.name == MANIFEST_FILE:
            return parse_manifest(member, path)
    raise ArchiveError(f"{path}: no {MANIFEST_FILE} in it: not a COGX archive. {NAME_ANOTHER}")


def parse_manifest(member: Member, path: Path) -> Manifest:
    """The manifest in a member of the archive at ``path``; raises as ``read_manifest``."""
    if member.size > _MAX_MANIFEST_BYTES:
        raise ArchiveError(
            f"{path}: {MANIFEST_FILE} has {member.size:,} bytes; no manifest is that long. {EXPORT_AGAIN}"
        )
    try:
        manifest = Manifest.model_validate_json(b"".join(member.chunks()))
    except ValidationError as error:
        raise ArchiveError(f"{path}: {MANIFEST_FILE}: {describe(error)}. {EXPORT_AGAIN}") from error
    if reason := newer_version(manifest.cogx_version):
        raise ArchiveError(f"{path}: {MANIFEST_FILE}: {reason}. {EXPORT_AGAIN}")
    return manifest


def dataset_name_of(manifest: Manifest, path: Path) -> str:
    """The dataset that an archive was exported from, as it notes; else the file's name without its suffixes."""
    stem = path.name
    while stem.lower().endswith(ARCHIVE_SUFFIXES):
        stem = stem.rpartition(".")[0]
    return _noted_dataset(manifest.notes) or stem or path.name


def is_of_cognee(path: Path) -> bool:
    """Whether an archive written here was made of a local Cognee dataset: those have a model of embeddings."""
    return read_manifest(path).embedding_model is not None


def unpack(path: Path, destination: Path) -> Path:
    """Unpack the COGX files of an archive into ``destination``, which is made, and return it.

    What is not part of COGX is left out, and so is ``permissions.json``, which holds password hashes. Nothing is left
    behind when the archive turns out to be bad.

    Raises:
        ArchiveError: The archive is damaged, dangerous or has no manifest.
        ArchiveLimitError: It is larger, unpacked, than a Cognee server accepts.
        FileExistsError: ``destination`` exists.
    """
    destination.mkdir(parents=True)
    found = False
    try:
        for member in read_members(path):
            if member.name == PERMISSIONS_FILE:
                continue
            found = found or member.name == MANIFEST_FILE
            # Names come from a fixed list, so that none of them can lead out of the directory.
            with (destination / member.name).open("xb") as file:
                file.writelines(member.chunks())
        if not found:
            raise ArchiveError(f"{path}: no {MANIFEST_FILE} in it: not a COGX archive. {NAME_ANOTHER}")
    except BaseException:
        shutil.rmtree(destination, ignore_errors=True)
        raise
    return destination


def _noted_dataset(notes: list[str]) -> str | None:
    """The dataset named in the note that Cognee's export leaves in a manifest."""
    for note in notes:
        if match := _EXPORT_NOTE.fullmatch(note):
            with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
                name = ast.literal_eval(match["name"])
                if isinstance(name, str) and name:
                    return name
    return None
