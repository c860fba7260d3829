"""Snapshots: what reading a dataset's graph in a known state gave, so that one reading serves all steps that need it.

The step that reads writes the archives in the same pass, puts them into the archive store, and notes beside them which
state of the graph's store they were made of. A step that finds the store still in that state takes what is noted and
does not read. Nothing else decides: neither runs nor times, so that steps may be launched alone, in any process and on
any machine that reaches both stores. A graph whose state cannot be told without reading (NetworkX graphs in memory,
stores that only Cognee itself can read) is read by each step.
"""

import dataclasses
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cognee_dagster import cogx, graph
from cognee_dagster._version import __version__
from cognee_dagster.cogx.format import ARCHIVE_SUFFIX, Limits
from cognee_dagster.errors import ArchiveLimitError
from cognee_dagster.graph.portrait import GraphPortrait
from cognee_dagster.graph.source import FileState, FoundGraph
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:  # Arrow comes with them
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.graph.reader import GraphOrigin, GraphSummary  # Arrow comes with them

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a graph was found to be.

    Attributes:
        origin: Where it comes from.
        summary: What is in it.
        archives: It, as archives; none where only the summary was asked for and no other step could use them.
        portrait: What is shown of it; None where nobody asked for that.
        stored: The same archives where they are in the archive store already.
        read: Whether the graph was read just now; False for what is noted of an earlier reading.
    """

    origin: "GraphOrigin"
    summary: "GraphSummary"
    archives: "tuple[Archive, ...]" = ()
    portrait: GraphPortrait | None = None
    stored: StoredArchive | None = None
    read: bool = True


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """The snapshots of one dataset's graph.

    Attributes:
        store: Where archives are kept; None where that is out of reach, so that every step reads.
        place: Whose archives they are in the store, such as an asset key's segments.
        partition: The partition of ``place``, if it has some.
        name: What an archive's file is called, without its suffix.
        limits: What one archive may hold.
        version: What else decides on the archives, such as the dataset's settings.
    """

    store: ArchiveStore | None
    place: Sequence[str]
    name: str
    limits: Limits
    version: str
    partition: str | None = None

    def summarize(self, found: FoundGraph, *, directory: Path) -> Snapshot:
        """What is in the graph; its archives are written in the same pass where another step may want them.

        Raises:
            CogneeDagsterError: As opening and reading the graph do.
        """
        if self.store is not None and found.state() is not None:
            try:
                return self.write(found, directory=directory)
            except ArchiveLimitError as error:  # which is for the step to say that cannot do without archives
                logger.warning("%s", error)
        origin, whole = self._as_one_archive(found, directory=directory)
        return Snapshot(origin=origin, summary=_summary_of(whole), portrait=_portrait_of(whole))

    def write(self, found: FoundGraph, *, directory: Path) -> Snapshot:
        """The graph as archives: those noted for the state that its store is in, else new ones.

        Args:
            found: The graph.
            directory: Where archives are written that are not in the archive store.

        Raises:
            ArchiveLimitError: One node, or one edge with its ends, is beyond the limits.
            CogneeDagsterError: As opening and reading the graph do.
        """
        state = found.state()
        if self.store is None or state is None:
            return self._read(found, directory=directory)
        key = self._key(found, state)
        if (noted := self._noted(key, store=self.store)) is not None:
            logger.info("The graph's store has not changed since it was read: what was made of it then is used.")
            return noted
        snapshot = self._read(found, directory=directory, is_shown=True)
        # Settled by now: a large graph that was built a moment ago takes longer to read than its file to settle.
        if state.is_settled and found.state() == state:
            return self._note(snapshot, key=key, store=self.store)
        return snapshot

    def _read(self, found: FoundGraph, *, directory: Path, is_shown: bool = False) -> Snapshot:
        origin, whole = self._as_one_archive(found, directory=directory)
        portrait = _portrait_of(whole) if is_shown else None
        archives = cogx.cut(whole, limits=self.limits)
        summary = _summary_of(archives[0])
        logger.info("The graph was read: %d nodes, %d edges.", summary.num_nodes, summary.num_edges)
        return Snapshot(origin=origin, summary=summary, archives=archives, portrait=portrait)

    def _as_one_archive(self, found: FoundGraph, *, directory: Path) -> "tuple[GraphOrigin, Archive]":
        with found.open() as reader:
            return reader.origin, cogx.write_archive(reader, directory / f"{self.name}{ARCHIVE_SUFFIX}")

    def _key(self, found: FoundGraph, state: FileState) -> str:
        """Equal only where reading again would give the same archives."""
        facts = (__version__, self.version, found.origin, state.fingerprint)
        return hashlib.sha256(repr(facts).encode("utf-8", "backslashreplace")).hexdigest()

    # What is noted only saves time, and file systems raise their own kinds of errors: one that fails costs a reading,
    # not the step. A step that cannot do without the archive store will hear of it from there.

    def _noted(self, key: str, *, store: ArchiveStore) -> Snapshot | None:
        try:
            found = store.find_snapshot(place=self.place, partition=self.partition)
            if found is None or found[1]["key"] != key:
                return None
            stored, facts = found
            if stored.is_intact():
                return _from_json(facts, stored)
            logger.warning("An archive of the unchanged graph is gone or damaged: the graph is read again.")
        except Exception as error:
            logger.warning("What an earlier step read cannot be used: %s: %s.", type(error).__name__, error)
        return None

    def _note(self, snapshot: Snapshot, *, key: str, store: ArchiveStore) -> Snapshot:
        try:
            facts = _to_json(snapshot, key=key)
            stored = store.save_snapshot(snapshot.archives, facts, place=self.place, partition=self.partition)
        except Exception as error:
            logger.warning("The next step will have to read the graph again: %s: %s.", type(error).__name__, error)
            return snapshot
        return dataclasses.replace(snapshot, stored=stored)


def _summary_of(archive: "Archive") -> "GraphSummary":
    assert archive.summary is not None  # noqa: S101 - it was written just now
    return archive.summary


def _portrait_of(archive: "Archive") -> GraphPortrait:
    """From the archive, since reading the graph once more may take much longer."""
    return graph.portray(cogx.BriefReader(archive.path))


def _to_json(snapshot: Snapshot, *, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "origin": dataclasses.asdict(snapshot.origin),
        "summary": dataclasses.asdict(snapshot.summary),
        "portrait": snapshot.portrait and msgspec.to_builtins(snapshot.portrait),
    }


def _from_json(facts: dict[str, Any], stored: StoredArchive) -> Snapshot:
    from cognee_dagster.graph.reader import GraphOrigin, GraphSummary  # Arrow comes with them

    origin, summary = dict(facts["origin"]), dict(facts["summary"])
    dataset_id = origin.pop("dataset_id")
    for examples in ("dangling_examples", "refused_examples"):
        summary[examples] = tuple(summary[examples])
    return Snapshot(
        origin=GraphOrigin(dataset_id=dataset_id and UUID(dataset_id), **origin),
        summary=GraphSummary(**summary),
        archives=tuple(file.archive for file in stored.files),
        portrait=msgspec.convert(facts["portrait"], type=GraphPortrait | None),
        stored=stored,
        read=False,
    )
