"""What can be said about how a push is done, apart from what does it, so that saying it costs no import of that."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from cognee_dagster.errors import InvalidModeError
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.names import validate_dataset_name

DEFAULT_DATASET = "main_dataset"  # Cognee 1.6.5, api/v1/push/push.py

ImportMode = Literal["preserve", "hybrid", "re-derive"]  # Cognee 1.6.5, modules/migration/sources/base.py
IMPORT_MODES: tuple[ImportMode, ...] = get_args(ImportMode)

Verification = Literal["counts", "graph", "off"]
"""``counts``: the server's own count of what it read; ``graph``: read the remote graph back, too; ``off``."""


SyncKind = Literal["full", "incremental"]
"""``full``: send everything, remove nothing; ``incremental``: keep the remote dataset a mirror."""

OnRemoved = Literal["remove", "keep", "fail", "replace"]
"""What becomes of records that a mirror has and the graph no longer."""

MAX_REMOVED = 0.2


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    """How patient a delivery is. All times are seconds.

    Attributes:
        background_strategy: ``auto``, or ``detached``, ``native`` or ``foreground``: see ``remote.compat``.
        detach_timeout: How long a background push waits for its run to become visible after the body was sent. The run
            appears when all documents are stored (about 33 ms each) and no other import holds the dataset.
        recovery_timeout: How long a lost answer's run is looked for before the archive is uploaded again.
        recovery_per_document: What is added to that for each document, which the server stores before the run begins.
        quiet_after: The list of runs that shows nothing of the dataset for so long ends that search.
        poll_interval: Time between two looks at the remote's runs.
        stalled_after: Age from which a run without an end is given up (a ``timedelta``).
    """

    background_strategy: str = "auto"
    detach_timeout: float = 1800.0
    recovery_timeout: float = 10.0
    recovery_per_document: float = 0.05
    quiet_after: float = 4.0
    poll_interval: float = 1.0
    stalled_after: timedelta = STALLED_AFTER


@dataclass(frozen=True, kw_only=True)
class PushOptions:
    """What is pushed where, and how; checked when it is made.

    Attributes:
        target_dataset: The remote dataset's name; None: that of the local one.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        run_in_background: Return as soon as the remote has taken over.
        delivery: How patient to be, and how to import in the background.

    Raises:
        InvalidModeError: There is no such mode.
        InvalidTargetError: The remote would refuse the target's name.
    """

    target_dataset: str | None = None
    mode: str = "preserve"
    run_in_background: bool = False
    delivery: DeliverySettings = field(default_factory=DeliverySettings)

    def __post_init__(self) -> None:
        validate_mode(self.mode)
        if self.target_dataset is not None:
            validate_dataset_name(self.target_dataset)

    def target_of(self, dataset_name: str) -> str:
        """The remote dataset that a local one is pushed to.

        Raises:
            InvalidTargetError: The remote would refuse the local name, and no other is set.
        """
        if self.target_dataset is not None:
            return self.target_dataset
        validate_dataset_name(dataset_name)
        return dataset_name


def validate_mode(mode: str) -> None:
    """Refuse an import mode that does not exist.

    Raises:
        InvalidModeError: ``mode`` is none of ``IMPORT_MODES``.
    """
    if mode not in IMPORT_MODES:
        raise InvalidModeError(f"Unknown push mode {mode!r}. Expected one of {', '.join(IMPORT_MODES)}.")
