"""A run that died after its upload: the next one attaches to the import that is already there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, metadata_of, people


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


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


def test_another_target_is_uploaded(chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    die_after_push(chain, monkeypatch)
    assert chain.run(config={"target_dataset": "elsewhere"}).success
    assert len(remote.uploads) == 2


def test_a_push_that_was_reported_is_made_again_when_asked_for(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run().success
    assert chain.run("remote_push").success
    assert len(remote.uploads) == 2


def test_an_import_that_came_to_nothing_is_uploaded_again(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.fail_next_import()
    assert not chain.run().success
    assert chain.run("remote_push").success
    assert len(remote.graph("people").nodes) == 3
