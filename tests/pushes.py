"""What tests of pushes share: an archive on disk, a client of a remote under test, and patience in milliseconds."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.transport import Timeouts
from tests.cogx_graphs import demo_reader

HASTY = DeliverySettings(detach_timeout=10.0, recovery_timeout=1.0, quiet_after=0.3, poll_interval=0.02)
QUICK_RETRIES = RetryPolicy(attempts=3, first_wait=0.01, max_wait=0.02)


def demo_archive(directory: Path) -> Archive:
    """Three nodes, two edges, one of the nodes a document."""
    return write_archive(demo_reader(), directory / "demo.cogx.tar.gz")


def client_of(url: str, api_key: str, *, timeouts: Timeouts | None = None) -> CogneeClient:
    """A client that tries three times, without long waits."""
    connection = Connection(url=url, api_key=SecretStr(api_key), source="arguments")
    return CogneeClient(connection, retry=QUICK_RETRIES, timeouts=timeouts)


class Noting:
    """A ``ResumeRecord`` in memory: what an earlier try had begun, and what this one notes."""

    def __init__(
        self, begun: Mapping[str, BegunImport] | None = None, *, on_run: Callable[[Archive, str], None] | None = None
    ) -> None:
        self.runs = dict(begun or {})
        self.is_done = False
        self._on_run = on_run

    def begun(self) -> Mapping[str, BegunImport]:
        return dict(self.runs)

    def note(self, archive: Archive, run: BegunImport) -> None:
        known = self.runs.get(archive.content_sha256)
        self.runs[archive.content_sha256] = run
        if self._on_run is not None and (known is None or known.run_id != run.run_id):
            self._on_run(archive, run.run_id)

    def done(self) -> None:
        self.is_done = True


def push_archive(
    archive: Archive,
    *,
    client: CogneeClient,
    on_run: Callable[[str], None] | None = None,
    earlier_run: str | None = None,
    settings: DeliverySettings | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> PushResult:
    """``push_archives`` of a graph that fits into one."""
    begun = {archive.content_sha256: BegunImport(run_id=earlier_run, known_by=KnownBy.RUN)} if earlier_run else None
    return push_archives(
        (archive,),
        client=client,
        options=PushOptions(delivery=settings or DeliverySettings(), **options),
        record=Noting(begun, on_run=None if on_run is None else lambda _, run_id: on_run(run_id)),
        stop=stop,
    )
