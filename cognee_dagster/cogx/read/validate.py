"""An archive judged as a Cognee server judges it, and what a server changes without a word, with file, line, reason."""

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from cognee_dagster.cogx.advice import DISTRUST, PACK_AGAIN, SEND_LESS, WRITE_AGAIN
from cognee_dagster.cogx.format import (
    COGNEE_SYSTEM,
    MANIFEST_FILE,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    NODES_FILE,
    RECORD_KINDS,
)
from cognee_dagster.cogx.read.check_ends import EndsCheck
from cognee_dagster.cogx.read.check_file import check_file
from cognee_dagster.cogx.read.findings import MAX_PROBLEMS, Findings, Noted, Problem, ValidationReport
from cognee_dagster.cogx.read.safe_members import COGX_FILES, MAX_LINE_BYTES, Member, check_size, require_regular
from cognee_dagster.cogx.read.tar_entries import Entry, read_entries
from cognee_dagster.cogx.read.tar_stream import TarStream
from cognee_dagster.cogx.server.extraction import Extraction
from cognee_dagster.errors import ArchiveError, ArchiveLimitError
from cognee_dagster.graph.counting import counted

__all__ = ["MAX_PROBLEMS", "Problem", "ValidationReport", "validate_archive"]


def validate_archive(path: Path, *, any_size: bool = False) -> ValidationReport:
    """Judge an archive as a Cognee server does (1.6.5 with its default stores, mode ``preserve``).

    The archive is read twice: facts may stand before the nodes they speak of. Of each node 16 bytes are remembered, of
    each fact 8. Refused here, though a server may take it, is what could cost this process too much (sparse files,
    lines beyond 16 MiB), accounts, and texts that a server would open as an address.

    Args:
        path: The archive.
        any_size: Do not look at limits: for an archive that was written here, and would be cut for a push.

    Raises:
        OSError: The file cannot be read. Whatever is wrong *in* it is in the report.
    """
    judged = _Judged(path, any_size=any_size)
    try:
        judged.read()
        judged.compare()
    except ArchiveError as error:
        judged.all.problems.add(str(error).removeprefix(f"{path}: "))
    found = judged.all
    return ValidationReport(
        path=path,
        problems=tuple(found.problems.first),
        num_problems=found.problems.count,
        record_counts=dict(found.counts),
        member_bytes=judged.member_bytes,
        warnings=tuple(found.warnings.first),
        num_warnings=found.warnings.count,
    )


class _Judged:
    """An archive, as far as it is read."""

    def __init__(self, path: Path, *, any_size: bool) -> None:
        self._any_size = any_size
        self.all = Findings()
        self.member_bytes: dict[str, int] = {}
        self._path = path
        self._files: dict[PurePosixPath, tuple[int, Findings]] = {}

    def read(self) -> None:
        """Unpack the archive as a server does, and check the files that are left in the end."""
        require_regular(self._path)
        extraction = Extraction()
        remarks: Noted = self.all.warnings
        with self._path.open("rb") as file:
            stream = TarStream(file, self._path, any_size=self._any_size)
            for number, entry, place in _unpacked(stream, extraction, remarks, any_size=self._any_size):
                if place.name in COGX_FILES and len(place.parts) <= 2 and not entry.is_directory:
                    self._files[place] = number, check_file(self._member(entry, place.name, stream), self._path)
            _drain(stream, remarks)
        if not extraction.files:
            raise ArchiveError(f"holds no file: not an archive, or a damaged one. {WRITE_AGAIN}")
        self._keep(extraction, extraction.root())

    def _keep(self, extraction: Extraction, root: PurePosixPath) -> None:
        for place, (number, findings) in list(self._files.items()):
            if place.parent != root:
                self.all.warnings.add(f"{str(place)!r:.100} is not beside {MANIFEST_FILE}; a Cognee server ignores it")
                del self._files[place]
                continue
            if place in extraction.overwritten:
                self.all.warnings.add("is there more than once; a Cognee server keeps the last one", file=place.name)
            if findings.size or number:
                self.member_bytes[place.name] = findings.size
            self.all.extend(findings)

    def compare(self) -> None:
        """Hold records against each other and against the manifest."""
        found, warnings = self.all, self.all.warnings
        _check_counts(found)
        ends = EndsCheck(found, keeps_ids=found.manifest is not None and found.manifest.source_system == COGNEE_SYSTEM)
        if found.counts["fact"]:
            for member in self._fact_files():
                ends.check(member, warnings)
        if ends.num_repeated_nodes:
            nodes = counted(ends.num_repeated_nodes, "node has", "nodes have")
            warnings.add(f"{nodes} the id of another one; a Cognee server keeps one")
        if ends.num_repeated_facts:
            facts = counted(ends.num_repeated_facts, "fact has", "facts have")
            warnings.add(f"{facts} both ends and the predicate of another one; a Cognee server keeps the first")

    def _fact_files(self) -> Iterator[Member]:
        """Where facts may be: in every file of records but that of the raw nodes."""
        with self._path.open("rb") as file:
            stream = TarStream(file, self._path, any_size=self._any_size)
            for number, entry in enumerate(read_entries(stream, remark=_ignore)):
                place = PurePosixPath(entry.name)
                name = place.name
                if name in RECORD_KINDS and name != NODES_FILE and self._files.get(place, (-1,))[0] == number:
                    yield self._member(entry, name, stream)

    def _member(self, entry: Entry, name: str, stream: TarStream) -> Member:
        most = math.inf if self._any_size else MAX_LINE_BYTES
        return Member(name=name, size=entry.size, _content=stream, _max_line_bytes=most)


