"""What a push has changed on the remote so far is known also where its process was killed, or got no further."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.dagster.steps import push
from cognee_dagster.errors import RemoteRejectedError
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.asset_chain import NO_RETRY, Chain, people
from tests.cogx_graphs import ID_A, MemoryReader
from tests.pushes import HASTY, client_of
from tests.unit.target_world import PROD, STAGING, TwoRemotes, two_remotes
from tests.unit.tenant_world import Tenants, some_tenants
from tests.unit.test_failed_pushes import TO_STAGING, why_not_promoted

world = pytest.fixture(two_remotes)
tenants = pytest.fixture(some_tenants)


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch, *, before: str = "ask_probes") -> Iterator[None]:
    """The process of the push ends before that: its step says nothing of it."""

    @contextmanager
    def unheard(*_: Any, **__: Any) -> Iterator[None]:
        yield

    def dying(*_: Any, **__: Any) -> None:
        raise RuntimeError("The process ends here.")

    with monkeypatch.context() as patch:
        patch.setattr(push, "failure_reported", unheard)
        patch.setattr(push, before, dying)
        yield


@pytest.fixture(params=["full", None], ids=["full", "mirror"])
def chain(request: pytest.FixtureRequest, remote: FakeRemote, tmp_path: Path) -> Chain:
    """A graph was pushed, and its import has succeeded; another one is to be pushed next."""
    chain = Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY, "sync": request.param})
    assert chain.run().success
    chain.graph = people(size=5)
    return chain


def test_executed_the_check_knows_of_a_push_that_was_killed_after_its_import_had_begun(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed(monkeypatch):
        assert not chain.run().success
    evaluation = chain.check()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "has finished, and the push that began it has failed." in str(evaluation.description)
    assert chain.run().success
    assert chain.check().passed


@pytest.mark.parametrize("sync", ["full", None], ids=["full", "mirror"])
def test_nothing_is_promoted_after_a_push_to_staging_was_killed(
    world: TwoRemotes, monkeypatch: pytest.MonkeyPatch, sync: Any
) -> None:
    world.targets = (replace(STAGING, sync=sync), replace(PROD, promote_from="staging"))
    assert world.run(*TO_STAGING).success
    world.graph = people(size=5)
    with killed(monkeypatch):
        assert not world.run(*TO_STAGING).success
    assert "a push after what people/staging/remote_graph confirms has failed." in why_not_promoted(world)


def test_a_document_that_was_deleted_for_an_upload_that_is_refused_is_told(remote: FakeRemote, tmp_path: Path) -> None:
    told: list[str] = []
    progress = PushProgress(on_deleted=lambda: told.append("deleted"), on_import=told.append)

    def push_text(text: str) -> None:
        reader = MemoryReader([(ID_A, "", "DocumentChunk", f'{{"text": "{text}"}}')])
        archive = write_archive(reader, tmp_path / "text.cogx.tar.gz")
        options = PushOptions(target_dataset="docs", delivery=HASTY)
        with client_of(remote.url, remote.api_key) as client:
            push_archives([archive], client=client, options=options, progress=progress)

    push_text("Old.")
    assert told
    assert set(told) <= {str(run["pipeline_run_id"]) for run in remote.runs}
    told.clear()
    remote.faults.on(UPLOADS, answer(413))
    with pytest.raises(RemoteRejectedError, match="413"):
        push_text("New.")
    assert told == ["deleted"]


# Of a chain with partitions


def test_a_partition_whose_first_push_failed_is_not_as_it_should_be(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.write("acme", size=3)
    tenants.write("beta", size=3)
    assert tenants.run("acme").success
    tenants.resource = remote.resource(max_attempts=1)
    remote.fail_next_import("RuntimeError")
    assert not tenants.run("beta").success
    evaluation = tenants.check("remote_import_succeeded")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "1 of 2 partitions are as they should be.\nbeta: The import into dataset" in str(evaluation.description)


def test_the_only_push_of_all_partitions_failed(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.write("acme", size=3)
    tenants.resource = remote.resource(max_attempts=1)
    remote.fail_next_import("RuntimeError")
    assert not tenants.run("acme").success
    evaluation = tenants.check("remote_import_succeeded")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "0 of 1 partition is as it should be.\nacme: " in str(evaluation.description)
