"""Which nodes and edges an import makes of archives (Cognee 1.6.5, ``modules/migration/loader.py``)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cognee_dagster.cogx.advice import EXPORT_AGAIN
from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.format import COGNEE_SYSTEM, RECORD_KINDS
from cognee_dagster.cogx.ids import canonical_uuid, id_for
from cognee_dagster.cogx.read.manifest import read_manifest
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.cogx.schema import Entity, Fact, RawNode, Record, check_record
from cognee_dagster.errors import ArchiveError

Triple = tuple[str, str, str]


class ImportedNode(NamedTuple):
    """A node as a server has it after the import.

    Attributes:
        id: The id that the server gives it.
        name: The name that it must have there; None where it may have another one.
        record: What it is made of; None where others of the same name may be part of it, too.
    """

    id: str
    name: str | None
    record: Entity | RawNode | None


class ImportedGraph:
    """The nodes and edges under the ids that a server gives them. Read ``nodes`` to its end before anything else.

    UUIDs are kept, in their one canonical spelling, but for entities of other systems than Cognee. Such an entity, and
    one without a UUID, gets an id that is made from its name, and so does the end of a fact that names no node. The
    type of an entity becomes a node of its own.

    Args:
        archives: The packed archives of one graph.

    Raises:
        ArchiveError: One is damaged.
    """

    def __init__(self, archives: Sequence[Path]) -> None:
        self._archives = [(path, read_manifest(path).source_system == COGNEE_SYSTEM) for path in archives]
        self._made: dict[str, str] = {}
        self._typed: dict[str, str] = {}

    def nodes(self) -> Iterator[ImportedNode]:
        """One for each record of a node, and one for each type that an entity names."""
        for path, keeps_ids in self._archives:
            for record in records_of(path, "entity", "raw_node"):
                if isinstance(record, RawNode):
                    yield _of_raw_node(record)
                elif isinstance(record, Entity):
                    yield self._of_entity(record, keeps_ids=keeps_ids)
        yield from (ImportedNode(type_id, None, None) for type_id in set(self._typed.values()))

    def facts(self) -> Iterator[Triple]:
        """The edges that facts become."""
        for path, _ in self._archives:
            for fact in records_of(path, "fact"):
                if isinstance(fact, Fact):
                    yield self._of_end(fact.subject_ref), fact.predicate, self._of_end(fact.object_ref)

    def implied_edges(self) -> Iterator[Triple]:
        """The edges from entities to their types, which no count includes."""
        return ((entity_id, "is_a", type_id) for entity_id, type_id in self._typed.items())

    def _of_entity(self, entity: Entity, *, keeps_ids: bool) -> ImportedNode:
        kept = canonical_uuid(entity.external_id) if keeps_ids else None
        node_id = kept or self._made.setdefault(entity.external_id, id_for("Entity", entity.name))
        if entity.entity_type:
            self._typed.setdefault(node_id, id_for("EntityType", entity.entity_type))
        return ImportedNode(node_id, entity.name, entity) if kept else ImportedNode(node_id, None, None)

    def _of_end(self, ref: str) -> str:
        return self._made.get(ref) or canonical_uuid(ref) or id_for("Entity", ref)


def _of_raw_node(node: RawNode) -> ImportedNode:
    node_id, name = str(node.properties.get("id")), node.properties.get("name")
    return ImportedNode(canonical_uuid(node_id) or node_id, name if isinstance(name, str) else None, node)


def records_of(path: Path, *kinds: str) -> Iterator[Record]:
    """The records of these kinds of an archive that was written here or is known to be within the limits, in its order.

    Raises:
        ArchiveError: The archive is damaged, or a line is no record.
    """
    files = [file for file, kind in RECORD_KINDS.items() if kind in kinds]
    for member in read_members(path, any_size=True):
        if member.name not in files:
            continue
        for number, line in member.lines():
            try:
                yield check_record(parse_line(line), file=member.name)
            except ValueError as error:
                raise ArchiveError(f"{path}: {member.name}, line {number}: {error}. {EXPORT_AGAIN}") from error
