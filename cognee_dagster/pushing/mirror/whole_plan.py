"""What a push of a graph would do that cannot be mirrored: it is a full push."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import CogneeDagsterError


@dataclass(frozen=True, kw_only=True)
class WholePlan:
    """All of the graph would be sent, and nothing removed.

    Attributes:
        reason: Why it cannot be mirrored.
        archives: What would be sent.
        target_dataset: The remote dataset's name.
        dataset_id: Its id; None where it is not there.
        refusal: What the push would raise, and send nothing; None where it would be carried out.
    """

    reason: str
    archives: Sequence[Archive]
    target_dataset: str
    dataset_id: str | None
    refusal: CogneeDagsterError | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON values; what only a mirror has is not among them."""
        return {
            "cannot_be_mirrored_because": self.reason,
            "nodes": {"sent": sum(archive.num_nodes for archive in self.archives)},
            "edges": {"sent": sum(archive.num_edges for archive in self.archives)},
            "about_bytes": sum(archive.size_bytes for archive in self.archives),
            "archives": len(self.archives),
            "remote": {"exists": self.dataset_id is not None, "dataset_id": self.dataset_id},
            "target_dataset": self.target_dataset,
            "in_sync": False,
            "nothing_to_do": False,
            "refusal": "" if self.refusal is None else str(self.refusal),
        }
