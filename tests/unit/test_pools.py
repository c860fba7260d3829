"""A push has a place in its remote's pool for as long as it runs, however it ends; with the pools of ``deploy/``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.dagster.translator import CogneeStep
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain
from tests.compose_file import deployed

POOL = "cognee_remote"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    settings = {"concurrency": deployed("dagster.yaml")["concurrency"]}
    with FakeRemote() as remote, dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        yield Chain(remote=remote, directory=tmp_path, instance=instance)


def places_taken(chain: Chain) -> int:
    return int(chain.instance.event_log_storage.get_concurrency_info(POOL).active_slot_count)


ENDS = {
    "well": dg.DagsterRunStatus.SUCCESS,
    "failed": dg.DagsterRunStatus.FAILURE,
    "terminated": dg.DagsterRunStatus.CANCELED,
}


@pytest.mark.parametrize("ends", list(ENDS))
def test_a_push_gives_its_place_back_as_soon_as_it_ends(chain: Chain, ends: str) -> None:
    taken: dict[str, int] = {}

    def watched(context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
        taken[step.kind] = places_taken(chain)
        if step.kind == "remote_push" and ends == "failed":
            raise dg.Failure("as the test wants it", allow_retries=False)
        if step.kind == "remote_push" and ends == "terminated":
            context.instance.report_run_canceling(context.run)
            raise dg.DagsterExecutionInterruptedError
        yield from step.run()

    chain.options |= {"execute": watched, "retry_policy": dg.RetryPolicy(max_retries=1, delay=0)}
    chain.run()
    (run,) = chain.instance.get_runs()
    assert run.status == ENDS[ends]
    assert taken == {"cognified_graph": 0, "cogx_archive": 0, "remote_push": 1}
    assert places_taken(chain) == 0


def test_a_dataset_may_have_a_pool_of_its_own(chain: Chain) -> None:
    def watched(_: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
        own = chain.instance.event_log_storage.get_concurrency_info("graphs").active_slot_count
        assert own == (step.kind == "remote_push")
        assert places_taken(chain) == 0
        yield from step.run()

    chain.options |= {"execute": watched, "pool": "graphs", "retry_policy": NO_RETRY}
    assert chain.run().success
