"""How a push to a mirror sends its archives: documents first, then segment by segment."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cognee_dagster.cogx.archive import Archive, check_limits
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.verification import count_problems
from cognee_dagster.pushing.delivery.deliver import deliver
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.mirror.done.archives import write_documents, write_segments
from cognee_dagster.pushing.mirror.done.deletions import Deletions
from cognee_dagster.pushing.mirror.done.noted_runs import NotedRuns
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.kept.turn import Turn
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What was sent.

    Attributes:
        results: What came of each archive.
        incomplete: Segments of which the server says that it took less than was sent; None for the documents.
        state: The state with the runs that this took.
    """

    results: Sequence[DeliveryResult]
    incomplete: Sequence[int | None]
    state: MirrorState


@dataclass(frozen=True, kw_only=True)
class Sending:
    """The archives of one push: written a few at a time, sent one after another, and each deleted when it is sent.

    Attributes:
        archives: The graph's.
        client: The remote.
        turn: The push's at its mirror; that it has ended ends the sending.
        found: What there is, and what is to be sent.
        options: Where to.
        progress: Who is told.
        runs: The runs that this takes, noted as they become known.
    """

    archives: Sequence[Archive]
    client: CogneeClient
    turn: Turn
    found: MirrorSurvey
    options: PushOptions
    progress: PushProgress
    runs: NotedRuns

    def run(self, deletions: Deletions) -> Sent:
        """Send what the plan says; documents with another text than the remote's are deleted by ``deletions`` first."""
        results: list[DeliveryResult] = []
        incomplete: list[int | None] = []
        with tempfile.TemporaryDirectory(prefix="cognee-mirror-") as name:
            directory = Path(name)
            if self.found.documents.sent:
                self._tell(1, counted(len(self.found.documents.sent), "document"))
                archive = write_documents(self.archives, self.found.documents.sent, directory)
                with deletions.of_outdated_documents():
                    results.append(self._deliver(archive))
                incomplete += [None] if count_problems([archive], results[-1].response) else []
            uploads = write_segments(
                self.archives,
                self.found.fingerprints,
                self.found.plan.uploads,
                owner=self.turn.files.owner,
                directory=directory,
            )
            for upload, archive in uploads:
                nodes, edges = counted(archive.num_nodes, "node"), counted(archive.num_edges, "edge")
                self._tell(len(results) + 1, f"{nodes}, {edges}")
                results.append(self._deliver(archive))
                incomplete += [upload.segment] if count_problems([archive], results[-1].response) else []
        return Sent(results=results, incomplete=incomplete, state=self.runs.state)

    @property
    def _total(self) -> int:
        return len(self.found.plan.uploads) + bool(self.found.documents.sent)

    def _tell(self, number: int, content: str) -> None:
        self.progress.on_shard(number, self._total)
        logger.info("Archive %d of %d for %r: %s", number, self._total, self.turn.dataset.name, content)

    def _deliver(self, archive: Archive) -> DeliveryResult:
        check_limits(archive)
        try:
            self.turn.heed()
            return deliver(
                self.client,
                archive,
                options=self.options,
                progress=self.progress,
                note=partial(self.runs.note, archive.num_nodes),
                begun=None,
                stop=self.turn.lock.ended,
            )
        finally:
            archive.path.unlink()
