"""Some tenants: one chain with a partition for each, and a fake remote to push them to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_dataset_assets, build_definitions
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, people

TENANTS = ["acme", "beta", "cord", "dune", "east"]


@dataclass
class Tenants:
    """Graph files of some tenants, and a chain with a partition for each."""

    remote: FakeRemote
    directory: Path
    instance: dg.DagsterInstance
    resource: CogneeRemote
    archives: CogxArchiveIOManager
    options: dict[str, Any] = field(default_factory=dict)
    more: dg.Definitions = field(default_factory=dg.Definitions)

    @property
    def dataset(self) -> CogneeDataset:
        options = {"graph": self.directory / "{partition}.graphml", "partitions_def": TENANTS, **self.options}
        return CogneeDataset(name="tenant_{partition}", retry_policy=NO_RETRY, **options)

    @property
    def definitions(self) -> dg.Definitions:
        ours = build_definitions([self.dataset], remote=self.resource, archives=self.archives)
        return dg.Definitions.merge(self.more, ours)

    def write(self, tenant: str, *, size: int) -> None:
        nx.write_graphml(people(size=size), self.directory / f"{tenant}.graphml")

    def run(self, tenant: str | None, *names: str, config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        """A run of the chain's job for one partition, or of the assets of these last names alone."""
        push = self.dataset.push_key
        return self.definitions.resolve_job_def(self.dataset.job_name).execute_in_process(
            instance=self.instance,
            partition_key=tenant,
            asset_selection=[dg.AssetKey([*push.path[:-1], name]) for name in names] or None,
            raise_on_error=False,
            run_config={"ops": {push.to_python_identifier(): {"config": config}}} if config else None,
        )

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        """Presses the Execute button of a check of the remote graph."""
        result = dg.materialize(
            [*build_dataset_assets(self.dataset)],
            resources=self.definitions.resources,
            instance=self.instance,
            selection=dg.AssetSelection.checks(dg.AssetCheckKey(self.dataset.remote_graph_key, name)),
        )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation


def some_tenants(remote: FakeRemote, tmp_path: Path) -> Iterator[Tenants]:
    """The fixture."""
    with dg.DagsterInstance.ephemeral() as instance:
        archives = CogxArchiveIOManager(base_directory=str(tmp_path / "archives"))
        yield Tenants(
            remote=remote, directory=tmp_path, instance=instance, resource=remote.resource(), archives=archives
        )
