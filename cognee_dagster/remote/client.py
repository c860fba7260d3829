"""The remote Cognee over HTTP: every request this package makes, except the upload itself (``upload.py``)."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from cognee_dagster.errors import RemoteAuthError, RemotePermissionError, RemoteRejectedError
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.documents import every_document
from cognee_dagster.remote.failures import unexpected
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE
from cognee_dagster.remote.kept_rows import MAX_HELD_BYTES, CountedRows, HeldRows
from cognee_dagster.remote.language_model import lacks_language_model
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.remote.remote_graph import GraphRows, RemoteGraph
from cognee_dagster.remote.responses import (
    Health,
    PipelineRun,
    RemoteDataset,
    RemoteDocument,
    RemoteUser,
    is_asked_for,
    parse_dataset,
    parse_datasets,
    parse_done,
    parse_health,
    parse_runs,
    parse_user,
)
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.rows import Rows
from cognee_dagster.remote.search_types import SearchType
from cognee_dagster.remote.searches import find_in_dataset
from cognee_dagster.remote.server_check import Server, ServerCheck
from cognee_dagster.remote.session import Patience, Session
from cognee_dagster.remote.transport import Timeouts, open_http
from cognee_dagster.remote.upload import Upload, UploadRequest
from cognee_dagster.remote.wording import quoted

_Rows = TypeVar("_Rows", bound=GraphRows)

MAX_RUNS_PER_PAGE = 500  # Cognee 1.6.5, api/v1/activity/routers/get_activity_router.py

logger = logging.getLogger(__name__)


class CogneeClient:
    """One remote Cognee. A context manager; may be used from several threads at once.

    Every method raises the ``RemoteError`` family: ``RemoteUnreachableError`` when there is no usable answer after all
    retries, ``RemoteAuthError`` (401), ``RemotePermissionError`` (403), ``RemoteRejectedError`` (other refusals) and
    ``UnexpectedAnswerError`` when something other than a Cognee answers.

    Args:
        connection: Where, and with which key.
        timeouts: Time limits by phase.
        retry: How often requests that may be repeated are tried again, and how long to wait.
        sleep: Waits between attempts.
        chance: A number from 0 to 1, for the jitter.
        log: Where waits are written; default: this module's logger.
        time_left: The seconds that are left for everything that is asked; None: any time.

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
        time_left: Callable[[], float | None] | None = None,
    ) -> None:
        self.connection = connection
        self.timeouts = timeouts or Timeouts()
        self.retry = retry or RetryPolicy()
        self._log = log or logger
        self._user: RemoteUser | None = None
        patience = Patience(policy=self.retry, sleep=sleep, chance=chance, log=self._log)
        self._session = Session(connection, timeouts=self.timeouts, patience=patience, time_left=time_left)
        self._server = ServerCheck(self._session, log=self._log)
        self._ask = self._session.ask

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
        self._session.http.close()

    @property
    def clock_offset(self) -> timedelta:
        """The server's clock minus ours, to the second, as of its latest answer."""
        return self._session.clock_offset

    def requests_done(self, method: str) -> int:
        """How many requests of a method were answered so far as they were to be, each once, but for uploads."""
        return self._session.requests_done[method]

    def without_retries(self, *, time_left: Callable[[], float | None] | None = None) -> "CogneeClient":
        """The same remote for who asks again by himself: every request is sent once. It has its own connections."""
        once = RetryPolicy(attempts=1)
        return CogneeClient(self.connection, timeouts=self.timeouts, retry=once, log=self._log, time_left=time_left)

    # Before an upload

    def health(self) -> Health:
        """Whether the server is up, and its version (``GET /health``, no key needed)."""
        return self._ask("GET", "/health", what="asking for its health", parse=parse_health)

    def lacks_language_model(self) -> bool:
        """Whether it is known to have none, so that hybrid and re-derive fail; False where that is not known."""
        return lacks_language_model(self._session)

    def require_cogx(self, *, must_know: bool = True) -> Server:
        """What the server is, if it imports COGX archives under the ids they have. Asked once per client.

        Args:
            must_know: Whether a server that cannot be asked is refused. A push in the foreground does without: its
                answer says whether the archive was imported.

        Raises:
            CogxUnsupportedError: It is older than 1.3.0, does not say its version, or has no ``import_mode``.
        """
        return self._server.require(must_know=must_know)

    def me(self) -> RemoteUser:
        """Whose key it is. Asked once per client."""
        if self._user is None:
            self._user = self._ask("GET", "/api/v1/users/me", what="asking whose key this is", parse=parse_user)
        return self._user

    def user(self) -> RemoteUser | None:
        """As ``me``; None where the server, one without authentication, does not say who asks."""
        try:
            return self.me()
        except (RemoteAuthError, RemoteRejectedError) as refused:
            if refused.retryable:  # it failed, and that says nothing of who asks
                raise
            return None

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
        if (user := self.user()) is None:
            return found[0] if len(found) == 1 else None
        return next((dataset for dataset in found if dataset.owner_id in (user.id, None)), None)

    def ensure_dataset(self, name: str) -> RemoteDataset:
        """The key's user's own dataset of that name, made if it is not there.

        Raises:
            InvalidTargetError: The import would refuse that name, though this request does not.
            UnexpectedAnswerError: It answers with a dataset of another name.
        """
        validate_dataset_name(name)
        what, wanted = f"making sure of dataset {name!r}", {"name": name}
        made = self._ask("POST", "/api/v1/datasets", what=what, parse=parse_dataset, json=wanted, may_repeat=True)
        if made.name != name:
            raise unexpected(f"names dataset {quoted(made.name)}", self._session.question(what))
        return made

    def delete_dataset(self, dataset_id: UUID | str) -> None:
        """Delete a dataset with all it holds; one that the user cannot see counts as gone already.

        Raises:
            RemotePermissionError: It is there and may not be deleted.
        """
        try:
            self._delete(f"/api/v1/datasets/{_segment(dataset_id)}", what=f"deleting dataset {dataset_id}")
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
        return every_document(self._session, dataset_id, within=self.timeouts.graph_answer)

    def delete_data(self, dataset_id: UUID | str, data_id: UUID | str) -> None:
        """Delete what a dataset has under a data id: a document, or all that an import brought and no other did.

        An id that the dataset does not have is no error (Cognee 1.6.5).
        """
        self._delete(
            f"/api/v1/datasets/{_segment(dataset_id)}/data/{_segment(data_id)}",
            what=f"deleting document or import {data_id} of dataset {dataset_id}",
        )

    def _delete(self, path: str, *, what: str) -> None:
        self._ask("DELETE", path, what=what, parse=parse_done, may_repeat=True)

    def empty_dataset(self, dataset_id: UUID | str) -> None:
        """Delete a dataset's whole graph and its vectors, whoever brought them; documents and permissions stay.

        Raises:
            RemotePermissionError: The key may not delete there.
            RemoteRejectedError: The server cannot do that.
        """
        self._ask(
            "POST",
            "/api/v1/forget",  # it waits for imports that are under way (Cognee 1.6.5)
            what=f"emptying the graph of dataset {dataset_id}",
            parse=parse_done,
            json={"datasetId": str(dataset_id), "memoryOnly": True},
            may_repeat=True,
            bounds=self._session.long_work,
        )

    def graph(self, dataset_id: UUID | str, *, max_bytes: int = MAX_HELD_BYTES) -> RemoteGraph:
        """The whole graph of a dataset, in that much memory at most; a partial one while an import is running."""
        answer = self.read_graph(dataset_id, lambda: HeldRows(max_bytes=max_bytes))
        return answer.rows.graph(skipped=answer.skipped, problem=answer.problem)

    def graph_size(self, dataset_id: UUID | str) -> tuple[int, int]:
        """How many nodes and edges ``graph`` has; there may be any number of them."""
        rows = self.read_graph(dataset_id, CountedRows).rows
        return rows.num_nodes, rows.num_edges

    def read_graph(self, dataset_id: UUID | str, begin: Callable[[], _Rows]) -> GraphAnswer[_Rows]:
        """``graph``, row by row as it comes, into what ``begin`` makes: anew where the graph is asked for again."""
        path = f"/api/v1/datasets/{_segment(dataset_id)}/graph"
        return self._session.ask_for_graph(path, what=f"reading the graph of dataset {dataset_id}", begin=begin)

    def search(
        self, dataset_id: UUID | str, question: str, *, search_type: SearchType = "GRAPH_COMPLETION", top_k: int = 15
    ) -> str:
        """What a question finds in a dataset, without any language model; empty for nothing. See ``find_in_dataset``.

        The server keeps the question in its user's history of searches (Cognee 1.6.5).
        """
        return find_in_dataset(self._session, dataset_id, question=question, search_type=search_type, top_k=top_k)

    # Imports

    def runs(
        self,
        *,
        pipeline_name: str | None = IMPORT_PIPELINE,
        dataset_id: UUID | str | None = None,
        limit: int = MAX_RUNS_PER_PAGE,
        offset: int = 0,
    ) -> Rows[PipelineRun]:
        """One page of a pipeline's run rows, newest first. ``sent == limit``: there may be more.

        Servers before 1.5.4 know neither filter nor paging: of their newest 50 rows, those that were asked for.

        Args:
            pipeline_name: ``migration_import_pipeline``, ``cognify_pipeline``, …; None: all, and operations (1.5.4).
            dataset_id: Only this dataset's; 403 if it is gone or not readable. None: all that the user may see.
            limit: Rows per page, 1 to 500.
            offset: Rows to skip.
        """
        asked = {"pipeline_name": pipeline_name, "dataset_id": None if dataset_id is None else str(dataset_id)}
        params = {name: value for name, value in asked.items() if value is not None}
        of_whom = "" if dataset_id is None else f" of dataset {dataset_id}"
        what = "imports" if pipeline_name == IMPORT_PIPELINE else f"{pipeline_name or 'pipeline'} runs"
        page = self._ask(
            "GET",
            "/api/v1/activity/pipeline-runs",
            what=f"listing the {what}{of_whom}",
            parse=parse_runs,
            params={**params, "limit": limit, "offset": offset},
        )
        return page.chosen(lambda row: is_asked_for(row, **asked), most=limit)

    def upload(
        self,
        archive_path: Path,
        *,
        dataset_name: str,
        mode: str,
        run_in_background: bool = False,
        progress: Callable[[int, int], None] | None = None,
        down_within: float | None = None,
    ) -> Upload:
        """Begin to upload an archive, in its own thread.

        Args:
            archive_path: A packed COGX archive on this machine.
            dataset_name: The remote dataset.
            mode: ``preserve``, ``hybrid`` or ``re-derive``.
            run_in_background: Ask for the server's own background import.
            progress: Called in the upload's thread with (bytes sent, bytes in all).
            down_within: Seconds until a connection stands, and without any progress in sending, at most; None: as ever.

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
            question=self._session.question(f"importing {archive_path.name} into dataset {dataset_name!r}"),
            timeout=self.timeouts.no_longer_than(down_within).for_httpx(self.timeouts.import_read),
            chunk_within=self.timeouts.chunk,
            bounds=self._session.ordinary,
            progress=progress,
        )


def _segment(identifier: UUID | str) -> str:
    """An id as one segment of a path, whatever is in it."""
    return quote(str(identifier), safe="")
