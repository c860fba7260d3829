"""The settings under which Cognee keeps to one directory and needs neither key nor network."""

import importlib.util
import os
import site
from collections.abc import Mapping
from pathlib import Path

from cognee_dagster.environment import ENV_FILE_VARIABLE, cognee_package
from cognee_dagster.errors import CogneeNotInstalledError

# Whatever else a user has set (DB_PROVIDER, GRAPH_DATABASE_URL, …) would lead Cognee to the user's real stores.
_KEPT = frozenset(
    {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())}
)
_LANGUAGE_MODEL_PREFIX = "LLM_"
STAND_IN_MODEL = "openai/rule-based-stand-in"


def local_environment(
    directory: Path, *, llm_url: str | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of a Cognee that keeps everything below ``directory`` (created if missing).

    Settings as measured with Cognee 1.6.5: no telemetry, no ``.env`` (an empty file in its place), embeddings made up
    locally, tokenizer files from the installed LiteLLM instead of a download.

    Args:
        directory: Where stores, documents, caches, logs and the home directory go.
        llm_url: An OpenAI-compatible endpoint such as ``LLMStandIn.url``. None: the ``LLM_…`` variables of ``environ``
            if they hold a key, otherwise no language model at all.
        environ: The variables to take the search path, proxies and ``LLM_…`` from; default: this process's.

    Raises:
        CogneeNotInstalledError: This interpreter has no Cognee.
    """
    require_cognee()
    source = os.environ if environ is None else environ
    directory = directory.resolve()  # Cognee refuses relative roots
    home = directory / "home"
    home.mkdir(parents=True, exist_ok=True)
    no_env_file = directory / "empty.env"
    no_env_file.touch()
    return {
        **{name: value for name, value in source.items() if name in _KEPT},
        **_language_model_settings(source, llm_url=llm_url),
        "HOME": str(home),
        "PYTHONUSERBASE": site.getuserbase(),  # derived from HOME unless set; packages may be installed there
        "PYTHONUNBUFFERED": "1",
        "SYSTEM_ROOT_DIRECTORY": str(directory / "system"),
        "DATA_ROOT_DIRECTORY": str(directory / "data"),
        "CACHE_ROOT_DIRECTORY": str(directory / "cache"),
        "COGNEE_LOGS_DIR": str(directory / "logs"),
        ENV_FILE_VARIABLE: str(no_env_file),
        "TELEMETRY_DISABLED": "1",
        "MOCK_EMBEDDING": "true",
        "COGNEE_SKIP_CONNECTION_TEST": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TIKTOKEN_CACHE_DIR": str(_package_directory("litellm") / "litellm_core_utils" / "tokenizers"),
    }


def has_language_model(environ: Mapping[str, str]) -> bool:
    """Whether the user configured a language model of their own."""
    return bool(environ.get("LLM_API_KEY", "").strip())


def require_cognee() -> None:
    """Raise ``CogneeNotInstalledError`` unless this interpreter has Cognee."""
    if cognee_package() is None:
        raise CogneeNotInstalledError(
            "The sandbox runs a real Cognee, and this Python environment has none. "
            "Install it with: pip install 'cognee-dagster[cognee]'"
        )


def _language_model_settings(environ: Mapping[str, str], *, llm_url: str | None) -> dict[str, str]:
    if llm_url is not None:
        return {
            "LLM_PROVIDER": "custom",
            "LLM_MODEL": STAND_IN_MODEL,
            "LLM_ENDPOINT": llm_url,
            "LLM_API_KEY": "not-a-secret",
        }
    if has_language_model(environ):
        return {name: value for name, value in environ.items() if name.startswith(_LANGUAGE_MODEL_PREFIX)}
    return {"LLM_API_KEY": "not-a-secret"}  # Cognee does not start without one


def _package_directory(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CogneeNotInstalledError(f"Cognee needs the package {name!r}, which is not installed. Reinstall Cognee.")
    return Path(spec.origin).parent
