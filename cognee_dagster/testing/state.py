"""What the fake server remembers: users, datasets, documents, and the rows that ``runs.py`` writes."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from hashlib import md5
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cognee_dagster.testing.graph import Graph

OLD_ROW_KEYS = (
    "id",
    "pipeline_name",
    "status",
    "dataset_id",
    "dataset_name",
    "owner_id",
    "owner_email",
    "created_at",
    "pipeline_run_id",
)
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class User:
    """An account with one API key."""

    email: str
    api_key: str
    is_superuser: bool = False

    @property
    def id(self) -> str:
        return str(uuid5(NAMESPACE_OID, self.email))


@dataclass(frozen=True, kw_only=True)
class Document:
    """Raw content: stored once per id; a later text under the same id is ignored."""

    id: str
    external_system: str
    external_id: str
    title: str | None
    text: str
    created_at: str

    def shown(self, dataset_id: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": f"text_{md5(self.text.encode(), usedforsecurity=False).hexdigest()}",
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
            "extension": "txt",
            "mimeType": "text/plain",
            "rawDataLocation": "file:///srv/cognee",
            "datasetId": dataset_id,
            "label": self.title,
            "externalMetadata": {
                "external_system": self.external_system,
                "external_id": self.external_id,
                "node_set": ["import:cognee"],
            },
            "dataSize": len(self.text.encode()),
        }


@dataclass
class Dataset:
    """A dataset and all that is in it.

    Attributes:
        lock: Serialises its pipelines, as the server's own does.
        has_rights: Whether anybody has any right to it; its owner gets them a moment after it is there.
    """

    name: str
    owner: User
    created_at: str
    graph: Graph = field(default_factory=Graph)
    documents: dict[str, Document] = field(default_factory=dict)
    grants: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    has_rights: bool = True

    @property
    def id(self) -> str:
        """Derived from name and owner, so that a dataset created again has its old id."""
        return str(uuid5(NAMESPACE_OID, f"{self.name}{self.owner.id}None"))

    def allows(self, user: User, permission: str) -> bool:
        return self.has_rights and (user == self.owner or permission in self.grants.get(user.id, set()))

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "createdAt": self.created_at,
            "updatedAt": None,
            "ownerId": self.owner.id,
        }


class Clock:
    """The server's clock: UTC, off by ``skew`` seconds, never the same moment twice (rows are ordered by it)."""

    def __init__(self) -> None:
        self.skew = 0.0
        self._last = datetime.min.replace(tzinfo=timezone.utc)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            moment = datetime.now(timezone.utc) + timedelta(seconds=self.skew)
            if moment - self._last < timedelta(microseconds=1) and self._last - moment < timedelta(seconds=1):
                moment = self._last + timedelta(microseconds=1)
            self._last = moment
            return moment

    def stamp(self) -> str:
        """As rows and datasets carry it: ISO, microseconds, without an offset."""
        return self.now().replace(tzinfo=None).isoformat(timespec="microseconds")


class State:
    """Everything that survives a restart of the server."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.users: dict[str, User] = {}
        self.datasets: dict[str, Dataset] = {}
        self.rows: list[Row] = []
        self.lock = threading.RLock()

    def user_of_key(self, key: str | None) -> User | None:
        return next((user for user in self.users.values() if key and user.api_key == key), None)

    def dataset_named(self, name: str, owner: User) -> Dataset | None:
        return next((d for d in self.datasets.values() if d.name == name and d.owner == owner), None)

    def ensure_dataset(self, name: str, owner: User, *, before_rights: Callable[[], None] | None = None) -> Dataset:
        """A dataset, made if it is not there; who finds it while another request makes it gets one without rights."""
        with self.lock:
            found = self.dataset_named(name, owner)
            if found is not None:
                return found
            made = Dataset(name=name, owner=owner, created_at=self.clock.stamp(), has_rights=before_rights is None)
            self.datasets[made.id] = made
        if before_rights is not None:
            before_rights()
            made.has_rights = True
        return made

    def readable(self, user: User) -> list[Dataset]:
        return [dataset for dataset in self.datasets.values() if dataset.allows(user, "read")]

    def holder_of_document(self, document_id: str) -> Dataset | None:
        """The dataset that has the document; ids are unique over the whole server."""
        return next((d for d in self.datasets.values() if document_id in d.documents), None)

    def feed(self, user: User, *, dataset_id: str | None, pipeline_name: str | None) -> Iterator[Row]:
        """Rows that the user may see, newest first."""
        readable = {dataset.id: dataset for dataset in self.readable(user)}
        for row in sorted(self.rows, key=lambda row: (row["created_at"], row["id"]), reverse=True):
            dataset = readable.get(row["dataset_id"])
            if dataset_id is not None and row["dataset_id"] != dataset_id:
                continue
            if pipeline_name is not None and row["pipeline_name"] != pipeline_name:
                continue
            if dataset is None and row["user_id"] != user.id:
                continue
            yield {
                **row,
                "dataset_name": dataset.name if dataset else None,
                "owner_id": dataset.owner.id if dataset else None,
                "owner_email": dataset.owner.email if dataset else None,
            }
