"""What the step of ``remote_push`` does where the remote dataset is a mirror."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from cognee_dagster.dagster.config import PushConfig
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.errors import DatasetNotFoundError, InvalidPushError, RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.comparison.difference import unreadable_in_words
from cognee_dagster.pushing.comparison.verification import ImportFindings
from cognee_dagster.pushing.options import OnRemoved, PushOptions, Verification
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.resume import ResumeRecord
from cognee_dagster.pushing.verify import Difference, compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.pushing.mirror.options import MirrorOptions

SEND_ALL_AGAIN = "Launch remote_push with `resend: true` in its config, which sends everything again."


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
    try:
        options = MirrorOptions(
            on_removed=cast("OnRemoved", config.on_removed or dataset.on_removed),
            max_removed=dataset.max_removed if config.max_removed is None else config.max_removed,
            adopt=config.adopt,
            resend=config.resend,
            source=dataset.push_key.to_user_string() + ("" if partition is None else f" of partition {partition}"),
        )
    except ValueError as error:
        raise InvalidPushError(
            f"The push to {dataset.push_key.to_user_string()} was launched wrongly: {error}"
        ) from error
    return MirrorPlace(base=base / "mirrors", options=options)


def push_to_mirror(
    archives: "Sequence[Archive]",
    *,
    mirror: MirrorPlace,
    client: CogneeClient,
    options: PushOptions,
    progress: PushProgress,
    record: ResumeRecord,
) -> PushResult:
    """Send what has changed; all, and with a record of its imports, of a graph that cannot be mirrored."""
    from cognee_dagster.pushing.mirror.mirror import push_mirror  # Arrow and numpy come with it

    return push_mirror(
        archives,
        client=client,
        base=mirror.base,
        options=options,
        mirror=mirror.options,
        progress=progress,
        record=record,
    )


def plan_for_mirror(
    archives: "Sequence[Archive]", *, mirror: MirrorPlace, client: CogneeClient, options: PushOptions
) -> dict[str, Any]:
    """What a push would send and remove, as JSON."""
    from cognee_dagster.pushing.mirror.mirror import plan_mirror  # Arrow and numpy come with it

    return plan_mirror(archives, client=client, base=mirror.base, options=options, mirror=mirror.options).as_json()


def check_mirror(
    client: CogneeClient,
    archives: "Sequence[Archive]",
    result: PushResult,
    *,
    verify: Verification,
) -> ImportFindings:
    """Look whether everything arrived; with ``graph`` the remote graph is read back, whole."""
    if verify == "off":
        return ImportFindings()
    incomplete = result.remote_response["mirror"].get("archives_incomplete", 0)
    archives_taken = f"The remote says that it took {counted(incomplete, 'archive')} of the mirror not in full"
    problems = [f"{archives_taken}. Push again: what is in them is sent once more."] if incomplete else []
    if verify == "counts":
        return ImportFindings(problems=problems)
    try:
        found = compare_archives(archives, client=client, target_dataset=result.target_dataset)
    except DatasetNotFoundError as error:
        return ImportFindings(problems=[*problems, f"{error} Push again."])
    except RemoteError as error:
        return ImportFindings(problems=problems, not_compared=str(error))
    exact = has_to_be_exact(result.remote_response["mirror"])
    wrong = found.wrong(exact=exact, mode="preserve")
    if wrong:
        what = "; ".join(difference.in_words for difference in wrong)
        problems.append(f"The remote dataset is not what was pushed: {what}. {how_to_mend(wrong)}")
    besides = [f"{difference.in_words}." for difference in found.differences if difference not in wrong]
    if found.unreadable:
        besides.append(f"{unreadable_in_words(found.unreadable)}.")
    return ImportFindings(problems=problems, remarks=besides)


def has_to_be_exact(mirror: Mapping[str, Any] | None) -> bool:
    """Whether the remote dataset should have nothing besides what was pushed.

    Args:
        mirror: What a push says of the mirror, also of what it has kept there; None for a full one, which merges.
    """
    return mirror is not None and "kept" not in mirror.get("nodes", {}) and not mirror.get("nodes_of_other_mirrors")


def how_to_mend(wrong: Sequence[Difference]) -> str:
    """What to do about a mirror that is not exact."""
    if any(difference.what != "extra" for difference in wrong):
        return SEND_ALL_AGAIN
    return (
        "Launch remote_push with `adopt: true` in its config, which removes what full pushes have brought, and mirrors "
        "that are kept in the same archive store. What was made on the remote itself, or by a mirror that is kept "
        "elsewhere, such as the command line's, goes with on_removed replace, max_removed 1 and resend, at launch, too."
    )
