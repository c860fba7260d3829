"""Fills a local Cognee, through Cognee itself in a child process."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.system.child_process import ChildProcess, tethered

DEMO_DATASET = "demo"
_CHILD_SECONDS = 300.0
_COGNIFY = Path(__file__).with_name("cognify_child.py")


def load_demo_graph(environ: Mapping[str, str], *, dataset: str = DEMO_DATASET) -> None:
    """Restore the graph that Cognee bundles (1.6.5: 47 nodes, 86 edges) into a dataset, as ``cognee-cli demo`` does.

    Args:
        environ: From ``local_environment``.
        dataset: The dataset to create.

    Raises:
        LocalCogneeError: Cognee failed; with the end of what it said.
    """
    _run("cognee.cli._cognee", "demo", "--dataset-name", dataset, environ=environ)


def cognify(environ: Mapping[str, str], *, dataset: str, documents: Sequence[Path]) -> None:
    """Add documents and cognify them without any of this package's engine, as a Cognee user's own script does.

    Args:
        environ: From ``local_environment``, with a language model.
        dataset: The dataset to create or extend.
        documents: Files.

    Raises:
        LocalCogneeError: Cognee failed; with the end of what it said.
    """
    _run(_COGNIFY, dataset, *(str(path.resolve()) for path in documents), environ=environ)


def _run(program: str | Path, *arguments: str, environ: Mapping[str, str]) -> None:
    home = Path(environ["HOME"])
    with ChildProcess(tethered(program, *arguments), environ=environ, log=home / "cognee.log", directory=home) as child:
        returncode = child.wait(_CHILD_SECONDS)
    if returncode != 0:
        ending = "was still running" if returncode is None else f"ended with exit code {returncode}"
        raise LocalCogneeError(
            f"Cognee ({' '.join([Path(program).name, *arguments])}) {ending}. Its output ends with:\n{child.log_tail()}"
        )
