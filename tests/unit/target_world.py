"""One dataset with two targets, each of which is a fake remote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, RemoteTarget, build_definitions
from cognee_dagster.dagster.translator import CogneeTranslator
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import GRAPH_KEY, NO_RETRY, people

STAGING = RemoteTarget("staging", remote="staging", sync="full")
TO_ARCHIVE = ("my/graph", "people/cognified_graph", "people/cogx_archive")
PROD = RemoteTarget("prod", remote="production", sync="full", target_dataset="people_prod")


@dataclass
class TwoRemotes:
    """A code location whose dataset goes to two remotes."""

    staging: FakeRemote
    production: FakeRemote
    directory: Path
    targets: tuple[RemoteTarget, ...] = (STAGING, PROD)
    translator: CogneeTranslator | None = None
    graph: Any = field(default_factory=people)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    @property
    def dataset(self) -> CogneeDataset:
        return CogneeDataset(
            name="people",
            graph=GRAPH_KEY,
            targets=self.targets,
            translator=self.translator,
            retry_policy=NO_RETRY,
        )

    @property
    def definitions(self) -> dg.Definitions:
        @dg.asset(key=GRAPH_KEY, io_manager_key="graphs")
        def my_graph() -> Any:
            return self.graph

        remotes = {"staging": self.staging, "production": self.production}
        return dg.Definitions.merge(
            build_definitions(
                [self.dataset],
                remotes={
                    key: CogneeRemote(url=remote.url, api_key=remote.api_key, max_attempts=1)
                    for key, remote in remotes.items()
                },
                archives=CogxArchiveIOManager(base_directory=str(self.directory / "archives")),
            ),
            dg.Definitions(
                assets=[my_graph],
                resources={"graphs": dg.FilesystemIOManager(base_dir=str(self.directory / "graphs"))},
                executor=dg.in_process_executor,
            ),
        )

    def run(self, *keys: str, config: Mapping[str, Any] | None = None, target: str = "prod") -> Any:
        """Materializes these assets (``people/prod/remote_push``), by default all, with the config of a push."""
        definitions = self.definitions
        selection = [dg.AssetKey(key.split("/")) for key in keys] or None
        step = f"people__{target}__remote_push"
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=selection,
            raise_on_error=False,
            run_config={"ops": {step: {"config": dict(config)}}} if config else None,
        )


def two_remotes(tmp_path: Path) -> Iterator[TwoRemotes]:
    """The fixture."""
    with FakeRemote() as staging, FakeRemote() as production:
        yield TwoRemotes(staging=staging, production=production, directory=tmp_path)


def jobs_of(definitions: dg.Definitions, name: str) -> set[str]:
    """What a job materializes, as paths."""
    return {key.to_user_string() for key in definitions.resolve_job_def(name).asset_layer.selected_asset_keys}