def _unpacked(
    stream: TarStream, extraction: Extraction, remarks: Noted, *, any_size: bool
) -> Iterator[tuple[int, Entry, PurePosixPath]]:
    total = 0
    for number, entry in enumerate(read_entries(stream, remark=remarks.add)):
        if number >= MAX_MEMBERS:
            raise ArchiveLimitError(f"more than {MAX_MEMBERS:,} files; a Cognee server refuses that. {PACK_AGAIN}")
        place = PurePosixPath(entry.name)
        if "\0" in entry.name or place.is_absolute() or ".." in place.parts:
            raise ArchiveError(
                f"the file name {entry.name!r:.200} leads out of the archive; refusing to read it. {DISTRUST}"
            )
        if entry.other:
            remarks.add(f"{entry.name!r:.200} is {entry.other}, which a Cognee server passes over")
            continue
        if not any_size:
            check_size(entry.name, entry.size, stream.path)
        total += entry.size
        if total > MAX_TOTAL_BYTES and not any_size:
            raise ArchiveLimitError(
                f"more than {MAX_TOTAL_BYTES:,} bytes unpacked; a Cognee server refuses that. {SEND_LESS}"
            )
        windows = PureWindowsPath(entry.name)
        if windows.drive or windows.root or ".." in windows.parts:
            remarks.add(f"the file name {entry.name!r:.200} leads out of the archive on Windows")
        extraction.add(place, number=number, is_directory=entry.is_directory, modified=entry.modified)
        yield number, entry, place


def _drain(stream: TarStream, remarks: Noted) -> None:
    try:
        stream.drain()
    except ArchiveLimitError:
        raise
    except ArchiveError as error:
        remarks.add(
            f"{str(error).removeprefix(f'{stream.path}: ')} The damage is behind the last file, where a Cognee server "
            "does not look"
        )


def _check_counts(found: Findings) -> None:
    if found.manifest is None:
        return
    if not found.counts and not found.problems.count:
        found.warnings.add("holds no record: a Cognee server makes no dataset of it")
    said = found.manifest.counts
    for kind in sorted(said.keys() | found.counts.keys()) if said else ():
        if said.get(kind, 0) != found.counts[kind]:
            found.warnings.add(
                f"says {counted(said.get(kind, 0), 'record')} of kind {kind!r:.40}, but the archive has "
                f"{found.counts[kind]} that a server takes",
                file=MANIFEST_FILE,
            )
    if found.manifest.source_system == COGNEE_SYSTEM and (others := len(found.ids.only_names)):
        found.warnings.add(
            f"{counted(others, 'entity has', 'entities have')} no UUID as id; a Cognee server makes one of the name, "
            "and one for all that are called alike"
        )


def _ignore(remark: str) -> None:
    """Heard already."""
