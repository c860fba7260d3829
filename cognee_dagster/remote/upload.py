"""One upload in its own thread, which says when the whole body is out and can be hung up at any moment.

Both are what the *detached foreground* needs: Cognee goes on with a foreground import when the client hangs up after
the body was received (measured on 1.6.5), and drops an upload that was cut in the middle without a trace.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import httpx

from cognee_dagster.errors import ArchiveError, RemoteError, RemoteUnreachableError
from cognee_dagster.remote.answers import content_of, read_answer
from cognee_dagster.remote.exchange_limits import Exchange
from cognee_dagster.remote.failures import Question, unexpected, unreachable
from cognee_dagster.remote.responses import parse_import_answer
from cognee_dagster.remote.session import Bounds
from cognee_dagster.remote.socket_handle import SocketHandle
from cognee_dagster.tracing import trace_headers

REMEMBER_PATH = "/api/v1/remember"
_FILE_NAME = "dataset.cogx.tar.gz"  # the server does not look at it, and a real name may not survive a header
_FILE_TYPE = "application/gzip"
_HANG_UP_WITHIN = 2.0  # seconds to see the thread off
_WAKE_EVERY = 0.5  # seconds; a lock that is waited for without end cannot be interrupted on every platform

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class UploadRequest:
    """What ``POST /api/v1/remember`` is asked to do.

    Attributes:
        archive_path: A packed COGX archive.
        dataset_name: The remote dataset.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        run_in_background: Whether the server should answer before it imports.
    """

    archive_path: Path
    dataset_name: str
    mode: str
    run_in_background: bool = False

    def form(self) -> dict[str, str]:
        """The form's fields, without the file."""
        return {
            "datasetName": self.dataset_name,
            "content_type": "cogx-archive",
            "import_mode": self.mode,
            "run_in_background": "true" if self.run_in_background else "false",
        }


