"""What the step of ``remote_push`` does where the remote dataset is a mirror."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
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


def push_to_mirror(
    dataset: CogneeDataset,
    archives: "Sequence[Archive]",
    *,
    client: CogneeClient,
    options: PushOptions,
    base: "UPath",
    partition: str | None,
    progress: PushProgress,
) -> PushResult:
    """Send what has changed; what the remote has confirmed is kept in the archive store, for whichever host is next."""
    from cognee_dagster.pushing.mirror.mirror import push_mirror  # Arrow and numpy come with it

    mirror = mirror_options(dataset, partition)
    return push_mirror(archives, client=client, base=base, options=options, mirror=mirror, progress=progress)


def mirror_options(dataset: CogneeDataset, partition: str | None) -> "MirrorOptions":
    """How a dataset's mirror, or that of one of its partitions, is kept."""
    from cognee_dagster.pushing.mirror.options import MirrorOptions

    source = dataset.push_key.to_user_string() + ("" if partition is None else f" of partition {partition}")
    return MirrorOptions(on_removed=dataset.on_removed, max_removed=dataset.max_removed, source=source)


def mirrors_beside(context: dg.AssetExecutionContext, archive: StoredArchive) -> "UPath":
    """Where the state of mirrors is kept: in the archive store, one place for all that may share a remote dataset."""
    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    base = archives.store().base if isinstance(archives, CogxArchiveIOManager) else archive.directory
    return base / "mirrors"


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
    problems = [f"The remote dropped {dropped} facts of the mirror's segments. Push again."] if dropped else []
    if verify == "counts":
        return ImportFindings(problems=problems)
    dataset_id = str(result.remote_response["dataset_id"])
    found = compare_graph(archives, client.graph(dataset_id))
    return ImportFindings(problems=[*problems, *found.problems], remarks=found.remarks)
