"""What the check ``remote_import_succeeded``, executed, says of a push whose import was asked about."""

import dagster as dg

from cognee_dagster.dagster.event_log.failed_pushes import FailedPush
from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.steps.unknown import not_known
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState


def failed_before(push: FailedPush) -> dg.AssetCheckResult:
    """What there is to say of a push that failed, where the remote cannot say more."""
    return dg.AssetCheckResult(passed=False, description=push.reason, metadata=push.metadata)


def result_about(push: Push, verdict: ImportVerdict) -> dg.AssetCheckResult:
    """What there is to say of a push, with the remote's word on its import."""
    if isinstance(push, FailedPush) and verdict.state is ImportState.SUCCEEDED:
        return not_known(
            f"Import {push.run_id} into dataset {push.target_dataset!r} on {push.remote_url} has finished, and the "
            "push that began it has failed. Push again: it goes on from there."
        )
    return ImportOutcome(push=push, verdict=verdict).check_result()
