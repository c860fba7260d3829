"""``FakeRemote``: the fake server with all that a test looks at and arranges."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cognee_dagster.environment import API_KEY_VARIABLE
from cognee_dagster.remote.https_settings import SERVICE_URL_VARIABLE
from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.faults import UPLOADS
from cognee_dagster.testing.graph import Graph
from cognee_dagster.testing.pace import Hold, Pace
from cognee_dagster.testing.runs import IMPORT_PIPELINE, Run
from cognee_dagster.testing.server import FakeServer, RecordedRequest
from cognee_dagster.testing.state import Dataset, Row, User

if TYPE_CHECKING:
    from cognee_dagster.dagster.resources import CogneeRemote


class FakeRemote(FakeServer):
    """A Cognee server in this process, on a free port of 127.0.0.1.

    ::

        with FakeRemote() as remote:
            client = CogneeClient(Connection(url=remote.url, api_key=remote.api_key, …))

    Args:
        version: The Cognee release to be.
        limits: What archives may hold.
        pace: Keyword arguments of ``Pace``: how long things take, whether there is an LLM.

    Attributes:
        requests: Every request as it arrived, oldest first.
        faults: What happens to requests: see ``cognee_dagster.testing.faults``.
        pace: Can be changed while the server runs: ``remote.pace.import_seconds = 2.0``.
    """

    def __init__(self, version: str = "1.6.5", *, limits: Limits | None = None, **pace: Any) -> None:
        super().__init__(version, limits=limits or Limits(), pace=Pace(**pace))
        self.admin = self.add_user("admin@example.com", is_superuser=True)

    def __enter__(self) -> "FakeRemote":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self.defects:
            raise AssertionError("The fake remote itself failed.") from self.defects[0]

    # --- how a project reaches it ------------------------------------------------------------------------------------

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which ``push()``, the command line and a ``CogneeRemote`` without a URL find this server.

        A ``.env`` that Cognee would load goes before them; the fixture ``fake_remote_environment`` rules that out, too.
        """
        return {SERVICE_URL_VARIABLE: self.url, API_KEY_VARIABLE: self.api_key}

    def resource(self, **options: Any) -> "CogneeRemote":
        """A ``CogneeRemote`` that points here and waits 0.1 s at most between two tries.

        Args:
            options: Other fields of ``CogneeRemote``.
        """
        from cognee_dagster.dagster.resources import CogneeRemote  # the fake also serves tests without Dagster

        return CogneeRemote(**{"url": self.url, "api_key": self.api_key, "max_retry_wait": 0.1, **options})

    # --- what tests look at ------------------------------------------------------------------------------------------

    @property
    def api_key(self) -> str:
        """The superuser's key."""
        return self.admin.api_key

    @property
    def runs(self) -> list[Row]:
        """All rows of pipeline runs and operations, newest first."""
        return sorted(self.state.rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)

    @property
    def uploads(self) -> list[RecordedRequest]:
        """Uploads whose whole body arrived."""
        return [r for r in self.requests if r.path == UPLOADS and r.method == "POST" and r.complete]

    def dataset(self, name: str, *, owner: User | None = None) -> Dataset:
        """A dataset with its graph and documents; the superuser's, unless ``owner`` says otherwise.

        Raises:
            LookupError: There is none of that name.
        """
        found = self.state.dataset_named(name, owner or self.admin)
        if found is None:
            raise LookupError(f"The fake remote has no dataset {name!r}.")
        return found

    def graph(self, name: str, *, owner: User | None = None) -> Graph:
        """A dataset's graph: ``nodes`` by id, ``edges`` by (source, relationship, target)."""
        return self.dataset(name, owner=owner).graph

    def documents(self, name: str, *, owner: User | None = None) -> dict[str, str]:
        """A dataset's documents: their content by external id."""
        return {d.external_id: d.text for d in self.dataset(name, owner=owner).documents.values()}

    # --- what tests arrange ------------------------------------------------------------------------------------------

    def add_user(self, email: str, *, is_superuser: bool = False) -> User:
        user = User(email=email, api_key=f"key-of-{email}", is_superuser=is_superuser)
        self.state.users[email] = user
        return user

    def grant(self, dataset_name: str, user: User, *permissions: str, owner: User | None = None) -> None:
        """Lets ``user`` read, write, share or delete a dataset of ``owner``'s."""
        self.dataset(dataset_name, owner=owner).grants.setdefault(user.id, set()).update(permissions)

    @contextmanager
    def hold_imports(self) -> Iterator[Hold]:
        """Imports stop half-way, their run visible, until released or until the context ends."""
        hold = self.pace.hold = Hold()
        try:
            yield hold
        finally:
            self.pace.hold = None
            hold.release()

    def fail_next_import(self, error_class: str = "RuntimeError") -> None:
        """The next graph import ends as failed; in the foreground the request gets 409."""
        self.pace.next_failures.append(error_class)

    def close_abandoned_runs(self, *, min_age: float = 0.0) -> list[str]:
        """The recovery sweep: runs STARTED more than ``min_age`` seconds ago that never ended get a late ERRORED row.

        Returns:
            Their pipeline run ids.
        """
        limit = (self.state.clock.now() - timedelta(seconds=min_age)).replace(tzinfo=None).isoformat()
        ended = {row["pipeline_run_id"] for row in self.state.rows if row["ended_at"]}
        lost = [
            Run(
                state=self.state,
                pipeline=row["pipeline_name"],
                dataset=self.state.datasets[row["dataset_id"]],
                user=next(user for user in self.state.users.values() if user.id == row["user_id"]),
                id=row["pipeline_run_id"],
                started_at=row["started_at"],
            )
            for row in self.state.rows
            if row["pipeline_run_id"] not in ended
            and row["created_at"] < limit
            and row["dataset_id"] in self.state.datasets
        ]
        for run in lost:
            run.abandon()
        return [run.id for run in lost]

    def add_run(
        self, dataset_name: str, *, pipeline: str = IMPORT_PIPELINE, state: str = "STARTED", run_id: str | None = None
    ) -> str:
        """A run that somebody else's request left: rows only. ``state``: STARTED, COMPLETED or ERRORED.

        Returns:
            Its pipeline run id.
        """
        dataset = self.state.ensure_dataset(dataset_name, self.admin)
        run = Run(
            state=self.state, pipeline=pipeline, dataset=dataset, user=self.admin, id=run_id or str(uuid4())
        ).start()
        if state == "COMPLETED":
            run.complete()
        elif state == "ERRORED":
            run.fail("RuntimeError")
        return run.id
