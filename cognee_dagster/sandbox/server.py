"""A real Cognee server on a free loopback port."""

import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.sandbox.embeddings import HOST, EmbeddingsStandIn
from cognee_dagster.sandbox.settings import has_language_model, local_environment, no_language_model
from cognee_dagster.system.bounded_reading import read_regular
from cognee_dagster.system.child_process import ChildProcess, tethered
from cognee_dagster.system.files import make_directory

EMAIL = "sandbox@example.com"
START_SECONDS = 240.0  # 12 to 40 s on an idle machine with 2 cores; importing Cognee is most of it
_POLL_SECONDS = 0.25
_START_ATTEMPTS = 3  # the port was free when chosen, but the server binds it only after its imports
_PORT_TAKEN = "address already in use"
_PORT_FILE = "port"
_KEY_FILE = "api_key"
_MAX_NOTED_BYTES = 64 << 10


class CogneeServer:
    """A Cognee server with its own directories, user and API key; a context manager that stops it.

    Args:
        directory: Everything it stores; start again in the same directory to find the same datasets.
        settings: More environment variables for the server, such as
            ``COGNEE_STALE_RUN_RECOVERY_MIN_AGE_SECONDS`` or ``LLM_API_KEY``. Imports in mode ``preserve`` need no
            language model; where there is none, the other modes fail. Searches work in any case: without an
            ``EMBEDDING_PROVIDER`` they find the words that texts have in common.

    Attributes:
        has_language_model: Whether it can cognify.
        url: Its address, known before it is started and kept over ``restart()``; also by the next server in the same
            directory, where the port is still free.
        api_key: A key of the user ``EMAIL``; known after the first start, valid over restarts, and the one that the
            next server in the same directory has.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.resolve()
        self._port = _port_of(self.directory)
        self.api_key = ""
        self._process: ChildProcess | None = None
        self._embeddings = None if "EMBEDDING_PROVIDER" in (settings or {}) else EmbeddingsStandIn()
        self._environ = {
            **local_environment(self.directory),
            "REQUIRE_AUTHENTICATION": "true",
            "DEFAULT_USER_EMAIL": EMAIL,
            "DEFAULT_USER_PASSWORD": _password(self.directory),
            "FASTAPI_USERS_JWT_SECRET": secrets.token_hex(32),
            **(settings or {}),
        }
        self.has_language_model = has_language_model(self._environ)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Of the running server, which leads a session of its own."""
        if self._process is None:
            raise LocalCogneeError(f"The sandbox's Cognee server at {self.url} does not run.")
        return self._process.pid

    @property
    def log(self) -> Path:
        """The server's output."""
        return self.directory / "server.log"

    def start(self) -> "CogneeServer":
        """Start it and wait until it answers.

        Raises:
            LocalCogneeError: It ended, or did not answer within ``START_SECONDS``; with the end of its log.
        """
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._launch()
            try:
                self._wait_until_ready()
                break
            except LocalCogneeError as error:
                if attempt == _START_ATTEMPTS or self.api_key or _PORT_TAKEN not in str(error):
                    self.stop()
                    raise
                self._port = _free_port()
        (self.directory / _PORT_FILE).write_text(str(self._port), encoding="ascii")
        if not self.api_key:
            self.api_key = self._former_api_key() or self._create_api_key()
            _keep(self.api_key, self.directory / _KEY_FILE)
        return self

    def stop(self) -> None:
        """Let it shut down in order; does nothing if it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._embeddings is not None:
            self._embeddings.stop()

    def kill(self) -> None:
        """SIGKILL, as when a machine dies in the middle of an import."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop it and start it again at the same address with the same key, after ``kill()`` too."""
        self.stop()
        self.start()

    def wait(self) -> None:
        """Wait until it ends by itself."""
        if self._process is not None:
            self._process.wait(None)

    def __enter__(self) -> "CogneeServer":
        try:
            return self.start()
        except BaseException:  # interrupted: what was started must not write into a directory that is being deleted
            self.kill()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> None:
        language_model = {} if self.has_language_model else no_language_model(self.url)
        embeddings = {}
        if self._embeddings is not None:
            self._embeddings.start()
            embeddings = self._embeddings.settings
        self._process = ChildProcess(
            tethered(
                *("uvicorn", "cognee.api.client:app", "--host", HOST, "--port", str(self._port)),
                *("--log-level", "warning"),
            ),
            environ={**self._environ, **language_model, **embeddings},
            log=self.log,
            directory=self.directory,
        )

    def _wait_until_ready(self) -> None:
        process = self._process
        assert process is not None  # noqa: S101  (launched just before)
        deadline = time.monotonic() + START_SECONDS
        problem = f"did not answer within {START_SECONDS:.0f} s"
        with _http_client(self.url) as client:
            while time.monotonic() < deadline:
                if process.returncode is not None:
                    problem = f"ended with exit code {process.returncode}"
                    break
                if _is_ready(client):
                    return
                time.sleep(_POLL_SECONDS)
        tail = process.log_tail()
        self.kill()
        raise LocalCogneeError(
            f"The sandbox's Cognee server at {self.url} {problem}. Its log {self.log} ends with:\n{tail}"
        )

    def _former_api_key(self) -> str:
        """The key of the directory's last server; empty where there is none, or the server does not take it."""
        try:
            key = _noted(self.directory / _KEY_FILE).strip()
        except (OSError, ValueError):
            return ""
        with _http_client(self.url) as client:
            is_taken = key and client.get("/api/v1/datasets", headers={"X-Api-Key": key}).status_code == httpx.codes.OK
        return key if is_taken else ""

    def _create_api_key(self) -> str:
        with _http_client(self.url) as client:
            login = client.post(
                "/api/v1/auth/login",
                data={"username": EMAIL, "password": self._environ["DEFAULT_USER_PASSWORD"]},
            )
            if login.status_code != httpx.codes.OK:
                raise LocalCogneeError(f"Login at the sandbox's Cognee server failed with HTTP {login.status_code}.")
            created = client.post(
                "/api/v1/auth/api-keys",
                json={"name": "sandbox"},
                headers={"Authorization": f"Bearer {login.json()['access_token']}"},
            )
            if created.status_code != httpx.codes.OK:
                raise LocalCogneeError(
                    f"The sandbox's Cognee server made no API key: HTTP {created.status_code}. See {self.log}."
                )
            return str(created.json()["key"])


def _password(directory: Path) -> str:
    """Cognee sets a configured password once, so a directory keeps the one it was first used with."""
    path = directory / "password"
    if not path.exists():
        make_directory(directory)
        _keep(secrets.token_urlsafe(16), path)
    return _noted(path)


def _noted(path: Path) -> str:
    return read_regular(path, most=_MAX_NOTED_BYTES).decode("utf-8")


def _keep(secret: str, path: Path) -> None:
    """Write it so that nobody but its owner reads it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret, encoding="utf-8")


def _http_client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30.0, trust_env=False)  # no proxy on the way to loopback


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _port_of(directory: Path) -> int:
    """The port that the directory's last server had, where it is free: what was pushed knows its remote by the URL."""
    try:
        return _free_port(int(_noted(directory / _PORT_FILE)))
    except (OSError, ValueError, OverflowError):
        return _free_port()


def _free_port(wanted: int = 0) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: the last one's may linger
        probe.bind((HOST, wanted))
        return int(probe.getsockname()[1])
