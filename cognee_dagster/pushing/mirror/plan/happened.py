"""What others did to a mirror's remote dataset since its last push, as far as it counts."""

import logging
from collections.abc import Mapping

import numpy as np

from cognee_dagster.errors import InvalidPushError
from cognee_dagster.pushing.changes import changes_since, name_of
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.seen.foreign_runs import has_forgotten
from cognee_dagster.pushing.mirror.seen.presence import is_all_there
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

RESTORED = "the remote no longer knows this mirror's last import"

logger = logging.getLogger(__name__)


def what_happened_since(
    client: CogneeClient,
    dataset: RemoteDataset,
    state: MirrorState,
    contents: MirrorContents | None,
    *,
    known_runs: frozenset[str],
    now: float,
) -> tuple[Mapping[str, PipelineRun] | None, str]:
    """What others did since the last push, None where it is too much to look at; and in words, if it counts."""
    last, began_at = state.last_import, min(state.began_at, now)
    others = changes_since(client, dataset, began_at=began_at, known=known_runs - {last})
    was_seen = not last or others is None or others.pop(last, None) is not None
    is_restored = not was_seen and has_forgotten(client, dataset, last, began_at=began_at)
    if state.has_deletions_left and others and contents is not None and only_deletions(others):
        # A push has looked before (``finish_deletions``), and there are none left: it is a plan that does here.
        others = {} if is_all_there(client, dataset, contents) else others
    if is_restored:
        return others, f"{RESTORED} (run {last})"
    return others, _what_others_did(state, others)


def _what_others_did(state: MirrorState, others: Mapping[str, PipelineRun] | None) -> str:
    """What happened to the remote dataset that nobody here accounts for; empty where nothing did."""
    if others is None:
        return "more happened in the remote dataset since than can be looked at"
    if not others:
        return ""
    number, newest = next(iter(others.items()))
    if newest.pipeline_name == IMPORT_PIPELINE:
        did = f"imported into the remote dataset since (run {number})"
    elif newest.pipeline_name:
        did = f"changed the remote dataset since ({name_of(newest)}, run {number})"
    else:
        did = f"deleted from the remote dataset since, or changed it ({name_of(newest)}, operation {number})"
    who = "somebody else, or a push that was killed," if state.begun or state.deleting else "somebody else"
    return f"{who} has {did}"


def runs_of_mirrors(files: MirrorFiles, state: MirrorState, contents: MirrorContents | None) -> frozenset[str]:
    """Runs and deletions of a mirror, and of those beside it that change nothing of what it has."""
    return state.runs | (_siblings_runs(files, contents) if contents is not None else frozenset())


def only_deletions(others: Mapping[str, PipelineRun] | None) -> bool:
    """Whether nothing happened but that something was deleted from a dataset that is there still."""
    return others is not None and all(row.pipeline_name is None and name_of(row) == "delete" for row in others.values())


def _siblings_runs(files: MirrorFiles, contents: MirrorContents) -> frozenset[str]:
    """Runs and deletions of other mirrors in the remote dataset that have nothing in common with this one."""
    found = frozenset[str]()
    for sibling in files.siblings():
        try:
            state = sibling.load()
            theirs = None if state is None else sibling.load_contents(state)
        except OSError as error:  # such as another user's: without it more is sent
            logger.warning("%s: runs of that mirror count as somebody else's: %s", sibling.directory, error.__cause__)
            continue
        except InvalidPushError as error:  # of a later release
            logger.warning("%s: runs of that mirror count as somebody else's: %s", sibling.directory, error)
            continue
        if state is not None and theirs is not None and not state.begun and not _overlap(contents, theirs):
            found |= state.reliable_runs
    return found


def _overlap(ours: MirrorContents, theirs: MirrorContents) -> bool:
    shared_nodes = np.intersect1d(ours.node_keys, theirs.node_keys)
    return bool(len(shared_nodes) or len(np.intersect1d(ours.document_keys, theirs.document_keys)))
