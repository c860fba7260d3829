"""Two real Cognees, one to push from and one to push to, and a Dagster home: the stage for the demo and ``make dev``.

Everything is below one directory and ends with this process.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cognee_dagster.environment import API_KEY_VARIABLE, cognee_environment
from cognee_dagster.remote.https_settings import SERVICE_URL_VARIABLE
from cognee_dagster.sandbox import CogneeServer, local_environment
from cognee_dagster.system.child_process import ChildProcess, tethered
from examples.local_cognee import load_demo_graph
from examples.stand_in_llm import MODEL, language_model

REPOSITORY = Path(__file__).resolve().parent.parent
DEFINITIONS = REPOSITORY / "definitions.py"
HANDBOOK_DOCUMENTS = REPOSITORY / "examples" / "handbook" / "*.md"
DATASETS = [
    "demo",
    {"name": "handbook", "documents": [str(HANDBOOK_DOCUMENTS)], "run_in_background": True},
]
DAGSTER_YAML = """
telemetry: {enabled: false}
nux: {enabled: false}
"""


@dataclass(frozen=True, kw_only=True)
class Playground:
    """What is running.

    Attributes:
        directory: Everything it stores.
        remote: The Cognee to push to.
        local_environ: The environment of the Cognee to push from; dataset ``demo`` is there, ``handbook`` is not yet.
        dagster_environ: The environment of Dagster's processes.
        llm: Who answers as language model, in words.
    """

    directory: Path
    remote: CogneeServer
    local_environ: dict[str, str]
    dagster_environ: dict[str, str]
    llm: str

    @property
    def dagster_home(self) -> Path:
        return self.directory / "dagster_home"

    def dagster(self, program: str, *arguments: str) -> ChildProcess:
        """Start ``dagster`` or ``dagster-daemon``; in a directory of ours, for Dagster loads the ``.env`` it finds."""
        return ChildProcess(
            tethered(Path(sys.executable).with_name(program), *arguments),
            environ=self.dagster_environ,
            log=self.directory / f"{program}.log",
            directory=self.directory,
            secrets=(API_KEY_VARIABLE,),
        )


@contextlib.contextmanager
def playground(directory: Path) -> Iterator[Playground]:
    """Start it all; stop it all at the end.

    Args:
        directory: An empty directory.

    Raises:
        CogneeDagsterError: Cognee is not installed, or did not start.
    """
    with contextlib.ExitStack() as stack:
        environ = stack.enter_context(language_model(cognee_environment()))
        local_environ = local_environment(directory / "local", environ=environ)
        remote = CogneeServer(directory / "remote")
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        stack.callback(remote.stop)  # before the pool's end waits for the thread: an interrupt ends both at once
        starting = pool.submit(remote.start)
        load_demo_graph(local_environ)  # meanwhile: both spend 10 s and more on importing Cognee
        starting.result()
        stage = Playground(
            directory=directory,
            remote=remote,
            local_environ=local_environ,
            dagster_environ=_dagster_environment(directory, local_environ, remote=remote),
            llm=_describe_language_model(local_environ),
        )
        stage.dagster_home.mkdir()
        (stage.dagster_home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
        yield stage


def _describe_language_model(environ: dict[str, str]) -> str:
    if environ.get("LLM_MODEL") == MODEL:
        return "a rule-based stand-in for an LLM"
    return "your own language model (LLM_API_KEY)"


def _dagster_environment(directory: Path, local_environ: dict[str, str], *, remote: CogneeServer) -> dict[str, str]:
    return {
        **local_environ,
        SERVICE_URL_VARIABLE: remote.url,
        API_KEY_VARIABLE: remote.api_key,
        "DAGSTER_HOME": str(directory / "dagster_home"),
        "COGNEE_DAGSTER_DATASETS": json.dumps(DATASETS),
        "COGNEE_DAGSTER_ARCHIVES": str(directory / "archives"),
    }