class Upload:
    """An upload under way. Never retried: whether the body was out (``body_sent``) decides what a failure means.

    Use it as a context manager, or end it with ``wait()`` or ``hang_up()``.

    Attributes:
        request: What is uploaded, and where.
        body_sent: Set as soon as the last byte of the request was handed to the network.
        body_sent_at: When that was (UTC); None before.
        total_bytes: Length of the request's body.
    """

    def __init__(
        self,
        http: httpx.Client,
        request: UploadRequest,
        *,
        question: Question,
        timeout: httpx.Timeout,
        chunk_within: float | None,
        bounds: Bounds,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.request = request
        self.body_sent = threading.Event()
        self.body_sent_at: datetime | None = None
        self._http = http
        self._question = question
        self._chunk_within = chunk_within
        self._secured_within = timeout.write
        self._bounds = bounds
        self._progress = progress
        self._sent_bytes = 0
        self._progress_at = time.monotonic()
        self._taken_since: float | None = None
        self._ended_at: float | None = None
        self._is_too_slow = False
        self._answer: dict[str, Any] | None = None
        self._failure: BaseException | None = None
        self._hung_up = False
        self._done = threading.Event()
        self._socket = SocketHandle()
        try:
            self._file: BinaryIO = request.archive_path.open("rb")
        except OSError:
            http.close()
            raise
        self._http_request, self.total_bytes = self._build(timeout)
        self._thread = threading.Thread(target=self._run, name=f"cognee-upload-{request.dataset_name}", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"Upload({self.request.archive_path.name!r} to {self._question.remote!r}, {self.sent_bytes} bytes sent)"

    def __enter__(self) -> "Upload":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hang_up()

    @property
    def sent_bytes(self) -> int:
        """Bytes of the body handed to the network so far."""
        return self._sent_bytes

    @property
    def seconds_at_work(self) -> float:
        """How long the remote took the body in, and was waited for after that; not until it took the first of it."""
        if self._taken_since is None:
            return 0.0
        until = self._ended_at if self.body_sent.is_set() else self._progress_at
        return (time.monotonic() if until is None else until) - self._taken_since

    @property
    def done(self) -> bool:
        """Whether it has ended: answered, failed or hung up."""
        return self._done.is_set()

    @property
    def hung_up(self) -> bool:
        """Whether ``hang_up()`` ended it before there was an answer."""
        return self._hung_up and self._answer is None

    def wait(self, timeout: float | None = None) -> dict[str, Any] | None:
        """The server's answer; None if there is none after ``timeout`` seconds, or we hung up.

        May be called again and again, and interrupted at any time.

        Raises:
            RemoteError: The upload failed; ``body_sent`` on it tells whether the import may be going on.
            ArchiveError: The archive changed meanwhile.
            OSError: The archive could not be read.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._done.is_set():
            left = _WAKE_EVERY if deadline is None else min(_WAKE_EVERY, deadline - time.monotonic())
            if left <= 0:
                return None
            self._done.wait(left)
            self._end_if_too_slow()
        if self._failure is not None and not self._hung_up:
            raise self._failure
        return self._answer

    def hang_up(self) -> bool:
        """Cut the connection now; fine to call at any time, from any thread. An answer that is here already stays.

        Returns:
            Whether the thread is gone. It is not while a connection is still being made: then it ends as soon as that
            succeeds or times out, and sends nothing.
        """
        if not self._done.is_set():
            self._hung_up = True
            self._socket.cut()
        self._thread.join(_HANG_UP_WITHIN)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._answer = self._send()
        except RemoteError as error:
            error.body_sent = self.body_sent.is_set()
            self._failure = error
        except BaseException as error:  # it belongs to the thread that waits
            self._failure = error
        finally:
            self._file.close()
            self._socket.close()
            self._http.close()
            self._ended_at = time.monotonic()
            self._done.set()

    def _send(self) -> dict[str, Any]:
        failure: RemoteError
        # An import takes as long as it does, and its answer begins when it is over. From there on, time is limited.
        is_secure = self._http_request.url.scheme == "https"
        exchange = Exchange(
            seconds=None,
            secured_within=self._secured_within if is_secure else None,
            answer_within=self._bounds.within,
            max_bytes=self._bounds.size,
            on_connect=self._socket.hold,
        )
        try:
            with exchange:
                response = self._http.send(self._http_request, stream=True)
                try:
                    answer = read_answer(response, self._question, limit=self._bounds.size)
                finally:
                    response.close()
        except httpx.HTTPError as error:
            failure = self._too_slow() if self._is_too_slow else unreachable(error, self._question, exchange=exchange)
        else:
            content = content_of(answer, self._question, parse_import_answer, max_values=self._bounds.values)
            if self.body_sent.is_set():
                return content
            failure = unexpected("answers before it was sent the whole archive", self._question, status=answer.status)
        raise failure  # outside the handler: httpx's exceptions carry the request, and with it the key

    def _build(self, timeout: httpx.Timeout) -> tuple[httpx.Request, int]:
        """The request and its length. httpx renders the form; its chunks go through ``_body``."""
        form = httpx.Request(
            "POST", self._http.base_url, data=self.request.form(), files={"data": (_FILE_NAME, self._file, _FILE_TYPE)}
        )
        request = self._http.build_request(
            "POST",
            REMEMBER_PATH,
            content=self._body(form),
            headers={**trace_headers(), **{key: form.headers[key] for key in ("Content-Type", "Content-Length")}},
            timeout=timeout,
        )
        return request, int(form.headers["Content-Length"])

    def _body(self, form: httpx.Request) -> Iterator[bytes]:
        """The form's bytes. The next chunk is asked for only when the one before was handed to the network whole."""
        assert isinstance(form.stream, httpx.SyncByteStream)  # noqa: S101 - a form of a file is one
        total = int(form.headers["Content-Length"])
        for chunk in form.stream:
            if self._sent_bytes + len(chunk) > total:
                raise self._archive_changed()
            yield chunk
            self._sent_bytes += len(chunk)
            self._progress_at = time.monotonic()
            if self._taken_since is None:
                self._taken_since = self._progress_at
            if self._progress is not None:
                self._progress(self._sent_bytes, total)
        if self._sent_bytes < total:
            raise self._archive_changed()
        self.body_sent_at = datetime.now(timezone.utc)
        self.body_sent.set()

    def _end_if_too_slow(self) -> None:
        """Cut the connection when the server takes next to nothing in. Only another thread than the sending one can."""
        within = self._chunk_within
        if within is not None and not self.body_sent.is_set() and time.monotonic() - self._progress_at > within:
            self._is_too_slow = True
            self._socket.cut()

    def _too_slow(self) -> RemoteUnreachableError:
        return RemoteUnreachableError(
            f"{self._question.remote} took in less than 64 KiB within {self._chunk_within or 0:.0f} s when "
            f"{self._question.what}. The server or the network is overloaded; try again later.",
            retryable=True,
        )

    def _archive_changed(self) -> ArchiveError:
        return ArchiveError(
            f"{self.request.archive_path} changed while it was being uploaded to {self._question.remote}; the remote "
            "drops the incomplete upload. Write each archive to its own file and push again."
        )
