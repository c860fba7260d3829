"""The settings under which Cognee keeps to one directory and needs neither key nor network."""

import importlib.util
import os
import site
from collections.abc import Mapping
from pathlib import Path

from cognee_dagster.environment import ENV_FILE_VARIABLE, NO_LANGUAGE_MODEL, cognee_package
from cognee_dagster.errors import CogneeNotInstalledError
from cognee_dagster.system.files import make_directory

# Whatever else a user has set (DB_PROVIDER, GRAPH_DATABASE_URL, …) would lead Cognee to the user's real stores.
_KEPT = frozenset(
    {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())}
)
_LANGUAGE_MODEL_PREFIX = "LLM_"
_NO_KEY = "not-a-secret"  # Cognee does not start without one

# 4 TiB of address space, not of disk or memory. Ladybug takes 8 MiB of it for each checkpoint, gives none back until
# the file is opened again, and spoils the file when it is used up; Cognee makes a checkpoint after most writes, and its
# own 32 GiB were used up after 4,000 of them (measured with Ladybug 0.19.0 and Cognee 1.6.5).
_GRAPH_ADDRESS_SPACE = 1 << 42


def local_environment(directory: Path, *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a Cognee that keeps everything below ``directory`` (created if missing).

    Settings as measured with Cognee 1.6.5: no telemetry, no ``.env`` (an empty file in its place), embeddings made up
    locally, tokenizer files from the installed LiteLLM instead of a download.

    Args:
        directory: Where stores, documents, caches, logs and the home directory go.
        environ: The variables to take the search path, proxies and, if there is an ``LLM_API_KEY`` among them, the
            ``LLM_…`` from; default: this process's. Without that key there is no language model at all.

    Raises:
        CogneeNotInstalledError: This interpreter has no Cognee.
    """
    require_cognee()
    source = os.environ if environ is None else environ
    directory = directory.resolve()  # Cognee refuses relative roots
    home = directory / "home"
    make_directory(home)
    no_env_file = directory / "empty.env"
    no_env_file.touch()
    return {
        **{name: value for name, value in source.items() if name in _KEPT},
        **_language_model_settings(source),
        "HOME": str(home),
        "PYTHONUSERBASE": site.getuserbase(),  # derived from HOME unless set; packages may be installed there
        "PYTHONUNBUFFERED": "1",
        "SYSTEM_ROOT_DIRECTORY": str(directory / "system"),
        "DATA_ROOT_DIRECTORY": str(directory / "data"),
        "CACHE_ROOT_DIRECTORY": str(directory / "cache"),
        "COGNEE_LOGS_DIR": str(directory / "logs"),
        ENV_FILE_VARIABLE: str(no_env_file),
        "KUZU_MAX_DB_SIZE": str(_GRAPH_ADDRESS_SPACE),
        "TELEMETRY_DISABLED": "1",
        "MOCK_EMBEDDING": "true",
        "COGNEE_SKIP_CONNECTION_TEST": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TIKTOKEN_CACHE_DIR": str(_package_directory("litellm") / "litellm_core_utils" / "tokenizers"),
    }


def has_language_model(environ: Mapping[str, str]) -> bool:
    """Whether a language model is configured."""
    return environ.get("LLM_API_KEY", "").strip() not in ("", _NO_KEY)


def no_language_model(server_url: str) -> dict[str, str]:
    """Settings under which each call of a language model fails at once, where there is none.

    Cognee repeats a call for four minutes and more unless the answer is 401 or 404 (1.6.5, ``retry_config.py``); the
    server itself gives the second one. A cognify run still takes until its error reports are written: some fifteen
    seconds a document, all of it for the coloured tracebacks in the server's log.
    """
    return {
        "LLM_PROVIDER": "custom",
        "LLM_MODEL": "openai/none",
        "LLM_ENDPOINT": f"{server_url}/{NO_LANGUAGE_MODEL}",
        "LLM_API_KEY": _NO_KEY,
    }


def require_cognee() -> None:
    """Raise ``CogneeNotInstalledError`` unless this interpreter has Cognee."""
    if cognee_package() is None:
        raise CogneeNotInstalledError(
            "The sandbox runs a real Cognee, and this Python environment has none. "
            "Install it with: pip install 'cognee-dagster[cognee]'"
        )


def _language_model_settings(environ: Mapping[str, str]) -> dict[str, str]:
    if has_language_model(environ):
        return {name: value for name, value in environ.items() if name.startswith(_LANGUAGE_MODEL_PREFIX)}
    return {"LLM_API_KEY": _NO_KEY}


def _package_directory(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CogneeNotInstalledError(f"Cognee needs the package {name!r}, which is not installed. Reinstall Cognee.")
    return Path(spec.origin).parent
