"""Where the settings that are in force come from: the environment, or a line of Cognee's ``.env``."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from cognee_dagster.environment import cognee_environment, find_env_file

PREFIX = "COGNEE_"
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
    source: str
    file: str | None = None
    line: int | None = None

    @property
    def origin(self) -> str:
        """Where it was said, in words."""
        return self.source if self.file is None else f"{self.file}, line {self.line}"


def read_settings(environ: Mapping[str, str] | None = None) -> list[Setting]:
    """Everything that is set and read here, secrets masked.

    Raises:
        LocalCogneeError: ``COGNEE_ENV_FILE`` names something that is not a file, or one that cannot be read.
        OSError: The file cannot be read.
    """
    own = dict(os.environ if environ is None else environ)
    file = find_env_file(own)
    lines = _lines(file) if file else {}
    settings = []
    for name, value in sorted(cognee_environment(own).items()):
        if not value or not (name.startswith(PREFIX) or name.upper() in (*_COGNEES, *_PROXIES)):
            continue
        shown = _masked(name, value)
        if file is not None and name in lines:
            settings.append(Setting(name=name, value=shown, source="file", file=str(file), line=lines[name]))
        else:
            settings.append(Setting(name=name, value=shown, source="environment"))
    return settings


def masked_key(key: str) -> str:
    """A key as it may be shown: so much that two keys can be told apart, and no more."""
    return f"***{key[-4:]}" if len(key) >= 16 else "***"


def _masked(name: str, value: str) -> str:
    if any(word in name.upper() for word in _SECRET_WORDS):
        return masked_key(value)
    scheme, at, rest = value.rpartition("@")
    return f"***@{rest}" if at and "://" in scheme else value


def _lines(file: Path) -> dict[str, int]:
    with file.open(encoding="utf-8", errors="replace") as stream:
        bindings = list(parse_stream(stream))
    # A binding begins with the blank lines before it.
    return {
        binding.key: binding.original.line + _leading_lines(binding.original.string)
        for binding in bindings
        if binding.key is not None and binding.value is not None
    }


def _leading_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")
