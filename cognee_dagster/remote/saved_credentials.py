"""The credentials that ``cognee-cli serve`` saves (Cognee 1.6.5, ``api/v1/serve/credentials.py``)."""

import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cognee_dagster.environment import API_KEY_VARIABLE
from cognee_dagster.errors import ConnectionConfigError, UnfitFileError
from cognee_dagster.remote.https_settings import SERVICE_URL_VARIABLE
from cognee_dagster.system.bounded_reading import read_regular
from cognee_dagster.system.home import expanded

_MAX_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def read_saved_credentials(path: Path | None) -> tuple[str, SecretStr] | None:
    """The URL and key in the file; None when there is no file, or no URL in it.

    Raises:
        ConnectionConfigError: The file is damaged.
    """
    if path is None or not path.exists():
        return None
    saved = _read_credentials(path)
    url, key = saved.get("service_url") or "", saved.get("api_key") or ""
    if not isinstance(url, str) or not isinstance(key, str):
        raise _damaged_credentials(path, "service_url and api_key must be text")
    if not url:
        return None
    if key and os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("%s holds an API key and is accessible to other users: run `chmod 600 %s`.", path, path)
    return url, SecretStr(key)


def _read_credentials(path: Path) -> dict[str, Any]:
    try:
        saved = json.loads(read_regular(path, most=_MAX_BYTES).decode("utf-8"))
    except UnfitFileError as error:
        problem = f"it {error.problem}"
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except (ValueError, RecursionError):  # the exception's text would carry the file's, and with it the key
        problem = "it is not valid JSON"
    else:
        if isinstance(saved, dict):
            return saved
        problem = "it is not a JSON object"
    raise _damaged_credentials(path, problem)


def _damaged_credentials(path: Path, problem: str) -> ConnectionConfigError:
    return ConnectionConfigError(
        f"The saved credentials in {path} cannot be used: {problem}. Run `cognee-cli serve` to log in again, "
        f"delete the file, or name the remote with url/api_key or {SERVICE_URL_VARIABLE} and {API_KEY_VARIABLE}."
    )


def default_credentials_file() -> Path | None:
    """Where they are saved; None for a user without a home directory."""
    try:
        return expanded("~/.cognee/cloud_credentials.json")
    except RuntimeError:
        return None
