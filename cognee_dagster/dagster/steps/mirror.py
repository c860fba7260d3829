"""What the step of ``remote_push`` does where the remote dataset is a mirror."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster.config import PushConfig
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.options import PushOptions, Verification
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.verification import ImportFindings, compare_graph
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import migration_imports
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.pushing.mirror.options import MirrorOptions


@dataclass(frozen=True, kw_only=True)
class MirrorPlace:
    """A mirror of a dataset, or of one of its partitions.

    Attributes:
        base: Where the state of mirrors is kept: in the archive store, one place for all that may share a remote
            dataset, so that whichever host pushes next knows what the remote has confirmed.
        options: How the mirror is kept.
    """

    base: "UPath"
    options: "MirrorOptions"


def mirror_place(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, *, archive: StoredArchive, config: PushConfig
) -> MirrorPlace:
    """The mirror that a dataset's archive is pushed to."""
    from cognee_dagster.pushing.mirror.options import MirrorOptions

    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    base = archives.store().base if isinstance(archives, CogxArchiveIOManager) else archive.directory
    partition = partition_of(context)
    options = MirrorOptions(
        on_removed=dataset.on_removed,
        max_removed=dataset.max_removed,
        adopt=config.adopt,
        resend=config.resend,
        source=dataset.push_key.to_user_string() + ("" if partition is None else f" of partition {partition}"),
    )
    return MirrorPlace(base=base / "mirrors", options=options)


def push_to_mirror(
    archives: "Sequence[Archive]",
    *,
    mirror: MirrorPlace,
    client: CogneeClient,
    options: PushOptions,
    progress: PushProgress,
) -> PushResult:
    """Send what has changed."""
    from cognee_dagster.pushing.mirror.mirror import push_mirror  # Arrow and numpy come with it

    return push_mirror(
        archives, client=client, base=mirror.base, options=options, mirror=mirror.options, progress=progress
    )


def plan_for_mirror(
    archives: "Sequence[Archive]", *, mirror: MirrorPlace, client: CogneeClient, options: PushOptions
) -> dict[str, Any]:
    """What a push would send and remove, as JSON."""
    from cognee_dagster.pushing.mirror.mirror import plan_mirror  # Arrow and numpy come with it

    return plan_mirror(archives, client=client, base=mirror.base, options=options, mirror=mirror.options).as_json()


def check_mirror(
    client: CogneeClient, archives: "Sequence[Archive]", result: PushResult, *, verify: Verification
) -> ImportFindings:
    """Look whether everything arrived; with ``graph`` the remote graph is read back, whole.

    Raises:
        RemoteError: The remote graph cannot be read.
    """
    if verify == "off":
        return ImportFindings()
    dropped = sum(item.skipped_facts for item in migration_imports(result.remote_response))
    problems = (
        [f"The remote dropped {counted(dropped, 'fact')} of the mirror's segments. Push again."] if dropped else []
    )
    if verify == "counts":
        return ImportFindings(problems=problems)
    dataset_id = str(result.remote_response["dataset_id"])
    found = compare_graph(client, dataset_id, archives)
    return ImportFindings(problems=[*problems, *found.problems], remarks=found.remarks)
