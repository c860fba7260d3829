"""What a push to a mirror finds, and what it would do; nothing is changed by looking."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.mirror.contents import MirrorContents
from cognee_dagster.pushing.mirror.documents import DocumentDifference, compare_documents
from cognee_dagster.pushing.mirror.foreign_runs import reason_to_distrust
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan import SyncPlan, plan_sync
from cognee_dagster.pushing.mirror.prints import GraphPrints, read_prints
from cognee_dagster.pushing.mirror.state import MirrorFiles, MirrorState
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a mirror before a push.

    Attributes:
        state: As it was left; None where nothing is known.
        contents: What the remote has confirmed; empty where that cannot be relied on.
        confirmed: What the remote has once confirmed, also where that cannot be relied on now; None where it was lost.
        reason: Why it cannot; empty where it can, and where nothing is known.
        leftovers: Generations that an earlier push has left behind, to be deleted before anything is sent.
        dirty: Segments of which the remote may have more than the contents say.
    """

    state: MirrorState | None
    contents: MirrorContents = field(repr=False)
    confirmed: MirrorContents | None = field(repr=False)
    reason: str = ""
    leftovers: tuple[tuple[int, str], ...] = ()
    dirty: frozenset[int] = frozenset()

    @property
    def letters(self) -> dict[int, str]:
        """The present generation by segment."""
        return {} if self.state is None else dict(self.state.letters)


@dataclass(frozen=True, kw_only=True)
class MirrorSurvey:
    """What there is, and what a push would do.

    Attributes:
        target_dataset: The remote dataset's name.
        known: What is known of it.
        prints: The graph as it is.
        plan: What is to be done with nodes and edges.
        documents: And with documents.
        refusal: Why a push would not be carried out; empty where it would.
    """

    target_dataset: str
    known: Known
    prints: GraphPrints = field(repr=False)
    plan: SyncPlan
    documents: DocumentDifference
    refusal: str = ""

    @property
    def is_in_sync(self) -> bool:
        """Whether there is nothing to do."""
        return self.plan.is_empty and self.documents.is_empty and not self.known.leftovers


def survey(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    target_dataset: str,
    dataset: RemoteDataset | None,
    files: MirrorFiles | None,
    options: MirrorOptions,
) -> MirrorSurvey:
    """Hold a graph against what the remote has.

    Args:
        archives: The graph's.
        client: The remote.
        target_dataset: The remote dataset's name.
        dataset: The remote dataset, if it is there.
        files: The mirror's, if there is a dataset.
        options: How the mirror is kept.

    Raises:
        NotMirrorableError: The graph holds what a mirror cannot keep apart.
        ArchiveError: An archive is damaged.
        RemoteError: The remote's runs cannot be listed.
    """
    known = _known(client, dataset, files)
    prints = read_prints(archives)
    keeps_removed = options.on_removed == "keep"
    plan = plan_sync(
        prints,
        known.contents,
        known.letters,
        dirty=known.dirty,
        keeps_removed=keeps_removed,
        segment_nodes=options.segment_nodes,
    )
    documents = compare_documents(archives, known.contents, keeps_removed=keeps_removed)
    return MirrorSurvey(target_dataset=target_dataset, known=known, prints=prints, plan=plan, documents=documents)


def _known(client: CogneeClient, dataset: RemoteDataset | None, files: MirrorFiles | None) -> Known:
    state = files.load() if files is not None else None
    if dataset is None or files is None or state is None:
        return Known(state=None, contents=MirrorContents.empty(), confirmed=MirrorContents.empty())
    begun = {segment: letter for segment, letter in state.begun.items() if state.letters.get(segment) != letter}
    leftovers = tuple(sorted({*begun.items(), *state.deleting}))
    contents = files.load_contents(state)
    reason = reason_to_distrust(client, dataset, began_at=state.began_at, known_runs=files.known_runs())
    if reason or contents is None:
        return Known(
            state=state,
            contents=MirrorContents.empty() if contents is None else contents.distrusted(),
            confirmed=contents,
            reason=reason or "what it has confirmed was lost",
            leftovers=leftovers,
            dirty=frozenset(state.letters),
        )
    dirty = frozenset((*state.dirty, *(segment for segment in state.begun if segment not in begun)))
    return Known(state=state, contents=contents, confirmed=contents, leftovers=leftovers, dirty=dirty)
