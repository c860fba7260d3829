"""What a push remembers of the imports it has begun, so that the next try of the same push goes on from there.

Two keep such a record: ``PushJournal`` in a file, for ``push()`` and the command line, and ``BegunImports`` in
Dagster's event log, for ``remote_push``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cognee_dagster.pushing.known_by import KnownBy

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.cogx.archive import Archive


@dataclass(frozen=True, kw_only=True)
class BegunImport:
    """An import that an earlier try of this push has begun.

    Attributes:
        run_id: Its ``pipeline_run_id``.
        known_by: How it is known to be ours: the server's answer to the upload said that it is finished (``ANSWER``),
            the remote graph held the archive at its end (``REMOTE_GRAPH``), or by the rules for hanging up (``RUN``).
            None: it was seen, and may be somebody else's.
    """

    run_id: str
    known_by: KnownBy | None = None


class ResumeRecord(Protocol):
    """Keeps the imports of one push: these archives, into that remote dataset, in that mode."""

    def begun(self) -> Mapping[str, BegunImport]:
        """Imports of an earlier try that never came to its end, by the archive's ``content_sha256``."""

    def note(self, archive: "Archive", run: BegunImport) -> None:
        """Remember an import as soon as its run is known, and again when more is known of it, or less."""

    def done(self) -> None:
        """Forget the push: it has come to its end."""


class NoRecord:
    """A push that is made from the start each time."""

    def begun(self) -> Mapping[str, BegunImport]:
        """None."""
        return {}

    def note(self, archive: "Archive", run: BegunImport) -> None:
        """Nothing is kept."""

    def done(self) -> None:
        """Nothing is there to forget."""
