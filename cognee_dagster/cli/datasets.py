"""``cognee-dagster datasets``."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cognee_dagster import remote
from cognee_dagster.cli.options import json_option, remote_connection, remote_options
from cognee_dagster.cli.runs import spelled_state
from cognee_dagster.cli.terminal import log_to_stderr, print_json, print_table, say, spelled_time
from cognee_dagster.errors import RemoteError, RemoteUnreachableError
from cognee_dagster.graph.counting import counted

if TYPE_CHECKING:
    from cognee_dagster.remote.client import CogneeClient
    from cognee_dagster.remote.imports.listing import ListedImport
    from cognee_dagster.remote.responses import RemoteDataset, RemoteUser

_ASKED_WITHIN = 1800.0  # seconds for the sizes and last imports of all datasets


@click.command(short_help="List the remote's datasets: owner, size, last import.")
@click.option("--no-sizes", is_flag=True, help="Do not count nodes and edges: each graph is read for that.")
@remote_options
@json_option
def datasets(*, no_sizes: bool, url: str | None, api_key: str | None, as_json: bool) -> None:
    """List the remote's datasets that the key's user may read: who owns them, how large they are, their last import.

    The state of the last import is that of the cognify run which followed it at once, if one did.

    With --json: datasets, each with name, id, owner_id, owned_by_you, num_nodes, num_edges, last_import (an object with
    pipeline_run_id, state, cognified, error_class, started_at; or null).
    """
    with log_to_stderr(reminders=not as_json), remote.CogneeClient(remote_connection(url, api_key)) as client:
        found = _look(client, sizes=not no_sizes)
    if as_json:
        print_json({"datasets": [item.as_json() for item in found]})
    elif not found:
        say("The key's user may read no dataset there.")
    else:
        rows = [item.as_row() for item in sorted(found, key=lambda item: item.dataset.name)]
        print_table(("dataset", "owner", "nodes", "edges", "last import", ""), rows)


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """One dataset with what else is known of it; None: not known."""

    dataset: "RemoteDataset"
    user: "RemoteUser | None"
    size: tuple[int, int] | None
    last: "ListedImport | None"

    @property
    def is_own(self) -> bool | None:
        if self.user is None or self.dataset.owner_id is None:
            return None
        return self.dataset.owner_id == self.user.id

    def as_json(self) -> dict[str, Any]:
        last = self.last and {
            "pipeline_run_id": self.last.run_id,
            "state": self.last.verdict.state.value,
            "cognified": self.last.cognified,
            "error_class": self.last.verdict.error_class,
            "started_at": self.last.verdict.started_at and self.last.verdict.started_at.isoformat(),
        }
        nodes, edges = self.size or (None, None)
        return {
            "name": self.dataset.name,
            "id": self.dataset.id,
            "owner_id": self.dataset.owner_id,
            "owned_by_you": self.is_own,
            "num_nodes": nodes,
            "num_edges": edges,
            "last_import": last,
        }

    def as_row(self) -> tuple[str, ...]:
        owner = f"{self.user.email or 'you'} (you)" if self.is_own and self.user else self.dataset.owner_id or "?"
        nodes, edges = (f"{number:,}" for number in self.size) if self.size else ("?", "?")
        if self.last is None:
            return (self.dataset.name, owner, nodes, edges, "none", "")
        return (
            self.dataset.name, owner, nodes, edges, spelled_state(self.last),
            spelled_time(self.last.verdict.started_at),
        )  # fmt: skip


def _look(client: "CogneeClient", *, sizes: bool) -> list[_Shown]:
    found = client.datasets()
    user = client.user()
    last: dict[str | None, ListedImport] = {}
    for item in remote.list_imports(client, limit=2000):
        last.setdefault(item.dataset_id, item)
    asking = _Asking(client, sizes=sizes, number=len(found))
    return [
        _Shown(
            dataset=dataset,
            user=user,
            size=asking.size(dataset),
            last=last.get(dataset.id) or asking.last_import(dataset),
        )
        for dataset in found
    ]


class _Asking:
    """Asks about one dataset after another, as long as the remote answers, and not for ever."""

    def __init__(self, client: "CogneeClient", *, sizes: bool, number: int) -> None:
        self._client = client
        self._sizes = sizes
        self._left = number
        self._ends_at = time.monotonic() + _ASKED_WITHIN
        self._goes_on = True

    def size(self, dataset: "RemoteDataset") -> tuple[int, int] | None:
        """How many nodes and edges it has; None where that is not known."""
        self._left -= 1
        if self._goes_on and time.monotonic() >= self._ends_at:
            self._stop(f"asking has taken {_ASKED_WITHIN:.0f} s", left=self._left + 1)
        if not self._sizes or not self._goes_on:
            return None
        try:
            return self._client.graph_size(dataset.id)
        except RemoteError as error:
            say(f"The size of dataset {dataset.name!r} is not known: {error}", err=True)
            if isinstance(error, RemoteUnreachableError) and self._left:
                self._stop("the remote does not answer", left=self._left)
            return None

    def last_import(self, dataset: "RemoteDataset") -> "ListedImport | None":
        """Of a dataset that is not among those with the newest imports of all."""
        if not self._goes_on:
            return None
        return next(iter(remote.list_imports(self._client, dataset_id=dataset.id, limit=1)), None)

    def _stop(self, why: str, *, left: int) -> None:
        self._goes_on = False
        say(f"Of {counted(left, 'more dataset')} size and last import are not asked for: {why}.", err=True)
