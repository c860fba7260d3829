"""What a person can click on in the metadata of an event: the remote, and the Dagster run that pushed."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import PUSH_RUN_ID, REMOTE_URL


def with_links(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata, with links in place of addresses and run ids; their plain values stay what they are."""
    linked = dict(metadata)
    if url := metadata.get(REMOTE_URL):
        linked[REMOTE_URL] = dg.MetadataValue.url(url)
    if run_id := metadata.get(PUSH_RUN_ID):
        linked[PUSH_RUN_ID] = dg.MetadataValue.dagster_run(run_id)
    return linked
