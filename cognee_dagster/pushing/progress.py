"""Who is told how a push is getting on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cognee_dagster.pushing.refusals import is_refused

UploadProgress = Callable[[int, int], None]
"""Called with (bytes sent, total bytes) of the archive under way, from the upload's thread."""


def _nobody(*_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class PushBeginning:
    """What is about to be pushed where.

    Attributes:
        dataset_name: The local dataset.
        target_dataset: The remote dataset.
        num_nodes: Nodes of the graph.
        num_edges: Edges of the graph.
        url: The remote's address.
    """

    dataset_name: str
    target_dataset: str
    num_nodes: int
    num_edges: int
    url: str


@dataclass(frozen=True, kw_only=True)
class DeliveredArchive:
    """What became of an archive: fields of its ``DeliveryResult``.

    Attributes:
        status: ``completed``, ``started`` or ``running``.
        pipeline_run_id: The import's run on the remote; None where that cannot be known.
        known_by: Where this comes from.
    """

    status: str
    pipeline_run_id: str | None
    known_by: str


@dataclass(frozen=True, kw_only=True)
class PushProgress:
    """What is called while a push is under way; the default is nobody.

    Attributes:
        on_export: Called with the state of writing and cutting the archive.
        on_begin: Called when it is known that something is to be sent, before that begins.
        on_shard: Called with (number of the archive from 1, how many there are) when its upload is about to begin.
        on_upload: Called with (bytes sent, total bytes) of the archive under way, from the upload's thread.
        on_import: Called with the run of an import, as soon as it is known, and again when the server has answered.
        on_deleted: Called when something was deleted on the remote, or may have been, as nothing was answered.
        on_delivered: Called with what became of an archive: its import has ended well, or goes on in the background.
    """

    on_export: Callable[..., None] | None = None
    on_begin: Callable[[PushBeginning], None] = _nobody
    on_shard: Callable[[int, int], None] = _nobody
    on_upload: UploadProgress | None = None
    on_import: Callable[[str], None] = _nobody
    on_deleted: Callable[[], None] = _nobody
    on_delivered: Callable[[DeliveredArchive], None] = _nobody

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """Inside it the remote is asked to delete something."""
        try:
            yield
        except BaseException as error:
            if not is_refused(error):
                self.on_deleted()
            raise
        self.on_deleted()
