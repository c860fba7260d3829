"""One archive for one remote dataset, and everything that its delivery goes by."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognee_dagster.cogx.format import TEXT_KINDS
from cognee_dagster.errors import PushInterruptedError
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.pushing.progress import UploadProgress
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.compat import Strategy
from cognee_dagster.remote.imports.vocabulary import cognify_follows
from cognee_dagster.remote.imports.watch import WatchedImport
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.tracing import host_of

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


@dataclass(frozen=True, kw_only=True)
class DeliveryRequest:
    """What is to be delivered, where and how.

    Attributes:
        client: The remote.
        archive: The archive, as it was written.
        dataset: The remote dataset; its id is empty where the remote would not name it.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        strategy: How an import that nobody waits for gets done.
        settings: How patient to be.
        note: Called with the import as soon as its run is known, and again when the server has answered.
        on_upload: Called with (bytes sent, total bytes).
        stop: Setting it hangs up and raises ``PushInterruptedError``.
    """

    client: CogneeClient
    archive: "Archive"
    dataset: RemoteDataset
    mode: str
    strategy: Strategy
    settings: DeliverySettings
    note: Callable[[BegunImport], None]
    on_upload: UploadProgress | None
    stop: threading.Event

    @property
    def where(self) -> str:
        """The remote dataset in words."""
        return f"dataset {self.dataset.name!r} on {self.client.connection.url}"

    @property
    def num_documents(self) -> int:
        """Texts in the archive, which the server stores before the graph's import begins."""
        return sum(self.archive.record_counts.get(kind, 0) for kind in TEXT_KINDS)

    @property
    def cognifies(self) -> bool:
        """Whether the server makes a cognify run of this archive after its graph's import."""
        return cognify_follows(mode=self.mode, num_texts=self.num_documents)

    @property
    def about(self) -> dict[str, str | int]:
        """What its span says of it."""
        return {
            "dataset": self.archive.dataset_name,
            "target_dataset": self.dataset.name,
            "remote_host": host_of(self.client.connection.url),
            "num_nodes": self.archive.num_nodes,
            "num_edges": self.archive.num_edges,
            "archive_digest": self.archive.digest,
            "archive_bytes": self.archive.size_bytes,
        }

    def watched(self, run_id: str, *, pushed_at: float | None = None) -> WatchedImport:
        """The import with that run, for asking what has become of it."""
        return WatchedImport(run_id=run_id, dataset_id=self.dataset.id, pushed_at=pushed_at, cognifies=self.cognifies)

    def pause(self, seconds: float | None = None) -> None:
        """Wait, by default until the next look at the remote's runs; stopped at once by ``stop``."""
        self.stop.wait(self.settings.poll_interval if seconds is None else seconds)
        self.heed_stop()

    def heed_stop(self) -> None:
        """Raise ``PushInterruptedError`` when the caller wants no more."""
        if self.stop.is_set():
            raise PushInterruptedError(f"The push to dataset {self.dataset.name!r} was interrupted.")
