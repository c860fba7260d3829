"""Everything that is wrong with an archive, in words: file, line, reason."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from xxhash import xxh3_64_intdigest

from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.format import MANIFEST_FILE, NODES_FILE, PERMISSIONS_FILE, RECORD_KINDS
from cognee_dagster.cogx.read.manifest import parse_manifest
from cognee_dagster.cogx.read.safe_members import Member, read_members
from cognee_dagster.cogx.schema import Entity, Fact, Manifest, RawNode, check_record
from cognee_dagster.errors import ArchiveError

MAX_PROBLEMS = 100


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        reason: What, in words.
        file: In which file of the archive; None for the archive as a whole.
        line: In which line, from 1, if in one.
    """

    reason: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f", line {self.line}"
        return f"{place}: {self.reason}" if place else self.reason


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What ``validate_archive`` found.

    Attributes:
        path: The archive.
        problems: The first ``MAX_PROBLEMS`` problems; empty if a Cognee server will take the archive whole.
        num_problems: How many there are.
        record_counts: Valid records by kind.
        member_bytes: Unpacked size by file name.
        manifest: The manifest, if it is there and valid.
    """

    path: Path
    problems: tuple[Problem, ...]
    num_problems: int
    record_counts: dict[str, int]
    member_bytes: dict[str, int]
    manifest: Manifest | None

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.num_problems


def validate_archive(path: Path) -> ValidationReport:
    """Check an archive as a Cognee server will, and for what a server drops without a word.

    The archive is read twice: facts may stand before the nodes they speak of. Of each node 8 bytes are remembered.

    Raises:
        OSError: The file cannot be read. Whatever is wrong *in* it is in the report.
    """
    findings = _Findings()
    try:
        for member in read_members(path):
            _check_member(member, path, findings)
        _check_counts(findings)
        if findings.facts:
            _check_ends(path, findings)
    except ArchiveError as error:
        findings.add(str(error).removeprefix(f"{path}: "))
    return ValidationReport(
        path=path,
        problems=tuple(findings.problems),
        num_problems=findings.num_problems,
        record_counts=dict(findings.counts),
        member_bytes=findings.member_bytes,
        manifest=findings.manifest,
    )


@dataclass
class _Findings:
    problems: list[Problem] = field(default_factory=list)
    num_problems: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    member_bytes: dict[str, int] = field(default_factory=dict)
    manifest: Manifest | None = None
    known_ends: "array[int]" = field(default_factory=lambda: array("Q"))

    @property
    def facts(self) -> int:
        return self.counts["fact"]

    def add(self, reason: str, *, file: str | None = None, line: int | None = None) -> None:
        self.num_problems += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(reason=reason, file=file, line=line))


def _check_member(member: Member, path: Path, findings: _Findings) -> None:
    findings.member_bytes[member.name] = member.size
    if member.name == PERMISSIONS_FILE:
        findings.add("holds accounts and password hashes: a secret, never to be pushed", file=PERMISSIONS_FILE)
    elif member.name == MANIFEST_FILE:
        try:
            findings.manifest = parse_manifest(member, path)
        except ArchiveError as error:
            findings.add(str(error).removeprefix(f"{path}: {MANIFEST_FILE}: "), file=MANIFEST_FILE)
    else:
        for number, line in member.lines():
            try:
                _check_line(line, member.name, findings)
            except ValueError as error:
                findings.add(str(error), file=member.name, line=number)


def _check_line(line: bytes, file: str, findings: _Findings) -> None:
    record = check_record(parse_line(line), file=file)
    if isinstance(record, Entity):
        findings.known_ends.extend((_key(record.external_id), _key(record.name)))
    elif isinstance(record, RawNode):
        node_id = record.properties.get("id")
        if not _is_uuid(node_id):
            raise ValueError(f"the node's id {node_id!r:.60} is no UUID, so that a Cognee server cannot restore it")
        findings.known_ends.append(_key(str(node_id)))
    findings.counts[record.kind] += 1


def _check_counts(findings: _Findings) -> None:
    if findings.manifest is None:
        if MANIFEST_FILE not in findings.member_bytes:
            findings.add(f"no {MANIFEST_FILE} in it: not a COGX archive")
        return
    said = findings.manifest.counts
    for kind in sorted(said.keys() | findings.counts.keys()) if said else ():
        if said.get(kind, 0) != findings.counts[kind]:
            findings.add(
                f"says {said.get(kind, 0)} records of kind {kind!r:.40}, but the archive has "
                f"{findings.counts[kind]} valid ones",
                file=MANIFEST_FILE,
            )


def _check_ends(path: Path, findings: _Findings) -> None:
    """Facts whose ends are not in the archive: a server drops them, or makes up a node, and says nothing."""
    known = findings.known_ends
    np.frombuffer(known, np.uint64).sort()  # where it is: a list of Python's numbers would take five times the memory
    named_ends = findings.manifest is not None and findings.manifest.source_system != "cognee"
    for member in read_members(path):
        if member.name not in RECORD_KINDS or member.name == NODES_FILE:
            continue
        for number, line in member.lines():
            try:
                record = check_record(parse_line(line), file=member.name)
            except ValueError:  # reported in the first pass
                continue
            if isinstance(record, Fact):
                for end in _missing_ends(record, known, names_allowed=named_ends):
                    findings.add(
                        f"the fact's end {end!r:.60} is not in the archive; a Cognee server drops the fact or makes "
                        "up a node",
                        file=member.name,
                        line=number,
                    )


def _missing_ends(fact: Fact, known: "array[int]", *, names_allowed: bool) -> Iterable[str]:
    for end in (fact.subject_ref, fact.object_ref):
        key = _key(end)
        place = bisect_left(known, key)
        # Other systems name entities that have no record; Cognee makes those by intent.
        if (place == len(known) or known[place] != key) and (_is_uuid(end) or not names_allowed):
            yield end


def _key(text: str) -> int:
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
