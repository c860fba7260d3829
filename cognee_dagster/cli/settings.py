"""Where the settings that are in force come from: the environment, or a line of Cognee's ``.env``."""

from dataclasses import dataclass

from cognee_dagster.environment import VariableSource, cognee_environment
from cognee_dagster.system.urls import MASK, shown_url

PREFIX = "COGNEE_"
ARCHIVES_VARIABLE = "COGNEE_DAGSTER_ARCHIVES"
PYTHON_VARIABLE = "COGNEE_DAGSTER_PYTHON"
# Cognee's own that decide where a local dataset is, and how it is read.
_COGNEES = (
    "SYSTEM_ROOT_DIRECTORY",
    "DATA_ROOT_DIRECTORY",
    "DB_PROVIDER",
    "DB_PATH",
    "DB_NAME",
    "GRAPH_DATABASE_PROVIDER",
    "GRAPH_DATASET_DATABASE_HANDLER",
    "ENABLE_BACKEND_ACCESS_CONTROL",
    "DEFAULT_USER_EMAIL",
    "EMBEDDING_MODEL",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SECRET_WORDS = ("KEY", "TOKEN", "PASSWORD", "SECRET")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. ``file`` and ``line`` are None for what the process's environment says."""

    name: str
    value: str
    file: str | None = None
    line: int | None = None

    @property
    def source(self) -> str:
        """Where it was said, in words."""
        return "the environment" if self.file is None else f"{self.file}, line {self.line}"


def read_settings() -> list[Setting]:
    """Everything that is set and read here, secrets masked.

    Raises:
        LocalCogneeError: Cognee's ``.env`` cannot be used.
    """
    environ = cognee_environment()
    settings = []
    for name, value in sorted(environ.items()):
        if value and (name.startswith(PREFIX) or name.upper() in (*_COGNEES, *_PROXIES)):
            source = environ.source_of(name) or VariableSource()
            file = str(source.file) if source.file else None
            settings.append(Setting(name=name, value=_masked(name, value), file=file, line=source.line))
    return settings


def _masked(name: str, value: str) -> str:
    if any(word in name.upper() for word in _SECRET_WORDS):
        return MASK
    if "://" not in value and name.upper() in _PROXIES:  # their addresses need none
        return shown_url(f"http://{value}").removeprefix("http://")
    return shown_url(value)
