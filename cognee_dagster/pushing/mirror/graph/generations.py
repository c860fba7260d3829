"""Names for what a mirror has put on a remote: one for each part of the graph, in two states that take turns.

Everything that an import writes carries a reference made from the archive's ``source_system`` and the dataset's name.
References of one node or edge unite; deleting a reference deletes the nodes, edges and vectors that are left without
any (measured on Cognee 1.6.5). So a part is replaced without a gap: its new state arrives under the other name, then
the old name is deleted.
"""

import hashlib
from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

LETTERS = ("a", "b")


@dataclass(frozen=True, kw_only=True, order=True)
class Generation:
    """One state of one segment on the remote.

    Attributes:
        owner: Whose mirror it is: see ``owner_of``.
        segment: The part of the graph, from 0.
        letter: ``a`` or ``b``.
    """

    owner: str
    segment: int
    letter: str

    @property
    def source_system(self) -> str:
        """The name in the archive's manifest."""
        return f"cognee-{self.owner}-{self.segment}-{self.letter}"

    def data_id(self, target_dataset: str) -> UUID:
        """What the remote knows it by."""
        return import_reference(self.source_system, target_dataset)


def import_reference(source_system: str, target_dataset: str) -> UUID:
    """The data id that a server gives all that archives of one source system bring into a dataset.

    Cognee 1.6.5, ``modules/migration/import_source.py``.
    """
    return uuid5(NAMESPACE_OID, f"cogx-import:{source_system}:{target_dataset}")


def owner_of(source: str) -> str:
    """Eight hex digits for what is mirrored, so that mirrors of several sources can share a remote dataset.

    Args:
        source: The local dataset's name, or the asset's key: what stays the same from push to push.
    """
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def other_letter(letter: str) -> str:
    """The state that takes turns with this one; the first one after none."""
    return LETTERS[0] if letter != LETTERS[0] else LETTERS[1]
