"""What a push to a mirror finds, and what it would do; nothing is changed by looking."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.documents import DocumentDifference, compare_documents
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints
from cognee_dagster.pushing.mirror.graph.matching import places_in, unmatched
from cognee_dagster.pushing.mirror.graph.segments import usual_segment_nodes
from cognee_dagster.pushing.mirror.kept.beside import MirrorsBeside, look_beside
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.adoption import Adoption, look_for_adoption
from cognee_dagster.pushing.mirror.plan.known import Known, look_up
from cognee_dagster.pushing.mirror.plan.plan import SyncPlan, plan_sync
from cognee_dagster.pushing.mirror.seen.single_edges import SingleEdges, look_beforehand
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.pushing.mirror.seen.unowned_count import Owned, count_unowned
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MirrorSurvey:
    """What there is, and what a push would do.

    Attributes:
        target_dataset: The remote dataset's name.
        known: What is known of it.
        fingerprints: The graph as it is.
        plan: What is to be done with nodes and edges.
        documents: And with documents.
        beside: Other mirrors in the remote dataset.
        unowned: What the remote dataset may have besides, as it is now or was last counted.
        tidies: Whether what of that is this mirror's own, from before, is deleted.
        empties: Whether the remote graph is emptied first: see ``MirrorOptions.on_removed``.
        adopts: Whether what full pushes and other mirrors have brought is taken over: see ``MirrorOptions.adopt``.
        adoption: What goes with that; None where nothing is taken over.
        single_edges: What of the removed edges the server may leave, where that is not known.
    """

    target_dataset: str
    known: Known
    fingerprints: GraphFingerprints = field(repr=False)
    plan: SyncPlan
    documents: DocumentDifference
    beside: MirrorsBeside
    unowned: Unowned | None = None
    tidies: bool = False
    empties: bool = False
    adopts: bool = False
    adoption: Adoption | None = None
    single_edges: SingleEdges = field(default_factory=SingleEdges)

    @property
    def is_in_sync(self) -> bool:
        """Whether there is nothing to do; nobody can tell beforehand what a server has for a push that adopts."""
        goes = self.known.leftovers or self.references_left or self.tidies or self.adopts
        return self.plan.is_empty and self.documents.is_empty and not goes

    @property
    def references_left(self) -> tuple[UUID, ...]:
        """What is deleted that was brought under an earlier name of the remote dataset."""
        state = self.known.state
        return () if state is None or self.plan.keeps_removed else state.left

    @cached_property
    def gone(self) -> "tuple[Integers, Integers]":
        """Places of nodes and edges in what the remote once confirmed (``Known``) that the graph does not have."""
        there, difference = self.known.confirmed, self.plan.difference
        if there is None or not self.known.reason:
            return difference.removed_nodes, difference.removed_edges
        return (
            unmatched(places_in(there.node_keys, self.fingerprints.node_keys), len(there.node_ids)),
            unmatched(places_in(there.edge_keys, self.fingerprints.edge_keys), len(there.edge_keys)),
        )

    @property
    def were_left_before(self) -> bool:
        """Whether each of the single edges is one that a push before has seen to stay."""
        there = self.known.confirmed
        if there is None or not len(self.single_edges.keys):
            return False
        contents = there.edge_contents[np.isin(there.edge_keys, self.single_edges.keys)]
        return bool((contents == 0).all())

    @property
    def knows_what_is_gone(self) -> bool:
        """Whether that is all that is there of what this mirror has brought and the graph does not have."""
        return self.known.confirmed is not None and self.known.is_certain


def survey(
    archives: Sequence[Archive],
    fingerprints: GraphFingerprints,
    *,
    client: CogneeClient,
    target_dataset: str,
    dataset: RemoteDataset | None,
    files: MirrorFiles | None,
    options: MirrorOptions,
    is_new: bool = False,
) -> MirrorSurvey:
    """Hold a graph against what the remote has.

    Args:
        archives: The graph's.
        fingerprints: What is in them.
        client: The remote.
        target_dataset: The remote dataset's name.
        dataset: The remote dataset, if it is there.
        files: The mirror's, if there is a dataset.
        options: How the mirror is kept.
        is_new: Whether the dataset has only just been made.

    Raises:
        ArchiveError: An archive is damaged.
        RemoteError: The remote's runs cannot be listed, or its graph not be read where it is known to leave edges.
        OSError: What is known of the mirror cannot be read.
    """
    known = look_up(client, dataset, files, resend=options.resend, is_new=is_new)
    plan = _plan(fingerprints, known, options)
    documents = compare_documents(archives, known.contents, keeps_removed=plan.keeps_removed)
    if again := known.missing_documents.intersection(documents.sent_keys):
        logger.warning(
            "%d documents of the mirror are no longer in %r: they are sent again", len(again), target_dataset
        )
    beside = look_beside(files, fingerprints, documents.keys) if files is not None else MirrorsBeside()
    unowned = known.unowned
    # What an emptying takes along counts as it is now, not as it was when it was last looked at.
    would_empty = options.on_removed == "replace" and bool(plan.deleted or not known.is_certain)
    if unowned is not None and dataset is not None and (known.is_counted_anew or would_empty):
        unowned = count_unowned(client, dataset, _owned(fingerprints, documents, known, beside), before=unowned)
    empties = would_empty or _is_cleared(unowned, options)
    adoption = None
    if options.adopt and dataset is not None:
        kept = plan.difference if plan.keeps_removed else None
        adoption = look_for_adoption(archives, client=client, dataset=dataset, documents=documents, kept=kept)
    found = MirrorSurvey(
        target_dataset=target_dataset,
        known=known,
        fingerprints=fingerprints,
        plan=_plan_of_all(plan, fingerprints, options) if empties else plan,
        documents=documents,
        beside=beside,
        unowned=unowned,
        tidies=not empties and _is_tidied(unowned, options),
        empties=empties,
        adopts=options.adopt,
        adoption=adoption,
    )
    if dataset is None or empties or options.on_removed != "remove":
        return found
    return replace(found, single_edges=_single_edges(client, dataset, found))


def _plan(fingerprints: GraphFingerprints, known: Known, options: MirrorOptions) -> SyncPlan:
    """What is to be done with nodes and edges, as far as a mirror alone goes."""
    return plan_sync(
        fingerprints,
        known.contents,
        known.letters,
        dirty=known.dirty,
        overfull=known.overfull,
        keeps_removed=options.on_removed == "keep",
        segment_nodes=_segment_nodes(fingerprints, options),
        first_new=_first_number(known),
    )


def _plan_of_all(plan: SyncPlan, fingerprints: GraphFingerprints, options: MirrorOptions) -> SyncPlan:
    """The plan where the remote graph is emptied first: everything is sent, and what differs is told as it was."""
    nothing = MirrorContents.empty()
    whole = plan_sync(fingerprints, nothing, {}, segment_nodes=_segment_nodes(fingerprints, options))
    return replace(whole, difference=plan.difference)


def _segment_nodes(fingerprints: GraphFingerprints, options: MirrorOptions) -> int:
    return options.segment_nodes or usual_segment_nodes(len(fingerprints.node_keys))


def _is_cleared(unowned: Unowned | None, options: MirrorOptions) -> bool:
    """Whether the remote graph is emptied for what others have brought there."""
    may_go = unowned is not None and unowned.is_in_graph and unowned.is_within(options.max_removed)
    return options.on_removed == "replace" and may_go


def _is_tidied(unowned: Unowned | None, options: MirrorOptions) -> bool:
    """Whether what this owner has left there from before is deleted."""
    if unowned is None or not unowned.is_ours:
        return False
    return options.adopt or (options.on_removed == "remove" and unowned.is_within(options.max_removed))


def _single_edges(client: CogneeClient, dataset: RemoteDataset, found: MirrorSurvey) -> SingleEdges:
    """Removed edges that the server may leave; those that another mirror has, too, stay anyway."""
    state, there, unowned = found.known.state, found.known.confirmed, found.unowned
    if state is None or there is None:
        return SingleEdges()
    if unowned is not None and (unowned.others or unowned.is_ours) and state.single_edges != "stay":
        return SingleEdges()  # what stays may be theirs, and is counted
    _, removed = found.gone
    _, of_others, _ = found.beside.owned
    return look_beforehand(
        client,
        dataset,
        np.setdiff1d(there.edge_keys[removed], of_others),
        node_keys=found.fingerprints.node_keys,
        seen=state.single_edges,
    )


def _owned(graph: GraphFingerprints, documents: DocumentDifference, known: Known, beside: MirrorsBeside) -> Owned:
    """What is this mirror's, once the graph is sent, and others' that are kept beside it."""
    there = known.confirmed or MirrorContents.empty()
    return Owned.of(
        (graph.node_keys, graph.edge_keys, documents.keys),
        (there.node_keys, there.edge_keys, there.document_keys),
        (known.contents.node_keys, known.contents.edge_keys, known.contents.document_keys),
        beside.owned,
    )


def _first_number(known: Known) -> int:
    """Where a mirror begins to number: where one before may have lost its state, no name of it is used again."""
    may_be_used = known.has_history or (known.unowned is not None and known.unowned.strays and not known.letters)
    return secrets.randbelow(1_000_000_000) if may_be_used else 0
