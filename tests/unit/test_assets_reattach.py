"""A run that died after its upload: the next one attaches to the import that is already there."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.testing import FakeRemote, faults
from cognee_dagster.testing.faults import UPLOADS
from tests.asset_chain import NO_RETRY, Chain, metadata_of, people
from tests.rivals import Rival, rival_archive


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY})


def die_after_push(chain: Chain, monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
    """A run whose step dies between the upload and its report."""

    def dying(*arguments: Any, **options: Any) -> None:
        push_archives(*arguments, **options)
        raise RuntimeError("The step died here.")

    with monkeypatch.context() as patch:
        patch.setattr("cognee_dagster.dagster.steps.push.push_archives", dying)
        assert not chain.run(config=config).success


def pushed_run(result: dg.ExecuteInProcessResult) -> object:
    """The import that the push reports."""
    return metadata_of(result, "remote_push")["pipeline_run_id"]


@pytest.mark.parametrize("in_background", [False, True], ids=["foreground", "background"])
def test_the_next_run_attaches_instead_of_uploading_again(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch, in_background: bool
) -> None:
    die_after_push(chain, monkeypatch, run_in_background=in_background)
    result = chain.run("remote_push", config={"run_in_background": in_background})
    assert result.success
    assert len(remote.uploads) == 1
    assert pushed_run(result) == remote.runs[0]["pipeline_run_id"]


def test_a_graph_that_has_changed_since_is_uploaded(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_after_push(chain, monkeypatch)
    chain.graph = people(size=4)
    assert chain.run().success
    assert len(remote.uploads) == 2


def test_a_dry_run_in_between_makes_nobody_forget_the_import(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_after_push(chain, monkeypatch)
    assert chain.run("remote_push", config={"dry_run": True}).success
    assert chain.run("remote_push").success
    assert len(remote.uploads) == 1


def test_another_archive_in_between_does(chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    die_after_push(chain, monkeypatch)
    graph, chain.graph = chain.graph, people(size=4)
    die_after_push(chain, monkeypatch)
    chain.graph = graph
    assert chain.run().success
    assert len(remote.uploads) == 3


def test_another_target_is_uploaded(chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    die_after_push(chain, monkeypatch)
    assert chain.run(config={"target_dataset": "elsewhere"}).success
    assert len(remote.uploads) == 2


def test_a_push_that_was_reported_is_made_again_when_asked_for(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run().success
    assert chain.run("remote_push").success
    assert len(remote.uploads) == 2


def test_a_run_that_may_be_somebody_elses_is_no_push_in_the_background(
    chain: Chain, remote: FakeRemote, tmp_path: Path
) -> None:
    """The gateway swallows our upload, another's import begins, and then the gateway is down."""
    rival = Rival(remote.url, remote.api_key, rival_archive(tmp_path), dataset="people")
    remote.faults.on(UPLOADS, faults.answer(502))
    theirs = rival.begin_after(remote)
    assert not chain.run(config={"run_in_background": True}).success
    theirs.join(60)
    (noted,) = chain.instance.fetch_observations(chain.dataset.push_key, limit=9).records[1:]
    assert noted.asset_observation is not None
    assert noted.asset_observation.metadata["pipeline_run_id"].value == rival.run_id
    result = chain.run("remote_push", config={"run_in_background": True})
    assert result.success
    assert pushed_run(result) != rival.run_id


def test_an_import_that_came_to_nothing_is_uploaded_again(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.fail_next_import()
    assert not chain.run().success
    assert chain.run("remote_push").success
    assert len(remote.graph("people").nodes) == 3
