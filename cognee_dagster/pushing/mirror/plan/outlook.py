"""What ``plan`` says besides counts: the first records, how long it would take, and how the remote stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import CogneeDagsterError
from cognee_dagster.pushing.mirror.graph.documents import removed_documents
from cognee_dagster.pushing.mirror.plan.estimate import ServerTime, estimate
from cognee_dagster.pushing.mirror.plan.examples import EXAMPLES, Examples, first_examples
from cognee_dagster.pushing.mirror.plan.summary import summary_of
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a push to a mirror would meet and take.

    Attributes:
        dataset: The remote dataset; None where it is not there.
        owner: Its owner: an e-mail where it is the key's user, else an id; None where the remote does not say.
        confirmed_at: When the push began that the remote has confirmed last; None where none is known.
        is_in_sync: Whether the remote has the graph as it is, and nothing that nobody owns.
        examples: The first records that would be added, changed and removed.
        about_bytes: About how much would be sent.
        num_archives: In how many archives.
        server_time: What that would take the server, without documents.
    """

    dataset: RemoteDataset | None
    owner: str | None
    confirmed_at: datetime | None
    is_in_sync: bool
    examples: Examples = field(repr=False)
    about_bytes: int
    num_archives: int
    server_time: ServerTime

    def as_json(self) -> dict[str, Any]:
        """As JSON values. The readers of a dataset are not told, since a remote does not show them (Cognee 1.6.5)."""
        at = self.confirmed_at.isoformat(timespec="seconds") if self.confirmed_at else None
        return {
            "remote": {
                "exists": self.dataset is not None,
                "dataset_id": self.dataset.id if self.dataset else None,
                "owner": self.owner,
                "readers": None,
                "confirmed_at": at,
                "in_sync_since": at if self.is_in_sync else None,
            },
            "examples": {kind: {what: list(some) for what, some in of.items()} for kind, of in self.examples.items()},
            "about_bytes": self.about_bytes,
            "archives": self.num_archives,
            "server_seconds": None if self.server_time.seconds is None else round(self.server_time.seconds, 1),
            "server_seconds_by_runs": self.server_time.by_runs,
        }


@dataclass(frozen=True, kw_only=True)
class MirrorPlan:
    """What a push to a mirror would do.

    Attributes:
        found: What there is, and what is to be done.
        outlook: What that would meet and take.
        refusal: What the push would raise, and send nothing; None where it would be carried out.
    """

    found: MirrorSurvey
    outlook: Outlook
    refusal: CogneeDagsterError | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            **summary_of(self.found),
            **self.outlook.as_json(),
            "target_dataset": self.found.target_dataset,
            "in_sync": self.outlook.is_in_sync,
            "nothing_to_do": self.found.is_in_sync,
            "cannot_be_mirrored_because": "",
            "refusal": "" if self.refusal is None else str(self.refusal),
        }


def look_ahead(
    archives: Sequence[Archive], found: MirrorSurvey, *, client: CogneeClient, dataset: RemoteDataset | None
) -> Outlook:
    """Ask the remote and the archives for what ``survey`` did without.

    Raises:
        ArchiveError: An archive is damaged.
        RemoteError: The remote cannot be asked.
    """
    state = found.known.state
    uploads = found.plan.uploads
    run_nodes = {} if state is None else state.run_nodes
    rows = client.runs(dataset_id=dataset.id) if dataset is not None and run_nodes and uploads else ()
    gone = list(_removed(found, client, dataset)) if dataset is not None else []
    return Outlook(
        dataset=dataset,
        owner=_owner(client, dataset),
        confirmed_at=None
        if state is None or not (state.began_at and state.letters)
        else datetime.fromtimestamp(state.began_at, timezone.utc),
        is_in_sync=found.is_in_sync and not (found.unowned is not None and found.unowned.is_there),
        examples=first_examples(archives, found, gone),
        about_bytes=_about_bytes(archives, found),
        num_archives=len(uploads) + bool(found.documents.sent),
        server_time=estimate(rows, run_nodes, [len(upload.nodes) for upload in uploads]),
    )


def _owner(client: CogneeClient, dataset: RemoteDataset | None) -> str | None:
    if dataset is None or dataset.owner_id is None:
        return None
    user = client.user()
    return (user.email if user is not None and user.id == dataset.owner_id else None) or dataset.owner_id


def _removed(found: MirrorSurvey, client: CogneeClient, dataset: RemoteDataset) -> Iterator[str]:
    if not found.documents.removed_keys:
        return
    rows = list(client.data(dataset.id))
    names = {row.id: str(row.external_id).removeprefix(f"{dataset.id}:") for row in rows}
    gone = removed_documents(rows, found.documents.removed_keys, dataset_id=dataset.id)
    yield from (names[data_id] for data_id in islice(gone, EXAMPLES))


def _about_bytes(archives: Sequence[Archive], found: MirrorSurvey) -> int:
    """The archives' size by the share of the records that would be sent."""
    total = sum(sum(archive.record_counts.values()) for archive in archives)
    sent = sum(len(upload.nodes) + len(upload.edges) for upload in found.plan.uploads) + len(found.documents.sent)
    return round(sum(archive.size_bytes for archive in archives) * sent / total)
