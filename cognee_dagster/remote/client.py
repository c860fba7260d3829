"""The remote Cognee over HTTP: every request this package makes, except the upload itself (``upload.py``)."""

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from cognee_dagster.errors import (
    CogxUnsupportedError,
    RemoteAuthError,
    RemoteError,
    RemotePermissionError,
    RemoteRejectedError,
    UnexpectedAnswerError,
)
from cognee_dagster.remote.answers import json_of, read_answer
from cognee_dagster.remote.compat import imports_faithfully
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.exchange import Exchange
from cognee_dagster.remote.failures import Question, unexpected, unreachable
from cognee_dagster.remote.imports.verdict import IMPORT_PIPELINE, server_time
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.remote.responses import (
    Health,
    PipelineRun,
    RemoteDataset,
    RemoteDocument,
    RemoteGraph,
    RemoteUser,
    parse_dataset,
    parse_datasets,
    parse_documents,
    parse_graph,
    parse_health,
    parse_import_mode_support,
    parse_runs,
    parse_user,
)
from cognee_dagster.remote.retry import RetryPolicy, with_retries
from cognee_dagster.remote.transport import Timeouts, open_http
from cognee_dagster.remote.upload import Upload, UploadRequest

__all__ = ["CogneeClient", "RetryPolicy", "Timeouts", "validate_dataset_name"]

_T = TypeVar("_T")

MAX_RUNS_PER_PAGE = 500  # Cognee 1.6.5, api/v1/activity/routers/get_activity_router.py
MAX_DOCUMENTS_PER_PAGE = 1000  # Cognee 1.6.5, api/v1/datasets/routers/get_datasets_router.py
MAX_ANSWER_BYTES = 16 * 2**20
MAX_ANSWER_VALUES = 500_000  # of JSON; a page of runs has 11,000
MAX_GRAPH_BYTES = 2**31
MAX_DOCUMENTS = 200_000  # of one dataset; see ``CogneeClient.data``

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Bounds:
    """What an answer may take: seconds without progress, seconds in all, bytes, JSON values."""

    read: float | None
    within: float | None
    size: int
    values: int | None = MAX_ANSWER_VALUES


