"""The documents of an archive: what they hold, and the ids that a server will know them by."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cognee_dagster.cogx.advice import WRITE_AGAIN
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.format import DOCUMENTS_FILE, RECORD_KINDS, TEXT_KINDS
from cognee_dagster.cogx.read.safe_members import Member, read_members
from cognee_dagster.cogx.read.texts import kept_text
from cognee_dagster.cogx.schema import RawNode, check_record
from cognee_dagster.cogx.write.spool import Spool, assemble
from cognee_dagster.errors import ArchiveError
from cognee_dagster.system.files import naming_full, unnamed_file

_TEXT_FILES = frozenset(name for name, kind in RECORD_KINDS.items() if kind in TEXT_KINDS)


@dataclass(frozen=True)
class DocumentPrint:
    """A document without its text.

    Attributes:
        external_id: Its id in the system that it is from.
        md5: MD5 of its text in UTF-8, which is what Cognee names the stored file by (1.6.5,
            ``modules/ingestion/save_data_to_file.py``); 32 hex digits.
        external_system: That system; a server knows a document by both.
    """

    external_id: str
    md5: str
    external_system: str = "cognee"


def document_prints(archive: Path) -> list[DocumentPrint]:
    """All that a server keeps as a document of a packed archive: documents, episodes, memories and memory blocks.

    The archive was written here, or is known to be within the limits.

    Raises:
        ArchiveError: The archive is damaged.
    """
    return list(_prints(archive))


def _prints(archive: Path) -> Iterator[DocumentPrint]:
    for member in read_members(archive, any_size=True):
        if member.name not in _TEXT_FILES:
            continue
        for number, line in member.lines():
            try:
                record = check_record(exact_json.parse_line(line), file=member.name)
            except ValueError as error:
                raise ArchiveError(
                    f"{archive}: {member.name}, line {number} is no document: {error}. {WRITE_AGAIN}"
                ) from error
            text = kept_text(record)
            if text is not None and not isinstance(record, RawNode):
                md5 = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
                yield DocumentPrint(record.external_id, md5, record.external_system)


def rename_documents(archive: Path, destination: Path, external_ids: Mapping[str, str]) -> None:
    """A copy of a packed archive in which documents have other ids; everything else stays as it is, byte by byte.

    Facts never refer to documents, only to nodes, so that nothing else has to change.

    Args:
        archive: The archive to copy, which was written here.
        destination: The file to write; its directory must exist.
        external_ids: New id by present id; documents that are not in it keep theirs.

    Raises:
        ArchiveError: The archive is damaged.
    """
    with ExitStack() as stack:
        spools = []
        for member in read_members(archive, any_size=True):
            spool = stack.enter_context(Spool(member.name, file=unnamed_file(destination.parent)))
            spools.append(spool)
            for content in (
                _renamed(member, archive, external_ids) if member.name == DOCUMENTS_FILE else member.chunks()
            ):
                spool.write(content)
        with naming_full(destination), destination.open("wb") as file:
            assemble(spools, file)


def _renamed(member: Member, archive: Path, external_ids: Mapping[str, str]) -> Iterator[bytes]:
    for record in _records(member, archive):
        external_id = record["external_id"]
        yield exact_json.dump(record | {"external_id": external_ids.get(external_id, external_id)}) + b"\n"


def _records(member: Member, archive: Path) -> Iterator[dict[str, str]]:
    for number, line in member.lines():
        try:
            record = exact_json.parse_line(line)
            record["external_id"], record["content"]
        except (ValueError, TypeError, KeyError) as error:
            raise ArchiveError(
                f"{archive}: {member.name}, line {number} is no document: {error!r}. {WRITE_AGAIN}"
            ) from error
        yield record
