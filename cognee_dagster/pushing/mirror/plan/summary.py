"""What a push to a mirror does, in numbers: for its result, for ``plan`` and for Dagster's metadata."""

from typing import Any

import numpy as np

from cognee_dagster.pushing.mirror.plan.emptying import would_empty
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.unowned import unowned_as_json


def summary_of(found: MirrorSurvey) -> dict[str, Any]:
    """Counts of records and segments, as JSON values; ``unowned`` is what the remote has besides before the push."""
    difference, documents, known = found.plan.difference, found.documents, found.known
    keeps = found.plan.keeps_removed
    gone_nodes, gone_edges = (len(places) for places in found.gone)
    return {
        "nodes": {
            "added": len(difference.added_nodes),
            "changed": len(difference.changed_nodes),
            **_gone(gone_nodes, keeps=keeps),
        },
        "edges": {
            "added": len(difference.added_edges),
            "changed": len(difference.changed_edges),
            **_gone(gone_edges, keeps=keeps),
        },
        "documents": {
            "added": len(documents.added),
            "changed": len(documents.sent) - len(documents.added),
            "removed": len(documents.removed_keys),
        },
        **({"kept_is_known": found.knows_what_is_gone} if keeps else {}),
        "segments": len(found.plan.letters),
        "segments_sent": len(found.plan.uploads),
        "segments_replaced": len(found.plan.deleted),
        "emptied_first": found.empties,
        "emptied_of": would_empty(found).in_words if found.empties else "",
        "adopts": found.adopts,
        "adoption": None if found.adoption is None else found.adoption.as_json(),
        "nodes_of_other_mirrors": found.beside.num_nodes,
        "nodes_added_that_other_mirrors_brought": len(np.intersect1d(difference.added_nodes, found.beside.common)),
        "unowned": unowned_as_json(found.unowned),
        "tidies_unowned": found.tidies,
        "names_left_over": len(known.leftovers) + len(found.references_left),
        "sent_whole_because": known.reason
        or ("" if known.state is not None else "nothing is known yet of what this dataset has brought there"),
    }


def _gone(count: int, *, keeps: bool) -> dict[str, int]:
    """Records that only the remote has: removed, or left there."""
    return {"removed": 0 if keeps else count, **({"kept": count} if keeps else {})}
