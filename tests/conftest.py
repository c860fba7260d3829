"""What tests of several kinds share: real Cognee on loopback, built lazily and once per session.

Importing Cognee takes 10 to 25 s in each process that does it, so a store is built once and copied by who writes to it.
"""

import os
import shutil
import signal
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cognee_dagster.environment import cognee_package
from cognee_dagster.sandbox import CogneeServer, local_environment
from examples.local_cognee import cognify, load_demo_graph
from examples.stand_in_llm import LLMStandIn

# How long an example takes says something of the machine, not of the code.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LOG_LINES = 200
HANDBOOK = Path(__file__).parent.parent / "examples" / "handbook"


@dataclass(frozen=True, kw_only=True)
class LocalStore:
    """A local Cognee with one dataset.

    Attributes:
        directory: Everything it stores; read only, for all tests of the session share it.
        environ: The whole environment under which Cognee uses it.
        dataset: The dataset's name.
        llm: The settings of the language model in ``environ``, if any.
    """

    directory: Path
    environ: dict[str, str]
    dataset: str
    llm: dict[str, str] = field(default_factory=dict)

    def copy_to(self, directory: Path) -> "LocalStore":
        """A copy to write to; its documents stay where they were."""
        shutil.copytree(self.directory, directory)
        environ = local_environment(directory, environ=self.llm)
        return LocalStore(directory=directory, environ=environ, dataset=self.dataset, llm=self.llm)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_works() -> None:
    """A shell starts background jobs with SIGINT ignored, and children inherit that: no Ctrl-C could end them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_cognee() -> None:
    """The test needs an installed Cognee: skipped without one on a developer's machine, failed in CI."""
    if cognee_package() is not None:
        return
    reason = "needs Cognee: pip install -e '.[cognee]'"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def real_remote(real_cognee: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CogneeServer]:
    """A real Cognee server; shared, so a test uses dataset names of its own and neither stops nor restarts it."""
    with CogneeServer(tmp_path_factory.mktemp("remote")) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure's report has the end of the server's log: what a real Cognee answers with 500 is told nowhere else."""
    report = yield
    server = getattr(item, "funcargs", {}).get("real_remote")
    if report.failed and isinstance(server, CogneeServer):
        lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
        report.sections.append(("The end of the Cognee server's log", "\n".join(lines[-LOG_LINES:])))
    return report


@pytest.fixture(scope="session")
def llm_stand_in() -> Iterator[LLMStandIn]:
    """The rule-based stand-in for a language model."""
    with LLMStandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def demo_store(real_cognee: None, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Dataset ``demo``: the graph that Cognee bundles, 47 nodes and 86 edges."""
    directory = tmp_path_factory.mktemp("demo_store")
    environ = local_environment(directory, environ=_search_path())
    load_demo_graph(environ)
    return LocalStore(directory=directory, environ=environ, dataset="demo")


@pytest.fixture(scope="session")
def handbook_store(real_cognee: None, llm_stand_in: LLMStandIn, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Dataset ``handbook``: examples/handbook, added and cognified by Cognee itself."""
    directory = tmp_path_factory.mktemp("handbook_store")
    environ = local_environment(directory, environ={**_search_path(), **llm_stand_in.settings})
    cognify(environ, dataset="handbook", documents=sorted(HANDBOOK.glob("*.md")))
    return LocalStore(directory=directory, environ=environ, dataset="handbook", llm=llm_stand_in.settings)


def _search_path() -> dict[str, str]:
    """No key and no language model of the developer's reach a test."""
    return {"PATH": os.environ.get("PATH", os.defpath)}
