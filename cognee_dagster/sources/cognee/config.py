"""Where the local Cognee keeps its stores, resolved from its environment as Cognee itself resolves it.

The rules are those of Cognee 1.6.5: ``base_config.py`` (roots), ``infrastructure/databases/relational/config.py``
(SQLite), ``infrastructure/databases/graph/config.py`` (graph provider), ``context_global_variables.py`` (access
control) and ``infrastructure/databases/vector/embeddings/config.py`` (embedding model).
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cognee_dagster.environment import cognee_environment, cognee_package
from cognee_dagster.errors import CogneeNotInstalledError, LocalCogneeError
from cognee_dagster.system.child_process import without_secrets

PYTHON_VARIABLE = "COGNEE_PYTHON"
SYSTEM_ROOT_VARIABLE = "SYSTEM_ROOT_DIRECTORY"
DATA_ROOT_VARIABLE = "DATA_ROOT_DIRECTORY"
DEFAULT_USER_EMAIL = "default_user@example.com"
DEFAULT_EMBEDDING_MODEL = "openai/text-embedding-3-large"
_FIND_PACKAGE = "import importlib.util as u; s = u.find_spec('cognee'); print(s.origin if s and s.origin else '')"
_FIND_PACKAGE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class LocalCogneeConfig:
    """One local Cognee: its environment, and the interpreter that can run it.

    Attributes:
        environ: The variables as Cognee would see them, its ``.env`` included (``cognee_environment()``).
        python: The interpreter that has Cognee installed; default: ``COGNEE_PYTHON``, else this one.
    """

    environ: Mapping[str, str] = field(default_factory=cognee_environment, repr=False)  # holds keys
    python: str | None = None

    @property
    def interpreter(self) -> str:
        return self.python or self.environ.get(PYTHON_VARIABLE, "").strip() or sys.executable

    @property
    def system_root(self) -> Path:
        """The directory of the stores' metadata and graphs.

        Raises:
            LocalCogneeError: It is relative, which Cognee refuses, or on object storage.
            CogneeNotInstalledError: It is not set, and there is no Cognee that could say its default.
        """
        value = self._setting(SYSTEM_ROOT_VARIABLE)
        if value is None:
            return cognee_package_of(self.interpreter) / ".cognee_system"
        path = Path(value).expanduser()
        if not path.is_absolute():
            unset = "" if value.strip() else ", or unset it: to Cognee an empty variable is set"
            raise LocalCogneeError(
                f"{SYSTEM_ROOT_VARIABLE}={value!r} is not an absolute path, and Cognee refuses it. Set it to an "
                f"absolute one{unset}."
            )
        return path.resolve()

    @property
    def relational_database(self) -> Path:
        """The SQLite file with datasets, users and permissions."""
        directory = self._setting("DB_PATH")
        return (Path(directory) if directory else self.system_root / "databases") / (
            self._setting("DB_NAME") or "cognee_db"
        )

    @property
    def default_user_email(self) -> str:
        return self._setting("DEFAULT_USER_EMAIL") or DEFAULT_USER_EMAIL

    @property
    def embedding_model(self) -> str:
        """The model that Cognee's export names in the manifest: the configured one."""
        model = self._setting("EMBEDDING_MODEL")
        return DEFAULT_EMBEDDING_MODEL if model is None else model

    def obstacle_to_direct_reading(self) -> str | None:
        """Why this configuration's stores are not the default files, as a setting to show; None when they are."""
        if (obstacle := self.obstacle_to_reading_the_catalog()) is not None:
            return obstacle
        access_control = self.environ.get("ENABLE_BACKEND_ACCESS_CONTROL")
        if access_control is not None and access_control.lower() != "true":
            return f"ENABLE_BACKEND_ACCESS_CONTROL={access_control}"  # then one graph holds all datasets
        if (provider := (self._setting("GRAPH_DATABASE_PROVIDER") or "ladybug").lower()) != "ladybug":
            return f"GRAPH_DATABASE_PROVIDER={provider}"
        if (owner := (self._setting("GRAPH_DATASET_DATABASE_HANDLER") or "ladybug").lower()) != "ladybug":
            return f"GRAPH_DATASET_DATABASE_HANDLER={owner}"
        return None

    def obstacle_to_reading_the_catalog(self) -> str | None:
        """Why datasets and users are not in Cognee's default file, as a setting to show; None when they are."""
        if (provider := self._setting("DB_PROVIDER") or "sqlite") != "sqlite":
            return f"DB_PROVIDER={provider}"
        if (self._setting(SYSTEM_ROOT_VARIABLE) or "").startswith("s3://"):
            return f"{SYSTEM_ROOT_VARIABLE} is on object storage"
        return None

    def _setting(self, name: str) -> str | None:
        """A variable as pydantic-settings finds it: whatever the case of its name."""
        if name in self.environ:
            return self.environ[name]
        return next((value for key, value in self.environ.items() if key.upper() == name), None)


@lru_cache(maxsize=8)
def cognee_package_of(interpreter: str) -> Path:
    """The directory of the ``cognee`` package that ``interpreter`` would import, found without importing it.

    Raises:
        CogneeNotInstalledError: That interpreter does not exist, or has no Cognee.
    """
    package = cognee_package() if interpreter == sys.executable else _ask_for_package(interpreter)
    if package is None:
        raise CogneeNotInstalledError(
            f"Cognee is not installed for {interpreter}. Install it (pip install 'cognee-dagster[cognee]'), or set "
            f"{PYTHON_VARIABLE} to an interpreter that has it."
        )
    return package


def _ask_for_package(interpreter: str) -> Path | None:
    environ = {key: value for key, value in without_secrets(os.environ).items() if not key.startswith("PYTHON")}
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own interpreter, a constant program
            [interpreter, "-c", _FIND_PACKAGE],
            capture_output=True, text=True, timeout=_FIND_PACKAGE_SECONDS, check=True, env=environ,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise CogneeNotInstalledError(
            f"{interpreter} cannot be run to look for Cognee ({error}). Correct {PYTHON_VARIABLE}."
        ) from error
    origin = answer.stdout.strip()
    return Path(origin).resolve().parent if origin else None
