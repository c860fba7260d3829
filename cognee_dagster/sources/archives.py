"""Archives of anybody's, wherever they are, to be pushed as they are."""

import contextlib
import dataclasses
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import ARCHIVE_SUFFIX, ARCHIVE_SUFFIXES
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.read.safe_members import require_regular
from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.cogx.write.packing import archive_root, pack_directory
from cognee_dagster.errors import ArchiveError, ArchiveNotFoundError
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.remote_files import fetched, is_url, local_path, name_of, public

_PROBLEMS_TOLD = 3

logger = logging.getLogger(__name__)


def is_archive(place: str) -> bool:
    """Whether a path or URL is that of a COGX archive: by its suffix, or a directory that holds one."""
    if name_of(place).lower().endswith(ARCHIVE_SUFFIXES):
        return True
    return not is_url(place) and (path := local_path(place)).is_dir() and archive_root(path) is not None


def archive_as_it_is(place: str | os.PathLike[str], *, directory: Path) -> Archive:
    """An archive, checked as a Cognee server will check it, to be pushed byte by byte.

    What is checked is a copy, and the copy is what will be sent: whoever replaces the file meanwhile, or writes into
    it, changes neither. What a server takes but changes without a word is logged as a warning.

    Args:
        place: Path or URL of a packed archive, however it is compressed, or of the directory of one, which is packed:
            the same content gives the same archive each time.
        directory: For the copy; it must outlive the archive.

    Raises:
        ArchiveError: There is no archive, or a server would refuse it; the message says why.
        GraphFileError: A URL cannot be fetched.
    """
    path = local_archive(place, to=directory)
    report = validate_archive(path)
    if not report.valid:
        raise ArchiveError(_refusal(place, report))
    for warning in report.warnings[:_PROBLEMS_TOLD]:
        logger.warning("%s: %s", place, warning)
    if (more := report.num_warnings - _PROBLEMS_TOLD) > 0:
        logger.warning("%s: %d more like that; `cognee-dagster validate` lists them", place, more)
    with called(path, place):
        archive = dataclasses.replace(inspect_archive(path), as_it_is=True)
    texts = ", ".join(counted(count, f"{kind} record") for kind, count in archive.record_counts.items())
    logger.info("%s is a valid archive of %s: %s", _shown(place), archive.source_system, texts or "no record")
    return archive


def local_archive(place: str | os.PathLike[str], *, to: Path) -> Path:
    """A copy of an archive, packed if it is a directory.

    Raises:
        ArchiveNotFoundError: There is no archive.
        GraphFileError: A URL cannot be fetched.
    """
    if isinstance(place, str) and is_url(place):
        return fetched(place, to=to / name_of(place))
    path = local_path(place) if isinstance(place, str) else Path(place)
    if path.is_dir():
        packed = to / f"{path.absolute().name}{ARCHIVE_SUFFIX}"
        pack_directory(path, packed)
        logger.info("Packed the directory %s as an archive: its files in a fixed order, times and owners zero", path)
        return packed
    if not path.exists():
        where = "" if path.is_absolute() else f" (looked in {Path.cwd()})"
        raise ArchiveNotFoundError(f"There is no archive {path}{where}. Correct the path.")
    require_regular(path)
    return Path(shutil.copyfile(path, Path(tempfile.mkdtemp(dir=to)) / path.name))


@contextlib.contextmanager
def called(path: Path, place: str | os.PathLike[str]) -> Iterator[None]:
    """Errors about a copy of an archive call it what a person calls it."""
    try:
        yield
    except ArchiveError as error:
        raise type(error)(str(error).replace(str(path), _shown(place))) from error


def _shown(place: str | os.PathLike[str]) -> str:
    return public(shown) if is_url(shown := os.fspath(place)) else shown


def _refusal(place: str | os.PathLike[str], report: ValidationReport) -> str:
    told = "; ".join(str(problem) for problem in report.problems[:_PROBLEMS_TOLD])
    more = report.num_problems - _PROBLEMS_TOLD
    advice = report.advice and f"`cognee-dagster validate ARCHIVE` lists all of a packed one. {report.advice}"
    return (
        f"{_shown(place)} is not pushed: it is not a valid COGX archive: {told}"
        f"{f'; and {more:,} more' if more > 0 else ''}. {advice}"
    ).rstrip()