class CogneeClient:
    """One remote Cognee. A context manager; may be used from several threads at once.

    Every method raises the ``RemoteError`` family: ``RemoteUnreachableError`` when there is no usable answer after all
    retries, ``RemoteAuthError`` (401), ``RemotePermissionError`` (403), ``RemoteRejectedError`` (other refusals) and
    ``UnexpectedAnswerError`` when something answers that is no Cognee.

    Args:
        connection: Where, and with which key.
        timeouts: Time limits by phase.
        retry: How often requests that may be repeated are tried again, and how long to wait.
        sleep: Waits between attempts.
        chance: A number from 0 to 1, for the jitter.
        log: Where waits are told; default: this module's logger.

    Raises:
        ConnectionConfigError: The CA bundle or the proxy settings of the environment cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        log: logging.Logger | None = None,
    ) -> None:
        self.connection = connection
        self.timeouts = timeouts or Timeouts()
        self.retry = retry or RetryPolicy()
        self._sleep = sleep
        self._chance = chance
        self._log = log or logger
        self._user: RemoteUser | None = None
        self.clock_offset = timedelta(0)  # the server's clock minus ours, to the second, as of its latest answer
        self._http = open_http(self.connection)

    def __repr__(self) -> str:
        return f"CogneeClient({self.connection.url!r})"

    def __enter__(self) -> "CogneeClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Uploads have their own and go on."""
        self._http.close()

    # Before an upload

    def health(self) -> Health:
        """Whether the server is up, and its version (``GET /health``, no key needed)."""
        return self._ask("GET", "/health", what="asking for its health", parse=parse_health)

    def check_key(self) -> None:
        """Raise ``RemoteAuthError`` unless the server accepts the key."""
        self.datasets()

    def require_cogx(self) -> Health:
        """The server's health, if it imports COGX archives under the ids they have.

        Raises:
            CogxUnsupportedError: It is older than 1.3.0, does not say its version, or has no ``import_mode``.
        """
        health = self.health()
        if not imports_faithfully(health.version):
            raise self._unsupported(health, "COGX archives are imported with their ids kept since Cognee 1.3.0")
        try:
            supported = self._ask(
                "GET", "/openapi.json", what="asking which uploads it takes", parse=parse_import_mode_support
            )
        except (RemoteRejectedError, RemotePermissionError, RemoteAuthError) as refused:
            if refused.status not in (401, 403, 404):
                raise
            self._log.debug("%s does not publish its API description: relying on its version", self.connection.url)
            return health
        if not supported:
            raise self._unsupported(health, "its POST /api/v1/remember has no import_mode")
        return health

    def me(self) -> RemoteUser:
        """Whose key it is. Asked once per client."""
        if self._user is None:
            self._user = self._ask("GET", "/api/v1/users/me", what="asking whose key this is", parse=parse_user)
        return self._user

    # Datasets

    def datasets(self) -> list[RemoteDataset]:
        """All datasets the key's user may read: own and shared ones, so a name may come up more than once."""
        return self._ask("GET", "/api/v1/datasets", what="listing its datasets", parse=parse_datasets)

    def find_dataset(self, name: str) -> RemoteDataset | None:
        """The key's user's own dataset of that name: the one that a push to that name writes to.

        A server without authentication does not say who asks; there, the only dataset of that name is the one.
        """
        found = [dataset for dataset in self.datasets() if dataset.name == name]
        if not found:
            return None
        try:
            user_id = self.me().id
        except (RemoteAuthError, RemoteRejectedError):
            return found[0] if len(found) == 1 else None
        return next((dataset for dataset in found if dataset.owner_id in (user_id, None)), None)

    def ensure_dataset(self, name: str) -> RemoteDataset:
        """The key's user's own dataset of that name, made if it is not there.

        Raises:
            InvalidTargetError: The import would refuse that name, though this request does not.
        """
        validate_dataset_name(name)
        return self._ask(
            "POST",
            "/api/v1/datasets",
            what=f"making sure of dataset {name!r}",
            parse=parse_dataset,
            json={"name": name},
        )

    def delete_dataset(self, dataset_id: UUID | str) -> None:
        """Delete a dataset with all it holds; one that the user cannot see counts as gone already.

        Raises:
            RemotePermissionError: It is there and may not be deleted.
        """
        try:
            self._ask(
                "DELETE",
                f"/api/v1/datasets/{_segment(dataset_id)}",
                what=f"deleting dataset {dataset_id}",
                parse=_anything,
            )
        except (RemotePermissionError, RemoteRejectedError) as refused:
            # Cognee 1.6.5 answers 403 for a dataset that is not there, as after a delete whose answer was lost.
            if refused.status not in (403, 404) or str(dataset_id).lower() in {
                dataset.id for dataset in self.datasets()
            }:
                raise

    def data(self, dataset_id: UUID | str) -> Iterator[RemoteDocument]:
        """The documents of a dataset, page by page.

        Raises:
            UnexpectedAnswerError: There are more than ``MAX_DOCUMENTS``, or listing them takes longer than a whole
                graph may (``Timeouts.graph_answer``).
        """
        seen: set[str] = set()
        began, within = time.monotonic(), self.timeouts.graph_answer
        while len(seen) <= MAX_DOCUMENTS and (within is None or time.monotonic() - began < within):
            page = self._ask(
                "GET",
                f"/api/v1/datasets/{_segment(dataset_id)}/data",
                what=f"listing the documents of dataset {dataset_id}",
                parse=parse_documents,
                params={"limit": MAX_DOCUMENTS_PER_PAGE, "offset": len(seen)},
            )
            new = [document for document in page if document.id not in seen]
            yield from new
            seen.update(document.id for document in new)
            if len(page) < MAX_DOCUMENTS_PER_PAGE or not new:  # nothing new: a server that does not page
                return
        raise unexpected(
            f"lists documents without end ({len(seen):,} after {time.monotonic() - began:.0f} s)",
            self._question(f"listing the documents of dataset {dataset_id}"),
        )

    def delete_data(self, dataset_id: UUID | str, data_id: UUID | str) -> None:
        """Delete one document of a dataset; its graph stays."""
        self._ask(
            "DELETE",
            f"/api/v1/datasets/{_segment(dataset_id)}/data/{_segment(data_id)}",
            what=f"deleting document {data_id} of dataset {dataset_id}",
            parse=_anything,
        )

    def graph(self, dataset_id: UUID | str) -> RemoteGraph:
        """The whole graph of a dataset; a partial one while an import is running."""
        return self._ask(
            "GET",
            f"/api/v1/datasets/{_segment(dataset_id)}/graph",
            what=f"reading the graph of dataset {dataset_id}",
            parse=parse_graph,
            bounds=_Bounds(self.timeouts.graph_read, self.timeouts.graph_answer, MAX_GRAPH_BYTES, values=None),
        )

    # Imports

    def runs(
        self,
        *,
        pipeline_name: str = IMPORT_PIPELINE,
        dataset_id: UUID | str | None = None,
        limit: int = MAX_RUNS_PER_PAGE,
        offset: int = 0,
    ) -> list[PipelineRun]:
        """One page of a pipeline's run rows, newest first. ``len() == limit``: there may be more.

        Servers before 1.5.4 know neither filter nor paging: of their newest 50 rows, those of the pipeline.

        Args:
            pipeline_name: ``migration_import_pipeline``, ``cognify_pipeline``, ``add_pipeline``, …
            dataset_id: Only this dataset's; 403 if it is gone or not readable. None: all that the user may see.
            limit: Rows per page, 1 to 500.
            offset: Rows to skip.
        """
        params = {"pipeline_name": pipeline_name, "limit": limit, "offset": offset}
        if dataset_id is not None:
            params["dataset_id"] = str(dataset_id)
        of_whom = "" if dataset_id is None else f" of dataset {dataset_id}"
        rows = self._ask(
            "GET",
            "/api/v1/activity/pipeline-runs",
            what=f"listing the {pipeline_name} runs{of_whom}",
            parse=parse_runs,
            params=params,
        )
        return [row for row in rows if row.pipeline_name == pipeline_name]

    def upload(
        self,
        archive_path: Path,
        *,
        dataset_name: str,
        mode: str,
        run_in_background: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Upload:
        """Begin to upload an archive, in a thread of its own.

        Args:
            archive_path: A packed COGX archive on this machine.
            dataset_name: The remote dataset.
            mode: ``preserve``, ``hybrid`` or ``re-derive``.
            run_in_background: Ask for the server's own background import.
            progress: Called in the upload's thread with (bytes sent, bytes in all).

        Raises:
            InvalidTargetError: The remote would refuse the dataset's name.
            OSError: The archive cannot be opened.
        """
        validate_dataset_name(dataset_name)
        request = UploadRequest(
            archive_path=archive_path, dataset_name=dataset_name, mode=mode, run_in_background=run_in_background
        )
        return Upload(
            open_http(self.connection),
            request,
            question=self._question(f"importing {archive_path.name} into dataset {dataset_name!r}"),
            timeout=self.timeouts.for_httpx(self.timeouts.import_read),
            answer_within=self.timeouts.answer,
            answer_limit=MAX_ANSWER_BYTES,
            progress=progress,
        )

    def _ask(
        self,
        method: str,
        path: str,
        *,
        what: str,
        parse: Callable[[object], _T],
        params: Mapping[str, Any] | None = None,
        json: object | None = None,
        bounds: _Bounds | None = None,
    ) -> _T:
        """One request that may be repeated, with retries."""
        question = self._question(what)
        allowed = bounds or _Bounds(self.timeouts.read, self.timeouts.answer, MAX_ANSWER_BYTES)
        timeout = self.timeouts.for_httpx(allowed.read)

        def attempt() -> object:
            failure: RemoteError
            with Exchange(seconds=allowed.within, max_bytes=allowed.size) as exchange:
                try:
                    with self._http.stream(method, path, params=params, json=json, timeout=timeout) as response:
                        answer = read_answer(response, question, limit=allowed.size)
                except httpx.HTTPError as error:
                    failure = unreachable(error, question, exchange=exchange)
                else:
                    self._note_clock(answer.headers.get("date"))
                    return json_of(answer, question, max_values=allowed.values)
            raise failure  # outside the handler: httpx's exceptions carry the request, and with it the key

        content = with_retries(
            attempt,
            what=f"{what[0].upper()}{what[1:]} ({self.connection.url})",
            policy=self.retry,
            sleep=self._sleep,
            chance=self._chance,
            log=self._log,
        )
        try:
            return parse(content)
        except ValueError as error:
            problem: UnexpectedAnswerError = unexpected(f"sends {error}", question)
        raise problem

    def _note_clock(self, date: str | None) -> None:
        if (theirs := server_time(date)) is not None:
            self.clock_offset = theirs - datetime.now(timezone.utc)

    def _question(self, what: str) -> Question:
        return Question(
            what=what,
            remote=self.connection.url,
            source=self.connection.source,
            secret=self.connection.api_key.get_secret_value(),
        )

    def _unsupported(self, health: Health, reason: str) -> CogxUnsupportedError:
        version = f"Cognee {health.version}" if health.version else "a Cognee that does not say its version"
        return CogxUnsupportedError(
            f"{self.connection.url} runs {version}, which cannot import COGX archives faithfully: {reason}. "
            "Nothing was uploaded. Upgrade the remote instance, or use cognee.sync()/remember() with raw data."
        )


def _segment(identifier: UUID | str) -> str:
    """An id as one segment of a path, whatever is in it."""
    return quote(str(identifier), safe="")


def _anything(answer: object) -> None:
    """A delete answers ``null``."""
