"""Whether an import that was seen is followed by what a hybrid push makes of texts; somebody else's may not be."""

import time
from datetime import datetime

from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE


def is_followed(request: DeliveryRequest, *, since: datetime | None) -> bool:
    """Whether texts are stored since then; a server begins with that at once (measured on Cognee 1.6.5).

    Args:
        request: The delivery, in mode hybrid.
        since: When a graph's import ended, by the server's clock; None: it did not succeed.
    """
    if since is None:
        return False
    settings = request.settings
    patience = settings.recovery_timeout + settings.recovery_per_document * request.num_documents
    deadline = time.monotonic() + patience
    while True:
        rows = request.client.runs(pipeline_name=ADD_PIPELINE, dataset_id=request.dataset.id)
        begun = [moment for row in rows if (moment := row.started_at or row.created_at)]
        if any(moment >= since for moment in begun):
            return True
        if time.monotonic() >= deadline:
            return False
        request.pause()
