"""Facts whose ends are not in the archive: a server drops them, or makes up a node, and says nothing."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.read.check_file import is_uuid, name_key, normalized, text_key
from cognee_dagster.cogx.read.findings import Findings, NodeIds, Noted
from cognee_dagster.cogx.read.safe_members import Member
from cognee_dagster.cogx.schema import Fact, check_record


class EndsCheck:
    """Holds facts against the nodes of an archive, as a server finds them.

    Args:
        findings: All nodes of the archive.
        keeps_ids: Whether entities keep their ids, as those of Cognee do; else a server makes ids of their names.
    """

    def __init__(self, findings: Findings, *, keeps_ids: bool) -> None:
        ids: NodeIds = findings.ids
        if not keeps_ids:
            ids.only_names.extend(ids.names)
        self._keeps_ids = keeps_ids
        self._external = _sorted(ids.external)
        self._names = _sorted(ids.only_names)
        self._facts: array[int] = array("Q")

    def check(self, member: Member, warnings: Noted) -> None:
        """Look at the facts of one file."""
        for number, line in member.lines():
            try:
                record = check_record(parse_line(line), file=member.name)
            except ValueError:  # reported already
                continue
            if isinstance(record, Fact):
                self._facts.append(text_key(f"{record.subject_ref}\0{record.predicate}\0{record.object_ref}"))
                for reason in self._missing(record):
                    warnings.add(reason, file=member.name, line=number)

    @property
    def num_repeated_facts(self) -> int:
        """How many facts say again what another one has said."""
        return len(self._facts) - len(np.unique(np.frombuffer(self._facts, np.uint64)))

    @property
    def num_repeated_nodes(self) -> int:
        """How many nodes have the id of another one."""
        return len(self._external) - len(np.unique(np.frombuffer(self._external, np.uint64)))

    def _missing(self, fact: Fact) -> Iterator[str]:
        for end in (fact.subject_ref, fact.object_ref):
            if self._is_known(end):
                continue
            if is_uuid(end):
                yield f"the fact's end {end!r:.60} is not in the archive; a Cognee server drops the fact"
            elif self._keeps_ids:  # other systems name entities that have no record; Cognee makes those by intent
                yield f"the fact's end {end!r:.60} is the id of no node; a Cognee server makes up a node of that name"

    def _is_known(self, end: str) -> bool:
        if _holds(self._external, text_key(end)) or _holds(self._names, name_key(end)):
            return True
        return self._keeps_ids and _holds(self._external, text_key(_entity_id(end)))


def _entity_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"Entity:{normalized(name)}"))


def _sorted(hashes: "array[int]") -> "array[int]":
    if hashes:
        np.frombuffer(hashes, np.uint64).sort()  # where it is: a list of Python's numbers would take five times as much
    return hashes


def _holds(hashes: "array[int]", key: int) -> bool:
    place = bisect_left(hashes, key)
    return place < len(hashes) and hashes[place] == key
