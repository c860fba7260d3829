"""``RemoteTarget``: one of the remote datasets that a dataset's archive goes to, and how it is delivered there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import dagster as dg
from pydantic import AfterValidator, Field, InstanceOf

from cognee_dagster.dagster.checked_fields import CheckedFields
from cognee_dagster.dagster.field_types import (
    Condition,
    Flag,
    Freshness,
    OptionalString,
    Removed,
    RepushAttempts,
    ResourceKey,
    Share,
    String,
    Sync,
    TargetName,
    Verify,
)
from cognee_dagster.dagster.probes import Probes, of_partition
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE, REMOTE_RESOURCE
from cognee_dagster.dagster.templates import rendered
from cognee_dagster.dagster.translator import KINDS
from cognee_dagster.pushing.options import MAX_REMOVED, validate_mode
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.store.names import as_identifier, is_plain


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions(CheckedFields):
    """Where an archive goes, and how: said of a dataset that has one target, else of each ``RemoteTarget``.

    Attributes:
        target_dataset: Dataset name on the remote; default: the local one's name.
        remote: The key of the ``CogneeRemote`` resource that it is pushed to, and the name of the pool of its pushes.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        sync: ``full`` sends everything each time and removes nothing; ``incremental`` keeps a mirror: what has changed
            is sent, what is gone is removed, and the push waits for the import. See docs/mirrors.md. Default:
            incremental; full in the background, in modes other than ``preserve``, and of an ``archive=``.
        on_removed: What becomes of records that a mirror has and the graph no longer: ``remove`` them, ``keep`` them,
            ``fail``, or ``replace`` the whole remote graph, which is empty meanwhile.
        max_removed: The share of a mirror's nodes, edges or documents that one push may remove; of a dataset also
            of the documents that ``documents_removed`` may forget in one run.
        run_in_background: Do not wait for the import: the import sensor reports it.
        verify: How a finished import is held against what was sent: ``counts`` (the server's own count of the records
            it read), ``graph`` (read the remote graph back, too, and compare nodes and edges) or ``off``.
        fail_on_incomplete: Whether the step of a push in the foreground fails, too, where that finds something missing;
            otherwise only the check ``remote_import_succeeded`` does.
        probes: Questions whose answers must be found on the remote after an import: a list of ``Probe``, of which the
            check ``remote_answers`` is made.
        cron_schedule: When to push, with everything that runs before it, as a cron expression.
        execution_timezone: The cron expression's time zone, such as ``Europe/Berlin``; default UTC.
        automation_condition: The automation condition of ``remote_push``, such as ``promoted_from("staging")``.
        push_when_changed: Whether the archive and the push are made when the graph has changed, and only then; the
            ``cron_schedule`` then looks at the graph and no more.
        freshness_policy: How old the last import may be: a ``FreshnessPolicy`` of ``remote_graph``, or hours.
        repush_attempts: How often to push again, unasked, when a background import fails or stalls; 0: report only.
        repush_in_background: Whether pushing again is in the background, too.
    """

    target_dataset: OptionalString = None
    remote: ResourceKey = REMOTE_RESOURCE
    mode: String = "preserve"
    sync: Sync = None
    on_removed: Removed = "remove"
    max_removed: Share = MAX_REMOVED
    run_in_background: Flag = False
    verify: Verify = "counts"
    fail_on_incomplete: Flag = False
    probes: Probes = ()
    cron_schedule: OptionalString = None
    execution_timezone: OptionalString = None
    automation_condition: Condition = field(default=None, hash=False)
    push_when_changed: Flag = False
    freshness_policy: Freshness = field(default=None, hash=False)
    repush_attempts: RepushAttempts = 0
    repush_in_background: Flag = True

    def _check_delivery(self) -> None:
        """What makes no sense wherever these options are said."""
        self._check("mode", lambda: validate_mode(self.mode))
        if self.remote in (LOCAL_RESOURCE, ARCHIVES_RESOURCE):
            raise self._error("remote", self.remote, "that is the key of another resource of every dataset")
        if self.sync == "incremental" and self.mode != "preserve":
            raise self._error("sync", self.sync, f"in mode {self.mode} the server makes a graph of its own")
        if self.push_when_changed and self.automation_condition is not None:
            raise self._error("automation_condition", "…", "push_when_changed is a condition, too")
        if (target := self.target_dataset) is not None:
            self._check("target_dataset", lambda: validate_dataset_name(target))
        if self.cron_schedule is None:
            if self.execution_timezone is not None:
                raise self._error("execution_timezone", self.execution_timezone, "there is no cron_schedule")
            return
        if not _can_be_scheduled(self.cron_schedule, None):
            raise self._error("cron_schedule", self.cron_schedule, _NO_CRON)
        if not _can_be_scheduled(self.cron_schedule, self.execution_timezone):
            raise self._error("execution_timezone", self.execution_timezone, _NO_TIME_ZONE)


_NO_CRON = (
    "it is no cron expression that Dagster takes: write five fields (minute, hour, day of the month, month, day of the "
    "week), such as '0 3 * * *', or @hourly, @daily, @weekly or @monthly"
)
_NO_TIME_ZONE = "there is no time zone of that name; write one such as Europe/Berlin or UTC"


def _can_be_scheduled(cron: str, timezone: str | None) -> bool:
    """Whether Dagster takes it; what it says against one names the schedule that it was tried with."""
    try:
        dg.ScheduleDefinition(name="tried", job_name="tried", cron_schedule=cron, execution_timezone=timezone)
    except dg.DagsterError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class RemoteTarget(DeliveryOptions):
    """One of several remote datasets that a dataset's archive goes to; the others know nothing of it.

    Attributes:
        name: What it is called in the asset keys: ``<dataset>/<name>/remote_push``.
        promote_from: Another target of the dataset. What is pushed is the stored archive that it has confirmed last,
            instead of the one that was made last, and jobs that push what was just made leave this target out.

    Every other attribute is one of ``DeliveryOptions``.

    Raises:
        DatasetDefinitionError: A value that cannot work; the message names the target and the field.
    """

    name: TargetName = field(kw_only=False)
    promote_from: OptionalString = None

    def __post_init__(self) -> None:
        self._check_types()
        if not is_plain(self.name):
            raise self._error("name", self.name, "use only letters, digits, '_' and '-', and at most 63 of them")
        if self.name in KINDS:
            raise self._error("name", self.name, "an asset of every dataset is called so")
        if self.promote_from is not None and self.push_when_changed:
            raise self._error("push_when_changed", True, "what it gets is what another target has confirmed")
        self._check_delivery()

    def of_partition(self, key: str) -> "RemoteTarget":
        """The target of one partition.

        Raises:
            DatasetDefinitionError: The key makes a name, or a probe, that cannot be used.
        """
        return replace(self, target_dataset=rendered(self.target_dataset, key), probes=of_partition(self.probes, key))


Targets = Annotated[
    Sequence[InstanceOf[RemoteTarget]], AfterValidator(tuple), Field(description="a list of RemoteTarget")
]


def problems_between(targets: Sequence[RemoteTarget], *, dataset_name: str) -> Iterator[str]:
    """What makes no sense about targets beside each other, although each of them does.

    Args:
        targets: All targets of one dataset.
        dataset_name: What it is called on a remote where a target says nothing else.
    """
    names: dict[str, str] = {}
    places: dict[tuple[str, str], str] = {}
    for number, target in enumerate(targets, start=1):
        other = names.setdefault(as_identifier(target.name), target.name)  # a step's name has no '-'
        if len(names) < number:
            yield f"{other!r} and {target.name!r} would have one name in Dagster"
        place = (target.remote, target.target_dataset or dataset_name)
        if place in places:
            yield (
                f"{places[place]!r} and {target.name!r} are both the dataset {place[1]!r} of the remote {place[0]!r}; "
                "give one of them another target_dataset or remote"
            )
        places[place] = target.name
    sources = {target.name: target.promote_from for target in targets}
    for target in targets:
        yield from _problems_of_promotion(target, sources)


def _problems_of_promotion(target: RemoteTarget, sources: dict[str, str | None]) -> Iterator[str]:
    passed = {target.name}
    at = target.promote_from
    while at is not None:
        if at not in sources:
            yield f"{target.name!r} is promoted from {at!r}, which is none of them"
            return
        if at in passed:
            yield f"{target.name!r} is promoted from itself in the end"
            return
        passed.add(at)
        at = sources[at]
