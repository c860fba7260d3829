"""Another tool that pushes into the same remote dataset: a plain upload, in a thread of its own."""

import threading
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import httpx

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS
from tests.cogx_graphs import MemoryReader


def rival_archive(directory: Path, *, nodes: int = 2, documents: int = 0) -> Archive:
    """A graph that has nothing in common with any other."""
    rows = [(str(uuid4()), f"Rival {number}", "Entity", "{}") for number in range(nodes)]
    rows += [(str(uuid4()), "", "DocumentChunk", f'{{"text": "Rival text {number}."}}') for number in range(documents)]
    return write_archive(MemoryReader(rows), directory / f"rival-{uuid4().hex}.cogx.tar.gz")


class Rival:
    """The upload under way. A context manager that waits for its end.

    Attributes:
        run_id: The import's run, once it has ended.
    """

    def __init__(self, url: str, api_key: str, archive: Archive, *, dataset: str = "demo") -> None:
        self.run_id: str | None = None
        self._url = url
        self._key = api_key
        self._archive = archive
        self._dataset = dataset
        self._thread = threading.Thread(target=self._push, daemon=True)

    def __enter__(self) -> "Rival":
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wait()

    def begin(self) -> None:
        """Start the upload."""
        self._thread.start()

    def begin_after(self, remote: FakeRemote, *, uploads: int = 1) -> threading.Thread:
        """Start the upload in the background, when others' have come there and been answered; a thread to be joined."""

        def begin() -> None:
            pause = threading.Event()
            while sum(request.path == UPLOADS for request in remote.requests) < uploads:
                pause.wait(0.01)
            pause.wait(0.5)
            self.begin()
            self.wait()

        thread = threading.Thread(target=begin, daemon=True)
        thread.start()
        return thread

    def wait(self) -> None:
        """Until the server has answered."""
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _push(self) -> None:
        answer = self._upload()
        if answer.status_code == 403:  # the dataset is just being made by somebody else, who has no right to it yet
            answer = self._upload()
        answer.raise_for_status()
        self.run_id = answer.json()["pipeline_run_id"]

    def _upload(self) -> httpx.Response:
        with self._archive.path.open("rb") as file:
            return httpx.post(
                f"{self._url}/api/v1/remember",
                headers={"x-api-key": self._key},
                data={"datasetName": self._dataset, "content_type": "cogx-archive", "import_mode": "preserve"},
                files={"data": ("rival.cogx.tar.gz", file)},
                timeout=60,
            )
