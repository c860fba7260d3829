"""A mode that there is not is refused by the Launchpad, before a run is launched."""

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, build_definitions

DEFS = build_definitions([CogneeDataset(name="people", mode="hybrid")])


def launch(mode: str) -> None:
    job = DEFS.resolve_implicit_global_asset_job_def()
    dg.validate_run_config(job, {"ops": {"people__remote_push": {"config": {"mode": mode}}}})


@pytest.mark.parametrize("mode", ["preserve", "hybrid", "re-derive"])
def test_each_mode_may_be_launched(mode: str) -> None:
    launch(mode)


def test_no_other_may_and_the_error_names_those_that_there_are() -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"preserve.*hybrid.*re-derive"):
        launch("presreve")
