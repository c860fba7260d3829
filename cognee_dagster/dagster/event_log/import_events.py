"""What the end of an import means in Dagster: which events, with which words.

The import sensor, a push in the foreground and the check ``remote_import_succeeded`` all say it with these.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.answers import ProbeAnswers
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.event_log.reports import EventKind
from cognee_dagster.dagster.links import with_links
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.AssetObservation

_DATA_VERSION_TAG = "dagster/data_version"
_FINISHED = "The remote has finished the import."


@dataclass(frozen=True, kw_only=True)
class ImportOutcome:
    """What has become of one push's import.

    Attributes:
        push: The push.
        verdict: What the remote says.
        answers: What it has for the push's probes, if it was asked.
    """

    push: Push
    verdict: ImportVerdict
    answers: ProbeAnswers | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the import has ended well."""
        return self.verdict.state is ImportState.SUCCEEDED

    @property
    def _status(self) -> str:
        """How its end is spelled; what the remote does not know has failed, once it is given up."""
        state = self.verdict.state
        return (ImportState.FAILED if state is ImportState.UNKNOWN else state).status

    @property
    def reason(self) -> str:
        """What has become of which import, in a sentence."""
        run = f"Import {self.push.run_id}" if self.push.run_id else "The import"
        return f"{run} into dataset {self.push.target_dataset!r} on {self.push.remote_url}: {self.verdict.reason}"

    def missing_events(self, written: Collection[EventKind], *, newer_succeeded: bool | None) -> list[AssetEvent]:
        """The events that are still to be written about an import that came to its end.

        A success is a materialization of ``remote_graph`` and a passed check; any other end is a failed check. The
        check speaks of the newest push: when an older import ends after a newer one was reported, its failure is only
        observed if the newer one succeeded, and its success does not turn a newer failure green.

        The answers to probes come before that check: a process that is killed in between writes them again.

        Args:
            written: The kinds of events about it that are in the event log already.
            newer_succeeded: How the newest later push into the same remote dataset ended; None: none has ended.
        """
        if self.succeeded:
            events: list[AssetEvent] = [self.materialization()]
            if newer_succeeded is not False:
                events += self._check_evaluations()
        else:
            events = [self.observation()] if newer_succeeded else self._check_evaluations()
        return [event for event in events if kind_of(event) not in written]

    def _check_evaluations(self) -> list[AssetEvent]:
        answers: list[AssetEvent] = [self.answers.check_evaluation()] if self.answers is not None else []
        return [*answers, self.check_evaluation()]

    def materialization(self) -> dg.AssetMaterialization:
        """The graph is on the remote."""
        digest = self.push.metadata.get(keys.ARCHIVE_DIGEST)
        return dg.AssetMaterialization(
            self.push.graph_key,
            description=_FINISHED,
            metadata=self._metadata(self._status),
            partition=self.push.partition,
            tags={_DATA_VERSION_TAG: str(digest)} if digest else None,
        )

    def check_evaluation(self) -> dg.AssetCheckEvaluation:
        """The check as who watches an import writes it; its partition stands in the metadata only.

        Dagster 1.13 takes one evaluation of a check, partition and run, and a second one from a sensor, which has no
        run, would fail the tick for ever (``asset_check_executions``, unique index).
        """
        return dg.AssetCheckEvaluation(
            asset_key=self.push.graph_key,
            check_name=keys.CHECK_IMPORT_SUCCEEDED,
            passed=self.succeeded,
            description=_FINISHED if self.succeeded else self.reason,
            metadata=self._metadata(self._status),
        )

    def check_result(self) -> dg.AssetCheckResult:
        """The check as who asks now gets it: an import that has not ended has not succeeded, but is not wrong, either.

        A run that the remote does not show may have not begun, so that nothing has ended there.
        """
        state = self.verdict.state
        ended = state.is_final or state is ImportState.STALLED
        return dg.AssetCheckResult(
            passed=self.succeeded,
            severity=dg.AssetCheckSeverity.ERROR if ended else dg.AssetCheckSeverity.WARN,
            description=self.reason,
            metadata=self._metadata(state.status),
        )

    def observation(self) -> dg.AssetObservation:
        """A failure that a newer push has made good."""
        return dg.AssetObservation(
            self.push.graph_key,
            description=f"{self.reason} A newer push has succeeded, so nothing is to be done.",
            metadata=self._metadata(ImportState.SUPERSEDED.status),
            partition=self.push.partition,
        )

    def _metadata(self, status: str) -> dict[str, Any]:
        """The push's own metadata, with what the end of its import adds; SECONDS is how long the remote took."""
        push, verdict = self.push, self.verdict
        carried = {key: value for key, value in push.metadata.items() if value is not None and key != keys.SECONDS}
        added: dict[str, Any] = {keys.STATUS: status, keys.PUSH_RUN_ID: push.dagster_run_id}
        if verdict.started_at is not None and verdict.finished_at is not None:
            added[keys.SECONDS] = round(max(0.0, (verdict.finished_at - verdict.started_at).total_seconds()), 3)
        if push.partition is not None:
            added[keys.PARTITION] = push.partition
        first: dict[str, Any] = {} if self.succeeded else {keys.REASON: self.reason}
        if verdict.error_class is not None:
            first[keys.ERROR] = verdict.error_class
        return with_links({**first, **carried, **added, **first})


def kind_of(event: AssetEvent) -> EventKind:
    """What an event is for Dagster."""
    if isinstance(event, dg.AssetCheckEvaluation):
        return "check"
    return "materialization" if isinstance(event, dg.AssetMaterialization) else "observation"
