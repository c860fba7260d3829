"""Pipeline runs and operations of the fake server: the rows that its feed shows of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from cognee_dagster.testing.answers import CogneeError
from cognee_dagster.testing.state import Dataset, Row, State, User

IMPORT_PIPELINE = "migration_import_pipeline"


@dataclass(kw_only=True)
class _Activity:
    """Something that the server did to a dataset.

    Attributes:
        parent: The id of the operation that a pipeline run belongs to.
    """

    state: State
    dataset: Dataset
    user: User
    id: str = field(default_factory=lambda: str(uuid4()))
    parent: str | None = None
    started_at: str = ""

    def _write(self, **columns: object) -> None:
        """Add a row, with every key in the server's order."""
        row: Row = {
            "id": str(uuid4()),
            "kind": None,
            "pipeline_name": None,
            "status": None,
            "dataset_id": self.dataset.id,
            "dataset_name": None,
            "owner_id": None,
            "owner_email": None,
            "created_at": self.state.clock.stamp(),
            "pipeline_run_id": self.id,
            "operation_name": None,
            "origin": "api",
            "outcome": None,
            "background": None,
            "error_class": None,
            "tokens_in": None,
            "tokens_out": None,
            "embedding_tokens": None,
            "started_at": self.started_at,
            "ended_at": None,
            "user_id": self.user.id,
            "session_id": None,
            "parent_operation_id": None,
        }
        self.state.rows.append(row | columns)


@dataclass(kw_only=True)
class Run(_Activity):
    """A pipeline run."""

    pipeline: str

    def start(self) -> "Run":
        """Write the row of a run that has begun."""
        self.started_at = self.state.clock.stamp()
        self._write_status("STARTED")
        return self

    def complete(self) -> None:
        """Write the row of a run that has succeeded."""
        self._end("COMPLETED", outcome="succeeded")

    def fail(self, error_class: str) -> None:
        """Write the row of a run that has failed."""
        self._end("ERRORED", outcome="failed", error_class=error_class)

    def abandon(self) -> None:
        """What the recovery sweep writes of a run whose process died; nobody counted its tokens."""
        self._end("ERRORED", outcome="failed", error_class="AbandonedPipelineRunError", tokens=None)

    def _end(self, status: str, *, tokens: int | None = 0, **columns: object) -> None:
        self._write_status(
            status, ended_at=self.state.clock.stamp(), parent_operation_id=self.parent, **_tokens(tokens), **columns
        )

    def _write_status(self, status: str, **columns: object) -> None:
        self._write(
            kind="pipeline",
            pipeline_name=self.pipeline,
            operation_name=self.pipeline,
            status=f"DATASET_PROCESSING_{status}",
            **columns,
        )


@dataclass(kw_only=True)
class Operation(_Activity):
    """A call of ``remember()``, ``delete()``, ``search()``, …: one row, beside those of its pipelines."""

    name: str

    def __post_init__(self) -> None:
        self.started_at = self.state.clock.stamp()

    def write(self, outcome: str, *, background: bool | None = None, error_class: str | None = None) -> None:
        """Write its row. With ``background``, "succeeded" means accepted, not done; None: it never is."""
        self._write(
            kind="operation",
            operation_name=self.name,
            outcome=outcome,
            background=background,
            error_class=error_class,
            ended_at=self.state.clock.stamp(),
            parent_operation_id=self.parent,
            **_tokens(0),
        )

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Write its row when it has ended, however that was."""
        try:
            yield
        except CogneeError as error:
            self.write("failed", error_class=error.class_name)
            raise
        self.write("succeeded")


def _tokens(count: int | None) -> Row:
    return dict.fromkeys(("tokens_in", "tokens_out", "embedding_tokens"), count)
