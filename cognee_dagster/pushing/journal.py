"""What a push of several archives has come to, in a file, so that the next try of the same push goes on from there."""

import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.system.bounded_reading import read_regular
from cognee_dagster.system.files import clear_left, clear_older, make_directory, write_whole
from cognee_dagster.system.home import expanded

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.cogx.archive import Archive

DEFAULT_DIRECTORY = "~/.cognee-dagster/pushes"
_NAMES = re.compile(r"[0-9a-f]{32}\.json")
_MAX_BYTES = 16 << 20  # the imports of 80,000 archives
_KEPT_SECONDS = 7 * 86_400.0  # an import that ended before is not relied on any more, but for what the graph shows

logger = logging.getLogger(__name__)


class PushJournal:
    """The ``ResumeRecord`` in a file.

    The same graph gives the same archives, hence the hashes of what is in them tell whether it is the same push. A push
    of one archive leaves nothing behind. One that has failed, and that nobody has run again for a week, is forgotten at
    the next. Where the directory cannot be written, a push begins at the first archive.

    Args:
        path: Its file; None: none is needed.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._runs: dict[str, BegunImport] = {}

    @classmethod
    def of(
        cls,
        archives: "Sequence[Archive]",
        *,
        remote_url: str,
        target_dataset: str,
        mode: str,
        directory: Path | None = None,
    ) -> "PushJournal":
        """The journal of pushing these archives there; ``directory`` is for tests."""
        if len(archives) == 1:
            return cls(None)
        what = [remote_url, target_dataset, mode, *(archive.content_sha256 for archive in archives)]
        name = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
        return cls((directory or expanded(DEFAULT_DIRECTORY)) / f"{name}.json")

    def begun(self) -> Mapping[str, BegunImport]:
        """Imports of an earlier try by the archive's ``content_sha256``; empty if there was none."""
        try:
            if self._path is not None:
                found = json.loads(read_regular(self._path, most=_MAX_BYTES))
                self._runs = {str(content): _run_of(kept) for content, kept in found.items()}
        except (OSError, ValueError, AttributeError, RecursionError):
            self._runs = {}
        return dict(self._runs)

    def note(self, archive: "Archive", run: BegunImport) -> None:
        """Remember that the remote imports an archive."""
        self._runs[archive.content_sha256] = run
        if self._path is None:
            return
        try:
            make_directory(self._path.parent)
            kept = {content: {"run": run.run_id, "known_by": run.known_by} for content, run in self._runs.items()}
            write_whole(self._path, json.dumps(kept).encode())
            clear_older(self._path.parent, _NAMES, seconds=_KEPT_SECONDS)
            clear_left(self._path.parent)
        except OSError as error:
            logger.warning("If this push fails, the next one will begin at its first archive: %s", error)

    def done(self) -> None:
        """Forget the push: it has come to its end."""
        if self._path is not None:
            with contextlib.suppress(OSError):  # what cannot be removed could not be written
                self._path.unlink(missing_ok=True)


def _run_of(kept: object) -> BegunImport:
    """An import as it was kept; releases up to 0.1 kept nothing but its run's id."""
    if isinstance(kept, dict):
        known_by = next((known_by for known_by in KnownBy if known_by == kept.get("known_by")), None)
        return BegunImport(run_id=str(kept.get("run")), known_by=known_by)
    return BegunImport(run_id=str(kept))
