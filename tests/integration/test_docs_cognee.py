"""What the documentation prints of local Cognees runs as printed: sessions over the demo, datasets of documents."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.sandbox import local_environment
from cognee_dagster.testing import FakeRemote
from examples.local_cognee import cognify
from examples.stand_in_llm import LLMStandIn
from tests.conftest import HANDBOOK, LocalStore
from tests.printed import Block, commands, terminal
from tests.readers_machine import in_this_process, push_all, readers_machine, run_example
from tests.unit.test_docs_run import OF_DOCUMENTS, ON_REAL_COGNEE


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.mark.parametrize("block", ON_REAL_COGNEE, ids=str)
def test_a_session_prints_what_is_shown(block: Block, demo_store: LocalStore, here: Path) -> None:
    with (
        FakeRemote(import_seconds=3.0) as remote,  # about as long as a real one takes: what is shown tells of the wait
        readers_machine(here, remote, cognee=demo_store.directory) as environ,
        terminal(here, environ) as shell,
    ):
        for command in commands(block):
            shell.run(command)


@pytest.fixture(scope="module")
def cognee(real_cognee: None, llm_stand_in: LLMStandIn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A local Cognee with a language model and the dataset ``research``: its environment."""
    directory = tmp_path_factory.mktemp("cognee")
    environ = local_environment(directory, environ=llm_stand_in.settings)
    (directory / "research.md").write_text("Alice works for Acme.")
    cognify(environ, dataset="research", documents=[directory / "research.md"])
    return environ


@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", OF_DOCUMENTS, ids=str)
def test_documents_arrive_as_printed(block: Block, cognee: dict[str, str], remote: FakeRemote, here: Path) -> None:
    directory = Path(cognee["SYSTEM_ROOT_DIRECTORY"]).parent
    with readers_machine(here, remote, cognee=directory) as environ:
        handbook = Path(environ["HOME"]) / "handbook" / "team"
        handbook.mkdir(parents=True)
        shutil.copy(HANDBOOK / "teams.md", handbook)
        with in_this_process({**cognee, **environ}) as instance:
            defs = run_example(block)[0]["defs"]
            result = push_all(defs, instance)
    assert result.success, [event for event in result.all_events if event.is_failure]
    assert len(remote.graph("handbook").nodes) > 3
