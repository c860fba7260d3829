"""The words for imports: the state that one is in, and what a server calls the pipelines of one."""

from enum import Enum

IMPORT_PIPELINE = "migration_import_pipeline"
ADD_PIPELINE = "add_pipeline"
COGNIFY_PIPELINE = "cognify_pipeline"


class ImportState(str, Enum):
    """What has become of an import: the one vocabulary from the server's rows to metadata, results and exit codes."""

    STARTED = "started"
    """The server has taken the archive over and imports the graph; nothing follows it."""
    RUNNING = "running"
    """Under way. As a server's answer: and a cognify run will follow the graph's import."""
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    """Of a push: nothing was to be sent or deleted, as the remote has confirmed all of it before."""
    FAILED = "failed"
    STALLED = "stalled"
    """Begun long ago and without an end: the server most likely died under it."""
    INCOMPLETE = "incomplete"
    """Finished, and the remote graph lacks something of what was sent."""
    SUPERSEDED = "superseded"
    """Failed or stalled, when a newer push into the same dataset had succeeded already."""
    GONE = "gone"
    """The dataset has been deleted, or the key may no longer read it: Cognee answers both alike."""
    UNKNOWN = "unknown"
    """The server shows no such run, or a word that nobody knows here."""

    @classmethod
    def of_status(cls, status: object) -> "ImportState":
        """The state that a status names: that of a server's answer, of a ``PushResult`` or of stored metadata."""
        return next((state for state in cls if state.status == status and state is not cls.GONE), cls.UNKNOWN)

    @property
    def status(self) -> str:
        """How a ``PushResult`` and metadata spell it: ``completed`` as ``cognee.push()`` does; what is gone failed."""
        return {ImportState.SUCCEEDED: "completed", ImportState.GONE: "failed"}.get(self, self.value)

    @property
    def is_final(self) -> bool:
        """Whether asking again is pointless. Not so for STALLED: a slow import may still end."""
        return self in (
            ImportState.SUCCEEDED,
            ImportState.UNCHANGED,
            ImportState.FAILED,
            ImportState.INCOMPLETE,
            ImportState.SUPERSEDED,
            ImportState.GONE,
        )

    @property
    def has_arrived(self) -> bool:
        """Whether the remote has finished what was sent."""
        return self in (ImportState.SUCCEEDED, ImportState.UNCHANGED)

    @property
    def is_under_way(self) -> bool:
        """Whether the server is at work on it."""
        return self in (ImportState.STARTED, ImportState.RUNNING)


def cognify_follows(*, mode: str | None, status: str | None = None, num_texts: int = 0) -> bool:
    """Whether an import in the background is finished only when the cognify run that follows it is, too.

    Args:
        mode: The import mode; a re-derive is nothing but a cognify run.
        status: What the server answered, which is ``running`` where a cognify run follows (Cognee 1.6.5,
            ``modules/migration/import_source.py``); hybrid without raw content has none, and is ``started``. None: it
            has not answered.
        num_texts: How many texts the archive has, to tell what it will answer.
    """
    if status is not None:
        return status == ImportState.RUNNING.status or mode == "re-derive"
    return mode == "re-derive" or (mode == "hybrid" and num_texts > 0)
