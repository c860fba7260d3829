"""What a push to a mirror answers."""

from collections.abc import Sequence

from cognee_dagster.pushing.archives import PushResult, one_answer
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.plan.summary import summary_of
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.unowned import tell_of_unowned, unowned_as_json
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.responses import RemoteDataset


def mirror_result(
    results: Sequence[DeliveryResult],
    *,
    found: MirrorSurvey,
    state: MirrorState,
    dataset: RemoteDataset,
    source: str,
    changed: bool,
    num_incomplete: int,
) -> PushResult:
    """The result of a push that came to its end; what nobody here owns is told in the log, too.

    Args:
        results: Of what was sent.
        found: What there was.
        state: What is known of the mirror now.
        dataset: The remote dataset.
        source: The local dataset's name.
        changed: Whether anything was sent or deleted.
        num_incomplete: How many archives the server has not taken in full.
    """
    before = found.known.state
    tell_of_unowned(state.unowned, None if before is None else before.unowned, target=dataset.name)
    status = (ImportState.SUCCEEDED if changed else ImportState.UNCHANGED).status
    run_id = state.run_ids[-1] if state.run_ids else None
    answer = one_answer(results) if results else {"dataset_name": dataset.name, "items": []}
    return PushResult(
        status=status,
        dataset_name=source,
        target_dataset=dataset.name,
        num_nodes=len(found.fingerprints.node_keys),
        num_edges=len(found.fingerprints.edge_keys),
        remote_response={
            **answer,
            **({} if results else {"known_by": KnownBy.CONFIRMED_BEFORE.value}),
            "status": status,
            "dataset_id": dataset.id,
            "pipeline_run_id": run_id,
            "mirror": {
                **summary_of(found),
                "unowned": unowned_as_json(state.unowned),
                "archives_incomplete": num_incomplete,
            },
        },
        pipeline_run_id=run_id,
    )
