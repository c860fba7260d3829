"""Asking the remote the probes of imports that have succeeded, within what is left of a tick's time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cognee_dagster.dagster.event_log.answers import ProbeAnswers
from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.pushing.probes.asking import ask_probes
from cognee_dagster.pushing.probes.probe import Probe

if TYPE_CHECKING:  # a code location loads this module, and should not wait for HTTP
    from cognee_dagster.remote.client import CogneeClient


@dataclass(frozen=True, kw_only=True)
class Prober:
    """Who asks a remote its probes.

    Attributes:
        client: The remote.
        probes: What is asked about a push.
    """

    client: "CogneeClient"
    probes: Callable[[Push], Sequence[Probe]]

    def with_answers(
        self, outcomes: Iterable[ImportOutcome], *, budget: TimeBudget, summary: TickSummary
    ) -> list[ImportOutcome]:
        """The outcomes with the answers to their probes; without those whose turn comes in a later tick.

        The first is asked in any case: where its probes alone take longer than a tick, what is left of them is not
        known. Of any other, an answer that the end of the tick's time cut off is waited for in a later tick.
        """
        complete: list[ImportOutcome] = []
        asked = 0
        for outcome in outcomes:
            probes = self.probes(outcome.push) if outcome.succeeded else ()
            if not probes:
                complete.append(outcome)
            elif asked and not budget.lasts():
                summary.count("to be reported next")
            else:
                asked += 1
                items = ask_probes(self.client, probes, target_dataset=outcome.push.target_dataset)
                if asked > 1 and not budget.lasts() and any(item.is_found is None for item in items):
                    summary.count("to be reported next")
                else:
                    complete.append(replace(outcome, answers=ProbeAnswers(push=outcome.push, items=items)))
        return complete
