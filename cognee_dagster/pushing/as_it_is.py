"""``push_archive()``: a COGX archive that is there already, of whichever system, to a remote Cognee, byte by byte."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster import sources
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection, resolve_connection
from cognee_dagster.tracing import host_of, span

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.cogx.archive import Archive


async def push_archive(
    archive: str | os.PathLike[str],
    *,
    target_dataset: str | None = None,
    mode: str = "preserve",
    run_in_background: bool = False,
    url: str | None = None,
    api_key: str | None = None,
) -> PushResult:
    """Upload a COGX archive to a remote Cognee exactly as it is: Cognee's own, or one of mem0, graphiti, letta, zep, …

    It is checked first as a Cognee server will check it. Documents keep the ids that they have in the archive.

    Args:
        archive: Path or URL of a packed archive (``.tar.gz``, ``.tar``, ``.tar.bz2``, ``.tar.xz``), or the directory
            that ``cognee.export()`` wrote, which is packed on the way.
        target_dataset: Dataset name on the remote; default: the dataset that the archive was exported from, else the
            file's name without its suffixes.
        mode: ``preserve`` maps the archive's graph directly, without any LLM call, and keeps its texts; ``hybrid``
            also cognifies the texts; ``re-derive`` ignores the graph and builds one from the texts.
        run_in_background: Return as soon as the remote has taken the archive over; poll ``pipeline_run_id``.
        url: The remote's address; default: as for ``push()``.
        api_key: The remote's API key; falls back like ``url``.

    Returns:
        What the push did. ``num_nodes`` and ``num_edges`` count the archive's records.

    Raises:
        ValueError: Unknown mode, an archive without a record, or a name that the remote would refuse.
        RuntimeError: It is no valid archive, no remote is configured, or it cannot be reached or refuses.
    """
    options = PushOptions(target_dataset=target_dataset, mode=mode, run_in_background=run_in_background)
    connection = resolve_connection(url, api_key)
    stop = threading.Event()
    try:
        return await asyncio.to_thread(push_archive_file, archive, connection=connection, options=options, stop=stop)
    except asyncio.CancelledError:
        stop.set()  # the thread cannot be cancelled: it hangs up when it sees this
        raise


def push_archive_file(
    archive: str | os.PathLike[str],
    *,
    connection: Connection,
    options: PushOptions | None = None,
    progress: PushProgress | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """``push_archive()``, synchronous, with what the command line needs besides: progress, and a way to stop."""
    with tempfile.TemporaryDirectory(prefix="cognee-push-") as directory:
        found = sources.archive_as_it_is(archive, directory=Path(directory))
        return push_as_they_are([found], connection=connection, options=options, progress=progress, stop=stop)


def push_as_they_are(
    archives: "Sequence[Archive]",
    *,
    connection: Connection,
    options: PushOptions | None = None,
    progress: PushProgress | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """The archives of one graph, whose files the remote is to get byte by byte.

    Raises:
        CogneeDagsterError: As ``push_archives`` does.
    """
    options = options or PushOptions()
    as_they_are = [replace(archive, as_it_is=True) for archive in archives]
    target = options.target_of(archives[0].dataset_name)
    journal = PushJournal.of(as_they_are, remote_url=connection.url, target_dataset=target, mode=options.mode)
    with span("push", remote_host=host_of(connection.url)), CogneeClient(connection) as client:
        return push_archives(as_they_are, client=client, options=options, progress=progress, record=journal, stop=stop)
