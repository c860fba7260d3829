"""What a push to a mirror deletes, and how that is told from what others delete.

A server shows of a deletion that it happened, and not of what. So a push counts those that the server has confirmed:
as many of the operations that came up meanwhile are its own. If there are more, a request that had to be sent again may
have left one of them, or somebody else has deleted, too: nobody can tell, and the next push finds out (``unfinished``).
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from cognee_dagster.cogx.format import COGNEE_SYSTEM
from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.changes import changes_since, name_of
from cognee_dagster.pushing.mirror.graph.documents import DocumentDifference, others_documents, removed_documents
from cognee_dagster.pushing.mirror.graph.generations import Generation, import_reference
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.renamed import references_of
from cognee_dagster.pushing.mirror.kept.state import MirrorState, latest
from cognee_dagster.pushing.mirror.kept.turn import Turn
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import PipelineRun

logger = logging.getLogger(__name__)


class Deletions:
    """The deletions of one push.

    Args:
        client: The remote.
        turn: The push's at its mirror; looked at before each.
        seen: All runs and operations that were there before: they are not ours.
        began_at: When the push began, by the server's clock.
        is_shared: Whether mirrors beside this one cannot rely on its deletions.
        progress: Who is told of each.

    Attributes:
        were_sent: Whether the remote was asked for any.
    """

    def __init__(
        self,
        client: CogneeClient,
        turn: Turn,
        *,
        seen: frozenset[str],
        began_at: float,
        is_shared: bool,
        progress: PushProgress,
    ) -> None:
        self._client = client
        self._dataset = turn.dataset
        self._owner = turn.files.owner
        self._seen = seen
        self._began_at = began_at
        self._is_shared = is_shared
        self._heed = turn.heed
        self._progress = progress
        self._done = Counter[str]()
        self._of_ours: tuple[str, ...] = ()
        self._of_all: tuple[str, ...] = ()
        self.were_sent = False

    @property
    def are_told_apart(self) -> bool:
        """Whether all that the server was asked for so far is known to be ours, or has left nothing to be seen."""
        return not any(self._done.values())

    @property
    def are_known(self) -> bool:
        """Whether there are any that are known to be ours."""
        return bool(self._of_ours or self._of_all)

    def noted(self, state: MirrorState) -> MirrorState:
        """A state, with what is known by now to be ours."""
        return msgspec.structs.replace(
            state,
            deletions=latest((*state.deletions, *self._of_ours)),
            accounted=latest((*state.accounted, *self._of_all)),
        )

    def generations(self, generations: Iterable[tuple[int, str]], *, target: str | None = None) -> None:
        """Delete what this mirror alone has brought under some names, where the dataset was called ``target``."""
        with self._telling(of_ours=True):
            for segment, letter in generations:
                generation = Generation(owner=self._owner, segment=segment, letter=letter)
                logger.debug("Deleting what %s has brought", generation.source_system)
                self._delete(generation.data_id(target or self._dataset.name))

    def references(self, references: Iterable[UUID]) -> None:
        """Delete what the remote knows by these, which this mirror alone has brought."""
        with self._telling(of_ours=True):
            for reference in references:
                self._delete(reference)

    def whole(self) -> None:
        """Delete what full pushes have brought."""
        self.references([import_reference(COGNEE_SYSTEM, self._dataset.name)])

    def documents(self, removed_keys: frozenset[int]) -> None:
        """Delete documents, which belong to all mirrors of the remote dataset."""
        if not removed_keys:
            return
        listed = list(removed_documents(self._client.data(self._dataset.id), removed_keys, dataset_id=self._dataset.id))
        with self._telling():
            for data_id in listed:
                self._delete(data_id)

    @contextlib.contextmanager
    def of_outdated_documents(self) -> Iterator[None]:
        """While documents are delivered: those with another text are deleted before they are sent."""
        with self._telling(of_ours=True), self._counting("delete"):
            yield

    def others(self, documents: DocumentDifference, mirrors: Sequence[MirrorFiles]) -> None:
        """Take over what full pushes and other mirrors have brought: what is in the graph is ours, the rest goes."""
        with self._telling():
            self._delete(import_reference(COGNEE_SYSTEM, self._dataset.name))
            for files in mirrors:
                for reference in references_of(files, target=self._dataset.name):
                    self._delete(reference)
                files.remove()
            listed = self._client.data(self._dataset.id)
            for data_id in list(others_documents(listed, documents.keys, dataset_id=self._dataset.id)):
                self._delete(data_id)

    def everything(self) -> None:
        """Empty the remote graph."""
        self._heed()
        logger.warning("Emptying the graph of %r; nobody finds anything there until it is sent", self._dataset.name)
        self.were_sent = True
        with self._telling(), self._counting("forget", method="POST"), self._progress.deleting():
            self._client.empty_dataset(self._dataset.id)

    def _delete(self, data_id: UUID | str) -> None:
        self._heed()
        self.were_sent = True
        with self._counting("delete"), self._progress.deleting():
            self._client.delete_data(self._dataset.id, data_id)

    @contextlib.contextmanager
    def _counting(self, operation: str, *, method: str = "DELETE") -> Iterator[None]:
        """Count what the server confirms: each has left a row, or none where there was nothing to do."""
        before = self._client.requests_done(method)
        try:
            yield
        finally:
            self._done[operation] += self._client.requests_done(method) - before

    @contextlib.contextmanager
    def _telling(self, *, of_ours: bool = False) -> Iterator[None]:
        """Tell afterwards which operations these were, also where they came to no good end."""
        try:
            yield
        except Exception:
            self._tell(of_ours=of_ours)
            raise
        self._tell(of_ours=of_ours)

    def _tell(self, *, of_ours: bool) -> None:
        if self.are_told_apart:
            return
        known = {*self._seen, *self._of_ours, *self._of_all}
        try:
            found = changes_since(self._client, self._dataset, began_at=self._began_at, known=known)
        except RemoteError as error:
            logger.warning("The next push sends everything, since nobody can tell what was deleted: %s", error)
            return
        numbers = tuple(self._own_among(found or {}))
        if of_ours and not self._is_shared:
            self._of_ours += numbers
        else:
            self._of_all += numbers

    def _own_among(self, found: Mapping[str, PipelineRun]) -> Iterator[str]:
        """Operations that are ours, where there are no more of their name than were asked for."""
        for name, done in list(self._done.items()):
            numbers = [number for number, row in found.items() if row.pipeline_name is None and name_of(row) == name]
            if len(numbers) <= done:
                del self._done[name]
                yield from reversed(numbers)
            else:
                logger.warning(
                    "%d operations %r came up in dataset %r, and %d of this push were confirmed: somebody else may "
                    "have changed it, too, and the next push looks whether everything is there, or sends it again",
                    len(numbers),
                    name,
                    self._dataset.name,
                    done,
                )
