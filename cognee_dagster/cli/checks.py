"""What ``cognee-dagster doctor`` checks. Each check says in a line what it found, or raises what a push would raise."""

import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cognee_dagster import remote, sources, store
from cognee_dagster.cli.options import remote_connection
from cognee_dagster.cli.settings import ARCHIVES_VARIABLE, PYTHON_VARIABLE
from cognee_dagster.cli.stored import store_location
from cognee_dagster.environment import cognee_environment
from cognee_dagster.errors import DatasetNotFoundError, EmptyGraphError, LocalCogneeError, RemoteAuthError, RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.graph.empty import empty_graph
from cognee_dagster.pushing.options import DEFAULT_DATASET
from cognee_dagster.remote.compat import release_in_words
from cognee_dagster.system.urls import MASK

if TYPE_CHECKING:
    from upath import UPath

    from cognee_dagster.remote.client import CogneeClient

_PROBE_BYTES = 64 << 10  # a small archive

OF_THE_REMOTE = ("remote", "server", "key")
"""Checks of which the later ones ask whom the earlier ones could not reach."""


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The checks of one call. A context manager, for the connection to the remote.

    Attributes:
        url: The remote's address, if given.
        api_key: The remote's key, if given.
        dataset: The local dataset, by name or else UUID; None: the default one, which need not be there.
        user: Who reads it.
    """

    url: str | None
    api_key: str | None
    dataset: str | None
    user: str | None

    def __enter__(self) -> "Checks":
        return self

    def __exit__(self, *_: object) -> None:
        if "client" in vars(self):
            self.client.close()

    @cached_property
    def client(self) -> "CogneeClient":
        """A client that soon says what is wrong."""
        return remote.CogneeClient(remote_connection(self.url, self.api_key), retry=remote.RetryPolicy(attempts=2))

    def all(self) -> dict[str, Callable[[], str]]:
        """The checks by name, in the order of what they need."""
        return {
            "settings": self.settings,
            "remote": self.remote,
            "server": self.server,
            "key": self.key,
            "local dataset": self.local_dataset,
            "archive store": self.archive_store,
        }

    def settings(self) -> str:
        """Whether the settings can be read, and from which file."""
        file = cognee_environment().env_file
        return f"the environment, and before it {file}" if file else "the environment; there is no .env"

    def remote(self) -> str:
        """Where the remote is, and with which key."""
        connection = self.client.connection
        because = connection.no_key_because
        key = (
            f"key {MASK} (from {connection.key_from})" if connection.has_key else f"no key{because and f': {because}'}"
        )
        return f"{connection.url} (from {connection.url_from}), {key}"

    def server(self) -> str:
        """Whether the server answers, which Cognee it is, and that it takes COGX archives."""
        return f"Cognee {release_in_words(self.client.require_cogx().version)}, takes COGX archives"

    def key(self) -> str:
        """Whether the server accepts the key, and whose it is; or that it wants none.

        Raises:
            RemoteAuthError: It is not accepted; the message says where it came from, and whether none is needed.
        """
        try:
            found = self.client.datasets()
        except RemoteAuthError as refused:
            if self.client.connection.has_key and self._is_open():
                raise RemoteAuthError(
                    "No key is needed, since this Cognee has no accounts, and it does not accept the one that is sent, "
                    f"from {self.client.connection.key_from}. Leave it out there.",
                    status=refused.status,
                ) from refused
            raise
        user, datasets = self.client.user(), counted(len(found), "dataset")
        if user is None:
            return f"none is needed: this Cognee has no accounts, and whoever asks may read {datasets}"
        return f"accepted, of user {user.email or user.id}, who may read {datasets}"

    def _is_open(self) -> bool:
        """Whether the server answers without a key."""
        keyless = replace(self.client.connection, api_key=SecretStr(""))
        try:
            with remote.CogneeClient(keyless, retry=remote.RetryPolicy(attempts=1)) as client:
                client.datasets()
        except RemoteError:
            return False
        return True

    def local_dataset(self) -> str:
        """Whether the local dataset is there, the user may read it, and its graph can be opened."""
        if self.dataset is not None:
            return self._opened(self.dataset)
        try:
            return self._opened(DEFAULT_DATASET)
        except DatasetNotFoundError as error:
            return f"the local store can be read; name a DATASET to have it checked ({error})"

    def _opened(self, text: str) -> str:
        config = sources.LocalCogneeConfig(python=cognee_environment().get(PYTHON_VARIABLE) or None)
        dataset = sources.parse_dataset(text, user=self.user, config=config)
        with sources.open_dataset(dataset, user=self.user, config=config) as reader:
            origin = reader.origin
            if not any(batch.num_rows for batch in reader.nodes()):
                raise EmptyGraphError(empty_graph(origin.dataset_name, is_of_cognee=True))
        through = (
            "its graph can be read directly" if origin.read_through == "files" else "Cognee itself reads its graph"
        )
        return f"{origin.dataset_name} ({origin.dataset_id}) may be read; {through}"

    def archive_store(self) -> str:
        """Whether archives can be written where the assets keep them."""
        base = store.ArchiveStore.at(store_location(None)).base
        return _writable_directory(Path(base.path)) if store.is_local(base) else _writable_store(base)


def _writable_directory(directory: Path) -> str:
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise LocalCogneeError(
            f"Archives cannot be kept in {directory}: {existing} is not a directory that may be written to. "
            f"Set {ARCHIVES_VARIABLE} to one."
        )
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:  # a full disk says so only when it is written to
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise LocalCogneeError(
            f"Archives cannot be kept in {directory}: {error.strerror} in {existing}. Make room there, or set "
            f"{ARCHIVES_VARIABLE} to another directory."
        ) from error
    return f"{directory} may be written to" + ("" if existing == directory else ", once it is made")


def _writable_store(location: "UPath") -> str:
    probe = location / f".cognee-dagster-doctor-{secrets.token_hex(8)}"
    try:
        probe.write_bytes(bytes(_PROBE_BYTES))
        probe.unlink()
    except Exception as error:
        raise LocalCogneeError(
            f"Archives cannot be kept in {location}: {type(error).__name__}: {error}. Check {ARCHIVES_VARIABLE}, the "
            "package for that file system (such as s3fs) and its credentials."
        ) from error
    return f"{location} may be written to"
