"""What the answers to a dataset's probes mean in Dagster: the check ``remote_answers``, with what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.links import with_links
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.probes.asking import ProbeAnswer
from cognee_dagster.remote.wording import safe

_REASONS = 2  # besides the first, in a description; the table has all
_IN_A_WORD = {True: "yes", False: "no", None: "not known"}


@dataclass(frozen=True, kw_only=True)
class ProbeAnswers:
    """What the remote dataset of a push has for its probes.

    Attributes:
        push: The push.
        items: An answer to each probe, at least one.
    """

    push: Push
    items: Sequence[ProbeAnswer]

    def check_evaluation(self) -> dg.AssetCheckEvaluation:
        """The check as who watches an import writes it; its partition stands in the metadata only."""
        return dg.AssetCheckEvaluation(
            asset_key=self.push.graph_key,
            check_name=keys.CHECK_ANSWERS,
            passed=self._passed,
            severity=self._severity,
            description=self._description,
            metadata=self._metadata,
        )

    def check_result(self) -> dg.AssetCheckResult:
        """The check as who asks now gets it."""
        return dg.AssetCheckResult(
            passed=self._passed, severity=self._severity, description=self._description, metadata=self._metadata
        )

    @property
    def _wrong(self) -> list[ProbeAnswer]:
        """Those that are not found first, then those of which nothing is known."""
        return [answer for known in (False, None) for answer in self.items if answer.is_found is known]

    @property
    def _passed(self) -> bool:
        return not self._wrong

    @property
    def _severity(self) -> dg.AssetCheckSeverity:
        """A remote that could not be asked is a warning, as in the other checks."""
        failed = any(answer.is_found is False and answer.probe.severity == "error" for answer in self.items)
        return dg.AssetCheckSeverity.ERROR if failed or self._passed else dg.AssetCheckSeverity.WARN

    @property
    def _description(self) -> str:
        wrong = self._wrong
        where = f"{safe(self.push.target_dataset)!r} on {self.push.remote_url}"
        if not wrong:
            return f"{where} has an answer to {counted(len(self.items), 'probe')}."
        unknown = all(answer.is_found is None for answer in wrong)
        what = "could not be asked about" if unknown else "has no answer to"
        first, *others = dict.fromkeys(answer.reason for answer in wrong)
        more = [f"{len(others) - _REASONS} more are in the table."] if len(others) > _REASONS else []
        begin = f"{where} {what} {len(wrong)} of {counted(len(self.items), 'probe')}: {first}"
        return "\n".join([begin, *others[:_REASONS], *more])

    @property
    def _metadata(self) -> dict[str, Any]:
        push = self.push
        metadata: dict[str, Any] = {} if self._passed else {keys.REASON: self._description}
        metadata |= {
            keys.TARGET_DATASET: push.target_dataset,
            keys.REMOTE_URL: push.remote_url,
            keys.ARCHIVE_DIGEST: push.metadata.get(keys.ARCHIVE_DIGEST),
            keys.PIPELINE_RUN_ID: push.run_id or None,
            keys.PUSH_RUN_ID: push.dagster_run_id,
            keys.ANSWERS: dg.MetadataValue.table([_row(answer) for answer in self.items]),
        }
        if push.partition is not None:
            metadata[keys.PARTITION] = push.partition
        return with_links(metadata)


def _row(answer: ProbeAnswer) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "question": safe(answer.probe.question),
            "search_type": answer.probe.search_type,
            "must_contain": safe(answer.probe.contains),
            "answered": _IN_A_WORD[answer.is_found],
            "found": answer.found if answer.is_found is not None else safe(answer.reason),
        }
    )
