"""Where a graph comes from."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class GraphOrigin:
    """Where a graph comes from; what the archive's manifest says about it.

    Attributes:
        dataset_name: The dataset's name; the default target of a push.
        dataset_id: Cognee's id of the dataset; None for NetworkX graphs and files.
        embedding_model: The embedding model configured where the graph lives, if known.
        migration_revision: The store's data-migration revision (``dataset_database.migration_revision``), if known.
        read_through: How it was read: ``files``, ``cognee``, ``networkx`` or ``archive``.
        fact_text_complete: False where edges may lack ``edge_text``, which the archive writer then fills in.
        endpoints_guaranteed: True where the store itself rules out edges to nodes that are not there.
    """

    dataset_name: str
    dataset_id: UUID | None = None
    embedding_model: str | None = None
    migration_revision: str | None = None
    read_through: str = "files"
    fact_text_complete: bool = True
    endpoints_guaranteed: bool = True
