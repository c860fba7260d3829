"""One file of an archive, line by line, as a server reads it."""

from pathlib import Path
from typing import Any
from uuid import UUID

from xxhash import xxh3_64_intdigest

from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.format import MANIFEST_FILE, PERMISSIONS_FILE
from cognee_dagster.cogx.read.findings import Findings
from cognee_dagster.cogx.read.manifest import parse_manifest
from cognee_dagster.cogx.read.safe_members import Member
from cognee_dagster.cogx.schema import Entity, RawNode, check_record
from cognee_dagster.cogx.server.nesting import nesting
from cognee_dagster.cogx.server.raw_nodes import judge_node
from cognee_dagster.cogx.server.safe_nodes import called
from cognee_dagster.cogx.server.typed_records import judge_record
from cognee_dagster.errors import ArchiveError

_MAX_NESTING = 935  # measured: of the thousand calls that Python allows, the server's own are open when it reads a line


def check_file(member: Member, path: Path) -> Findings:
    """What is wrong with a file; what is wrong with the tar around it is raised.

    Raises:
        ArchiveError: The archive is damaged.
    """
    findings = Findings(size=member.size)
    if member.name == PERMISSIONS_FILE:
        findings.problems.add("holds accounts and password hashes: a secret, never to be pushed", file=member.name)
    elif member.name == MANIFEST_FILE:
        try:
            findings.manifest = parse_manifest(member, path)
        except ArchiveError as error:
            reason = str(error).removeprefix(f"{path}: {MANIFEST_FILE}: ")
            findings.problems.add(reason, file=MANIFEST_FILE)
    else:
        for number, line in member.lines():
            try:
                for remark in _check_line(line, member.name, findings):
                    findings.warnings.add(remark, file=member.name, line=number)
            except ValueError as error:
                findings.problems.add(str(error), file=member.name, line=number)
    return findings


def _check_line(line: bytes, file: str, findings: Findings) -> list[str]:
    value = parse_line(line)
    if line.count(b"[") + line.count(b"{") > _MAX_NESTING and nesting(value) > _MAX_NESTING:
        raise ValueError(f"holds a value that is nested more than {_MAX_NESTING} deep")
    record = check_record(value, file=file)
    remarks = _judge_named(record.properties) if isinstance(record, RawNode) else judge_record(record)
    if isinstance(record, Entity):
        findings.ids.external.append(text_key(record.external_id))
        names = findings.ids.names if is_uuid(record.external_id) else findings.ids.only_names
        names.append(name_key(record.name))
    elif isinstance(record, RawNode) and (node_id := record.properties.get("id")):
        findings.ids.external.append(text_key(str(node_id)))
    findings.counts[record.kind] += 1
    return remarks


def _judge_named(properties: dict[str, Any]) -> list[str]:
    """``judge_node``, whose error names the node: who made the graph knows that, and not a line of the archive."""
    try:
        return judge_node(properties)
    except ValueError as error:
        raise ValueError(f"{called(properties)}: {error}") from error


def text_key(text: str) -> int:
    """The hash by which an id is remembered."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def name_key(name: str) -> int:
    """The hash by which a name is remembered: one for all names of which Cognee makes the same id."""
    return text_key(normalized(name))


def normalized(name: str) -> str:
    """A name as it goes into the id of an entity (``infrastructure/engine/models/DataPoint.py``)."""
    return name.lower().replace(" ", "_").replace("'", "")


def is_uuid(value: object) -> bool:
    """Whether Cognee takes a text for a UUID."""
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
