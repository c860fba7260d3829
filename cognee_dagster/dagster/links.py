"""What a person can click on in the metadata of an event: the remote, its graph, and the Dagster run that pushed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import dagster as dg

from cognee_dagster.dagster.keys import PUSH_RUN_ID, REMOTE_DATASET_ID, REMOTE_PAGE, REMOTE_URL


def with_links(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata, with links in place of addresses and run ids; their plain values stay what they are."""
    linked = dict(metadata)
    if url := metadata.get(REMOTE_URL):
        linked[REMOTE_URL] = dg.MetadataValue.url(url)
        if dataset_id := metadata.get(REMOTE_DATASET_ID):
            linked[REMOTE_PAGE] = dg.MetadataValue.url(_page(url, dataset_id=dataset_id))
    if run_id := metadata.get(PUSH_RUN_ID):
        linked[PUSH_RUN_ID] = dg.MetadataValue.dagster_run(run_id)
    return linked


def _page(url: str, *, dataset_id: str) -> str:
    """The page on which a server draws a dataset's graph (Cognee 1.6.5, ``api/v1/visualize``)."""
    return f"{url.rstrip('/')}/api/v1/visualize?dataset_id={quote(dataset_id, safe='')}"
