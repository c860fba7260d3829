"""The environment that Cognee itself would see: the process's variables, overlaid by the ``.env`` it would load.

Cognee loads one ``.env`` with override, so *the file beats the environment* (Cognee 1.6.5, ``shared/env_file.py``).
Reading the same file the same way, without importing Cognee, keeps this package and Cognee of one mind about where the
local stores and the remote are.
"""

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from cognee_dagster.errors import LocalCogneeError

ENV_FILE_VARIABLE = "COGNEE_ENV_FILE"
API_KEY_VARIABLE = "COGNEE_API_KEY"  # of the remote
_PROJECT_MARKERS = (".git", "pyproject.toml")


def cognee_environment(environ: Mapping[str, str] | None = None, *, directory: Path | None = None) -> dict[str, str]:
    """The variables as Cognee would see them when started in ``directory`` (default: the working directory).

    Args:
        environ: The variables to start from; default: this process's.
        directory: Where the search for a ``.env`` begins.

    Raises:
        LocalCogneeError: ``COGNEE_ENV_FILE`` names something that is not a file; Cognee refuses to start then, too.
    """
    variables = dict(os.environ if environ is None else environ)
    env_file = find_env_file(variables, directory=directory)
    if env_file is not None:
        variables.update({key: value for key, value in dotenv_values(env_file).items() if value is not None})
    return variables


def find_env_file(environ: Mapping[str, str], *, directory: Path | None = None) -> Path | None:
    """The ``.env`` that Cognee would load: ``COGNEE_ENV_FILE``, else the project's, else the one beside the package."""
    explicit = environ.get(ENV_FILE_VARIABLE, "").strip()
    if explicit:
        path = Path(explicit).expanduser()
        if not path.is_file():
            raise LocalCogneeError(
                f"{ENV_FILE_VARIABLE}={explicit} does not name a file. Correct or unset it; "
                "an empty regular file means: no settings from a file."
            )
        return path.resolve()
    package = cognee_package()
    starts = [directory or _working_directory(), package]
    return next((found for start in starts if start is not None and (found := _search_upward(start))), None)


def cognee_package() -> Path | None:
    """The directory of the installed ``cognee`` package, found without importing it; None when not installed."""
    spec = importlib.util.find_spec("cognee")
    return Path(spec.origin).resolve().parent if spec is not None and spec.origin else None


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # deleted under the process
        return None


def _search_upward(start: Path) -> Path | None:
    """``.env`` in ``start`` or a parent, no further up than the directory that holds a project marker."""
    start = start.resolve()
    for directory in (start, *start.parents):
        if (candidate := directory / ".env").is_file():
            return candidate
        if any((directory / marker).exists() for marker in _PROJECT_MARKERS):
            return None
    return None
