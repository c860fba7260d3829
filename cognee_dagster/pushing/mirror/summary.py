"""What a push to a mirror does, in numbers: for its result, for ``plan`` and for Dagster's metadata."""

from typing import Any

from cognee_dagster.pushing.mirror.survey import MirrorSurvey


def summary_of(found: MirrorSurvey) -> dict[str, Any]:
    """Counts of records and segments, as JSON values."""
    difference, documents, known = found.plan.difference, found.documents, found.known
    return {
        "nodes": {
            "added": len(difference.added_nodes),
            "changed": len(difference.changed_nodes),
            "removed": len(difference.removed_nodes),
        },
        "edges": {
            "added": len(difference.added_edges),
            "changed": len(difference.changed_edges),
            "removed": len(difference.removed_edges),
        },
        "documents": {
            "added": documents.num_added,
            "changed": len(documents.sent) - documents.num_added,
            "removed": len(documents.removed_keys),
        },
        "segments": len(found.plan.letters),
        "segments_sent": len(found.plan.uploads),
        "segments_replaced": len(found.plan.deleted),
        "sent_whole_because": known.reason or ("" if known.state is not None else "nothing is known of the remote yet"),
    }
