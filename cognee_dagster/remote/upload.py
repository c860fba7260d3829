"""One upload in a thread of its own, which tells when the whole body is out and can be hung up at any moment.

Both are what the *detached foreground* needs: Cognee goes on with a foreground import when the client hangs up after
the body was received (measured on 1.6.5), and drops an upload that was cut in the middle without a trace.
"""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import httpcore
import httpx

from cognee_dagster.errors import ArchiveError, RemoteError
from cognee_dagster.remote.answers import content_of, read_answer
from cognee_dagster.remote.exchange import Exchange
from cognee_dagster.remote.failures import Question, unreachable
from cognee_dagster.remote.responses import parse_import_answer
from cognee_dagster.remote.session import Bounds

REMEMBER_PATH = "/api/v1/remember"
_FILE_NAME = "dataset.cogx.tar.gz"  # the server does not look at it, and a real name may not survive a header
_FILE_TYPE = "application/gzip"
_HANG_UP_WITHIN = 2.0  # seconds to see the thread off
_WAKE_EVERY = 0.5  # seconds; a lock that is waited for without end cannot be interrupted on every platform
# A proxy or firewall forgets a connection that is silent while the import runs, and a dead peer says nothing: probe.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 8))

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class UploadRequest:
    """What ``POST /api/v1/remember`` is told.

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
        body_sent_monotonic: When that was, by ``time.monotonic()``; None before.
        total_bytes: Length of the request's body.
    """

    def __init__(
        self,
        http: httpx.Client,
        request: UploadRequest,
        *,
        question: Question,
        timeout: httpx.Timeout,
        bounds: Bounds,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.request = request
        self.body_sent = threading.Event()
        self.body_sent_at: datetime | None = None
        self.body_sent_monotonic: float | None = None
        self._http = http
        self._question = question
        self._bounds = bounds
        self._progress = progress
        self._sent_bytes = 0
        self._answer: dict[str, Any] | None = None
        self._failure: BaseException | None = None
        self._hung_up = False
        self._done = threading.Event()
        self._line = _Line()
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
            self._line.cut()
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
            self._line.close()
            self._http.close()
            self._done.set()

    def _send(self) -> dict[str, Any]:
        failure: RemoteError
        # An import takes as long as it does, and its answer begins when it is over. From there on, time is limited.
        exchange = Exchange(seconds=None, max_bytes=self._bounds.size, on_connect=self._line.hold)
        try:
            with exchange:
                response = self._http.send(self._http_request, stream=True)
                try:
                    exchange.end_within(self._bounds.within)
                    answer = read_answer(response, self._question, limit=self._bounds.size)
                finally:
                    response.close()
        except httpx.HTTPError as error:
            failure = unreachable(error, self._question, exchange=exchange)
        else:
            return content_of(answer, self._question, parse_import_answer, max_values=self._bounds.values)
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
            headers={key: form.headers[key] for key in ("Content-Type", "Content-Length")},
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
            if self._progress is not None:
                self._progress(self._sent_bytes, total)
        if self._sent_bytes < total:
            raise self._archive_changed()
        self.body_sent_at = datetime.now(timezone.utc)
        self.body_sent_monotonic = time.monotonic()
        self.body_sent.set()

    def _archive_changed(self) -> ArchiveError:
        return ArchiveError(
            f"{self.request.archive_path} changed while it was being uploaded to {self._question.remote}; the remote "
            "drops the incomplete upload. Write the archive to a place of its own and push again."
        )


class _Line:
    """The connection as hanging up needs it: a handle of its own on the socket, whatever TLS and proxies make of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Take hold of the socket as soon as it is connected."""
        _keep_alive(connected)
        with self._lock:
            if self._is_cut:
                connected.close()
                raise httpcore.ConnectError("hung up while connecting")
            self._socket = connected.dup()

    def cut(self) -> None:
        """Shut the connection down: a send or receive that another thread waits in returns at once."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):  # the other side was faster
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the handle back."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


def _keep_alive(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name) and not (name == "TCP_KEEPALIVE" and sys.platform == "linux"):
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
