"""Against a mass removal that nobody meant: a source that was read half, an empty folder, the wrong dataset."""

from collections.abc import Sequence
from uuid import UUID

from cognee_dagster.errors import RemovedRecordsError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.adoption import Adoption
from cognee_dagster.pushing.mirror.plan.emptying import would_empty
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.single_edges import unremovable

_WHERE_TO_SAY_SO = "--max-removed, or max_removed at launch in Dagster; 1 allows everything"
_EXAMPLES = 5


def require_few_removed(found: MirrorSurvey, options: MirrorOptions, *, source: str, where: str) -> None:
    """Refuse a push that would remove more than is allowed.

    Args:
        found: What the push would do.
        options: How the mirror is kept.
        source: The local dataset's name.
        where: The remote dataset in words.

    Raises:
        RemovedRecordsError: More would be removed than ``max_removed`` allows, or anything at all with ``fail``.
        UnremovableEdgesError: Edges would be removed that the server is known to leave.
    """
    if found.adoption is not None:
        _refuse_a_large_adoption(found.adoption, options, source=source, where=where)
    if options.on_removed == "keep":
        return
    state = found.known.state
    if state is not None and state.single_edges == "stay" and found.were_left_before:
        raise unremovable(found.single_edges, source=source, where=where, happened="Nothing was sent.")
    if found.empties and found.known.has_history and options.max_removed < 1:
        raise RemovedRecordsError(
            f"With on_removed replace, everything in {where} would be removed, and it is not known what of it this "
            "mirror has brought: nothing was sent. If nobody else needs what is there, push again with max_removed 1; "
            "with on_removed remove it stays."
        )
    if found.empties:
        _refuse_to_empty_of_others(found, options, source=source, where=where)
    there = found.known.confirmed
    if there is None:
        _refuse_without_contents(options, where=where)
        return
    nodes, edges = found.gone
    # Those that a push was killed over were never confirmed, so that nobody misses them.
    documents = found.documents.removed_keys.intersection(there.document_keys.tolist())
    counts = (
        ("node", len(nodes), len(there.node_ids)),
        ("edge", len(edges), len(there.edge_keys)),
        ("document", len(documents), len(there.document_keys)),
    )
    allowed = 0.0 if options.on_removed == "fail" else options.max_removed
    if any(removed > allowed * total for _, removed, total in counts):
        ids = [str(UUID(bytes=there.node_ids[place].tobytes())) for place in nodes[:_EXAMPLES].tolist()]
        raise _too_much(counts, ids, options, source=source, where=where)


def _too_much(
    counts: Sequence[tuple[str, int, int]], node_ids: Sequence[str], options: MirrorOptions, *, source: str, where: str
) -> RemovedRecordsError:
    """The error of a push that would remove more than is allowed.

    Args:
        counts: By kind, how many would be removed, and how many there are.
        node_ids: Some nodes that would be removed.
        options: How the mirror is kept.
        source: The local dataset's name.
        where: The remote dataset in words.
    """
    what = ", ".join(f"{counted(removed, name)} of {total:,}" for name, removed, total in counts if removed)
    examples = f" Nodes such as {', '.join(node_ids)} are no longer there." if node_ids else ""
    if options.on_removed == "fail":
        rule, advice = "on_removed is fail", "with on_removed remove"
    else:
        rule, advice = (
            f"max_removed is {options.max_removed:.0%}",
            f"with a larger max_removed ({_WHERE_TO_SAY_SO})",
        )
    return RemovedRecordsError(
        f"The graph of {source!r} lacks {what} that {where} has, and {rule}: nothing was sent.{examples} If they are "
        f"gone on purpose, push again {advice}; with on_removed keep they stay on the remote."
    )


def _refuse_to_empty_of_others(found: MirrorSurvey, options: MirrorOptions, *, source: str, where: str) -> None:
    """What others have brought counts like what the mirror has brought itself."""
    going = would_empty(found)
    if going.share is None and options.max_removed < 1:
        raise RemovedRecordsError(
            f"With on_removed replace, everything in {where} would be removed, and what others have brought there "
            "cannot be counted: nothing was sent. If nobody else needs it, push again with max_removed 1; with "
            "on_removed remove it stays."
        )
    if going.share is not None and going.share > options.max_removed:
        raise RemovedRecordsError(
            f"With on_removed replace, everything in {where} would be removed, also {going.in_words}, which the graph "
            f"of {source!r} lacks, and max_removed is {options.max_removed:.0%}: nothing was sent. If nobody else "
            f"needs that, push again with a larger max_removed ({_WHERE_TO_SAY_SO}); with on_removed remove it stays."
        )


def _refuse_a_large_adoption(found: Adoption, options: MirrorOptions, *, source: str, where: str) -> None:
    """What others have brought counts like what the mirror has brought itself."""
    allowed = 0.0 if options.on_removed == "fail" else options.max_removed
    if found.problem and allowed < 1:
        raise RemovedRecordsError(
            f"It cannot be told how much a push with adopt would remove from {where}: nothing was sent. "
            f"{found.problem.rstrip('.')}. Push again when it can be read, or with max_removed 1, which allows all."
        )
    if not any(removed > allowed * there for _, removed, there in found.counts):
        return
    what = ", ".join(f"{counted(removed, name)} of {there:,}" for name, removed, there in found.counts if removed)
    examples = f" Nodes such as {', '.join(found.examples)} are there." if found.examples else ""
    rule = "on_removed is fail" if options.on_removed == "fail" else f"max_removed is {options.max_removed:.0%}"
    advice = "on_removed remove and " if options.on_removed == "fail" else ""
    raise RemovedRecordsError(
        f"A push with adopt would remove up to {what} from {where}, which the graph of {source!r} lacks, and {rule}: "
        f"nothing was sent.{examples} If they are to go, push again with {advice}a larger "
        f"max_removed ({_WHERE_TO_SAY_SO}); without adopt (--adopt) what others have brought stays."
    )


def _refuse_without_contents(options: MirrorOptions, *, where: str) -> None:
    """Nobody knows any more what the remote has, so that nobody can say what of it is gone."""
    if options.on_removed == "fail" or options.max_removed < 1:
        raise RemovedRecordsError(
            f"What {where} has confirmed was lost on this side, so that it cannot be told how much of it a push would "
            "remove: nothing was sent. If the graph is right, push again with max_removed 1, and everything is sent."
        )
