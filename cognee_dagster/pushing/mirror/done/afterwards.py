"""What a remote dataset has once a push has sent and deleted what it had to, read where nobody can tell otherwise."""

from dataclasses import dataclass, field

import msgspec

from cognee_dagster.pushing.mirror.done.tidying import unless_proven_none, unowned_after
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.single_edges import SingleEdges, find_single_edges, what_was_seen
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.pushing.mirror.seen.unowned_count import Owned, count_unowned
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset


@dataclass(frozen=True, kw_only=True)
class Afterwards:
    """A push that has sent and deleted everything.

    Attributes:
        client: The remote.
        dataset: The remote dataset.
        found: What there was, and what was done.
        contents: What the remote has confirmed now.
        adopts: Whether what others have brought was taken over.
    """

    client: CogneeClient
    dataset: RemoteDataset
    found: MirrorSurvey
    contents: MirrorContents = field(repr=False)
    adopts: bool

    def unowned(self, state: MirrorState, *, has_sent: bool, has_deleted: bool) -> Unowned | None:
        """What the remote has besides, now that everything is deleted that goes; None where nobody knows of any."""
        after = unowned_after(self.found, state.unowned, adopts=self.adopts)
        if after is None and has_sent and self._may_have_left_edges(state):
            after = Unowned()
        was_counted = self.found.known.is_counted_anew or after is None or not (has_sent and after.is_there)
        if after is None or (was_counted and not has_deleted):
            return after
        counted = self._counted(after)
        # A graph that was emptied has nothing of others, even if it cannot be read: it must not be emptied each time.
        return unless_proven_none(after if self.found.empties and counted.nodes is None else counted)

    def single_edges_left(self, state: MirrorState) -> tuple[MirrorState, SingleEdges]:
        """What the server did with removed edges whose nodes stay, noted; and those that it is known now to leave.

        Raises:
            RemoteError: The remote graph cannot be read. The next push looks again.
        """
        if state.single_edges != "unseen":
            return state, SingleEdges()
        before, unowned = self.found.single_edges, self.found.unowned
        node_keys = self.found.fingerprints.node_keys
        left = find_single_edges(self.client, self.dataset, before.keys, node_keys=node_keys)
        others_may_have_them = self.adopts or (unowned is not None and (unowned.others or unowned.is_ours))
        seen = what_was_seen(before, left, others_may_have_them=others_may_have_them)
        if seen == "stay":
            return msgspec.structs.replace(state, single_edges=seen), left
        if len(left.keys) and state.unowned is None:
            state = msgspec.structs.replace(state, unowned=self._counted(Unowned(others=True)))
        return msgspec.structs.replace(state, single_edges=seen), SingleEdges()

    def _counted(self, before: Unowned) -> Unowned:
        ours = self.contents
        beside = () if self.adopts or self.found.empties else (self.found.beside.owned,)
        owned = Owned.of((ours.node_keys, ours.edge_keys, ours.document_keys), *beside)
        return count_unowned(self.client, self.dataset, owned, before=before)

    def contents_with(self, left: SingleEdges) -> MirrorContents:
        """What the remote has confirmed, with edges that it has left: a later push has to know of them."""
        return self.contents.with_edges_of(self.found.known.confirmed or MirrorContents.empty(), left.keys)

    def _may_have_left_edges(self, state: MirrorState) -> bool:
        """Whether edges of a push that came to no good end may be there that no list has."""
        known = self.found.known
        return state.single_edges != "go" and not (
            self.found.empties or self.found.plan.keeps_removed or known.is_certain
        )


def single_edges_confirmed(found: MirrorSurvey, state: MirrorState) -> MirrorState:
    """A state that notes, before anything is deleted, whether the server is still to be seen deleting such edges."""
    seen = "" if found.empties or state.single_edges == "unseen" else state.single_edges
    is_unseen = seen != "go" and len(found.single_edges.keys)
    return msgspec.structs.replace(state, single_edges="unseen" if is_unseen else seen)


def looked_at(found: MirrorSurvey, state: MirrorState) -> MirrorState:
    """A state in which nothing changes but that it was looked whether edges are gone that a push before deleted."""
    if not found.known.has_unseen_edges:
        return state
    unowned = None if found.unowned is None else unless_proven_none(found.unowned)
    return msgspec.structs.replace(state, single_edges="", unowned=unowned)
