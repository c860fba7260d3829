"""What a check of ``remote_graph`` says where nothing is known: a warning with the reason, never a pass."""

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.remote.connection import Connection


def not_known(reason: str, *, error_class: str | None = None) -> dg.AssetCheckResult:
    """A warning that nothing can be said."""
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=reason,
        metadata={keys.REASON: reason, **({keys.ERROR: error_class} if error_class else {})},
    )


def nothing_pushed(dataset: CogneeDataset) -> dg.AssetCheckResult:
    """There is nothing to ask about."""
    return not_known(f"Nothing was pushed yet. Materialize {dataset.push_key.to_user_string()} first.")


def pushed_elsewhere(push: Push, connection: Connection, *, remote: str) -> dg.AssetCheckResult:
    """The remote that can be asked is not the one that was pushed to.

    Args:
        push: The push.
        connection: The remote that can be asked.
        remote: The key of the resource that says which that is.
    """
    return not_known(
        f"The latest push went to {push.remote_url}, and the remote is now {connection.url} ({connection.url_from}). "
        f"Push again, or point {remote} to where the push went."
    )
