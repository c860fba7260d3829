"""``PushFailure``: what is told to a person about a graph that did not arrive."""

from urllib.parse import quote

import dagster as dg
from pydantic import Field

PUSH = "push"
IMPORT = "import"


class PushFailure(dg.Config):
    """A push that failed for good, or an import that failed, stalled or is incomplete.

    As Dagster config, an op or asset of yours can take one: ``def open_ticket(config: PushFailure)``.
    """

    id: str = Field(description="The same whenever this failure is told again: what to leave repeats out by.")
    kind: str = Field(description="`import`, or `push`: the run failed before there was an import that is watched.")
    state: str = Field(description="`failed`, `stalled` or `incomplete`.")
    dataset: str = Field(description="The local dataset.")
    target: str | None = Field(default=None, description="Which of its targets, of a dataset with several.")
    push_asset: str = Field(description="The asset `…/remote_push`, as a path.")
    partition: str | None = Field(default=None, description="Its partition.")
    target_dataset: str | None = Field(default=None, description="The remote dataset, where it is known.")
    remote_url: str | None = Field(default=None, description="The remote, where it is known.")
    pipeline_run_id: str | None = Field(default=None, description="The import's run on the remote, if it has one.")
    dagster_run_id: str | None = Field(default=None, description="The Dagster run that pushed.")
    reason: str = Field(description="What happened.")
    advice: str = Field(description="What to do next.")
    error: str | None = Field(default=None, description="The error's class: what to look for in the troubleshooting.")
    failed_at: str = Field(description="When it was logged, in UTC, such as `2026-01-31T03:00:12+00:00`.")
    dagster_url: str | None = Field(
        default=None, description="The run, else the asset, in Dagster's UI; needs `webserver_base_url`."
    )
    remote_run_url: str | None = Field(
        default=None, description="The remote dataset's runs in the remote's own API, which asks for the key."
    )

    @property
    def title(self) -> str:
        """What failed, in a line: fit for a subject."""
        of = self.dataset if self.partition is None else f"{self.dataset} ({self.partition})"
        to = f" to {self.target}" if self.target else ""
        where = f" into {self.target_dataset} on {self.remote_url}" if self.remote_url else ""
        word = {"incomplete": "is incomplete"}.get(self.state, self.state)
        return " ".join(f"Cognee {self.kind} of {of}{to}{where} {word}".split())

    @property
    def text(self) -> str:
        """Everything a person needs to know, in lines."""
        lines = [self.title, "", self.reason, self.advice]
        facts = {
            "Failed at": self.failed_at,
            "Error": self.error,
            "Import run": self.pipeline_run_id,
            "Dagster run": self.dagster_run_id,
            "In Dagster": self.dagster_url,
            "On the remote": self.remote_run_url,
        }
        return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in facts.items() if value)])


def id_of_push(run_id: str, push_key: dg.AssetKey, partition: str | None) -> str:
    """The id of the failure of a push, which a Dagster run was to make."""
    return f"{PUSH} {run_id} {push_key.to_user_string()}" + (f" {partition}" if partition is not None else "")


def id_of_import(import_id: str) -> str:
    """The id of an import's failure; see ``Push.import_id``."""
    return f"{IMPORT} {import_id}"


def dagster_url(webserver: str, *, run_id: str | None, asset: dg.AssetKey) -> str | None:
    """Where to look in Dagster's UI; None where its address is not known."""
    if not webserver:
        return None
    path = f"runs/{run_id}" if run_id else f"assets/{quote(asset.to_user_string())}"
    return f"{webserver.rstrip('/')}/{path}"


def remote_run_url(remote: str | None, dataset_id: str | None) -> str | None:
    """The remote dataset's runs, as its API has them (Cognee 1.6.5, ``api/v1/activity``)."""
    if not (remote and dataset_id):
        return None
    return f"{remote.rstrip('/')}/api/v1/activity/pipeline-runs?dataset_id={quote(dataset_id)}"
