"""A remote dataset that has another name now: imports into it are known by the name that it had (``generations``)."""

from uuid import UUID

import msgspec

from cognee_dagster.pushing.mirror.graph.generations import Generation
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.remote.responses import RemoteDataset


def was_renamed(dataset: RemoteDataset, state: MirrorState) -> str:
    """That it was, in words; empty where it was not, or an earlier release has noted no name."""
    is_other = state.dataset_name not in ("", dataset.name)
    return f"the remote dataset was called {state.dataset_name!r} at the last push" if is_other else ""


def without_names(state: MirrorState, *, owner: str) -> MirrorState:
    """A state that has no names yet under the one that the dataset has now, and all of before among what is left."""
    left = dict.fromkeys((*state.left, *_references(state, owner=owner, target=state.dataset_name)))
    noted = {"letters": {}, "dirty": (), "begun": {}, "deleting": (), "left": tuple(left)}
    return msgspec.structs.replace(state, **noted)


def references_of(files: MirrorFiles, *, target: str) -> tuple[UUID, ...]:
    """What the remote knows all by that may be left there of a mirror.

    Args:
        files: The mirror's.
        target: What the remote dataset is called, where the mirror has noted no name.
    """
    state = files.load()
    if state is None:
        return ()
    return (*state.left, *_references(state, owner=files.owner, target=state.dataset_name or target))


def _references(state: MirrorState, *, owner: str, target: str) -> tuple[UUID, ...]:
    names = sorted({*state.letters.items(), *state.begun.items(), *state.deleting})
    return tuple(Generation(owner=owner, segment=segment, letter=letter).data_id(target) for segment, letter in names)
