"""A chain of assets over a small NetworkX graph, and a fake remote to push it to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_dataset_assets
from cognee_dagster.testing import FakeRemote

GRAPH_KEY = dg.AssetKey(["my", "graph"])
NO_RETRY = dg.RetryPolicy(max_retries=0)


def people(*, size: int = 3) -> Any:
    """``size`` people who know each other in a row."""
    graph = nx.MultiDiGraph()
    for number in range(size):
        graph.add_node(f"p{number}", name=f"Person {number}", type="Person")
    for number in range(size - 1):
        graph.add_edge(f"p{number}", f"p{number + 1}", key="knows")
    return graph


@dataclass
class Chain:
    """The assets of one dataset over ``graph``, which a test may replace between two runs."""

    remote: FakeRemote
    directory: Path
    graph: Any = field(default_factory=people)
    options: dict[str, Any] = field(default_factory=dict)
    remote_options: dict[str, Any] = field(default_factory=dict)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    archives: str | None = None  # where they are stored; default: in the directory
    more_resources: dict[str, Any] = field(default_factory=dict)

    @property
    def dataset(self) -> CogneeDataset:
        full = {} if "targets" in self.options else {"sync": "full"}  # most tests are about what each push sends
        return CogneeDataset(**{"name": "people", "graph": GRAPH_KEY, **full, **self.options})

    @property
    def assets(self) -> list[Any]:
        @dg.asset(key=GRAPH_KEY, io_manager_key="graphs")
        def my_graph() -> Any:
            return self.graph

        return [my_graph, *build_dataset_assets(self.dataset)]

    @property
    def resources(self) -> dict[str, Any]:
        given = {"url": self.remote.url, "api_key": self.remote.api_key, "max_attempts": 1, **self.remote_options}
        return {
            "cognee_remote": CogneeRemote(**given),
            "cogx_archives": CogxArchiveIOManager(base_directory=self.archives or str(self.directory / "archives")),
            "graphs": dg.FilesystemIOManager(base_dir=str(self.directory / "graphs")),
            **self.more_resources,
        }

    def run(self, *names: str, config: Mapping[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        """Materializes the assets of these last names (``remote_push``), by default all of them."""
        selection = self._selection(names) if names else None
        return dg.materialize(
            self.assets,
            resources=self.resources,
            instance=self.instance,
            selection=selection,
            raise_on_error=False,
            run_config={"ops": {self.dataset.push_key.to_python_identifier(): {"config": dict(config)}}}
            if config
            else None,
        )

    def check(self, name: str = "remote_import_succeeded") -> dg.AssetCheckEvaluation:
        """Presses the Execute button of a check of the remote graph."""
        selection = dg.AssetSelection.checks(dg.AssetCheckKey(self.dataset.remote_graph_key, name))
        result = dg.materialize(
            self.assets, resources=self.resources, instance=self.instance, selection=selection, raise_on_error=False
        )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation

    def _selection(self, names: Sequence[str]) -> dg.AssetSelection:
        prefix = self.dataset.push_key.path[:-1]
        keys = (GRAPH_KEY if name == "my_graph" else dg.AssetKey([*prefix, name]) for name in names)
        return dg.AssetSelection.assets(*keys)


def metadata_of(result: dg.ExecuteInProcessResult, last: str) -> dict[str, Any]:
    """The metadata of the materialization of ``…/<last>``, as plain values."""
    (found,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == last
    ]
    return {key: value.value for key, value in found.metadata.items()}


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    """The last names of the assets that the run materialized, in order."""
    return [event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key]


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """The run's check evaluations by name."""
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def failure_of(result: dg.ExecuteInProcessResult, last: str) -> tuple[str, dict[str, Any]]:
    """Description and metadata of the failure of the step of ``…/<last>``."""
    (event,) = [event for event in result.all_events if event.is_step_failure and str(event.step_key).endswith(last)]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None, event.step_failure_data.error
    return str(failure.description), {key: value.value for key, value in failure.metadata.items()}


def attempts(result: dg.ExecuteInProcessResult, last: str) -> int:
    """How often the step of ``…/<last>`` was begun."""
    kinds = [event.event_type for event in result.all_events if str(event.step_key).endswith(last)]
    return kinds.count(dg.DagsterEventType.STEP_START) + kinds.count(dg.DagsterEventType.STEP_RESTARTED)
