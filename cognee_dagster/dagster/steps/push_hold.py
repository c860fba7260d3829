"""What a push needs of the archive store after it: no prune takes that away, whichever host either runs on.

A push that failed is tried again, an import in the background may be pushed again as long as nobody has confirmed it,
and what a mirror has confirmed can be promoted. So each remote dataset holds up to three archives of a place: what it
has confirmed, what is imported in the background, and what the latest push has begun with. A push that is confirmed
ends the others; a hold of a push that was never heard of again ends by itself.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.store.holds import HOLD_SECONDS, hold, release
from cognee_dagster.store.stored import AbsentArchive, StoredArchive

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

logger = logging.getLogger(__name__)

_FOR_EVER = 100 * 365 * 86_400.0


class PushHold:
    """The holds of one remote dataset.

    Args:
        stored: What is pushed there.
        url: The remote.
        target: The dataset.
    """

    def __init__(self, stored: StoredArchive, *, url: str, target: str) -> None:
        self._stored = stored
        self._where = f"{target!r} on {url}"
        self._name = "push-" + hashlib.sha256(f"{url}\0{target}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._begun, self._background = f"{self._name}-begun", f"{self._name}-background"

    def begin(self, *, confirmed: StoredArchive | None) -> None:
        """Hold what is about to be pushed, besides what is there; a push that fails leaves it so.

        Args:
            confirmed: What is there and may be promoted, where a push in the background has brought it.
        """
        why = f"pushed to {self._where}, and not confirmed so far"
        self._change(lambda directory: self._hold(directory, self._begun, why, seconds=HOLD_SECONDS))
        if confirmed is not None:
            self._change(lambda _: self._hold_confirmed(confirmed))

    def end(self, result: PushResult, *, is_needed: bool) -> None:
        """Hold what still needs to be there after the push, or nothing any more.

        Args:
            result: What the push did.
            is_needed: Whether what was pushed is needed when it is confirmed: by a mirror, or to be promoted.
        """
        self._change(lambda directory: self._end(directory, result, is_needed=is_needed))

    def _end(self, directory: "UPath", result: PushResult, *, is_needed: bool) -> None:
        """What is needed is held before anything is released."""
        if ImportState.of_status(result.status).is_under_way:
            run = f" (import {result.pipeline_run_id})" if result.pipeline_run_id else ""
            until = "" if is_needed else f", for {HOLD_SECONDS // 86_400} days at most"
            why = f"pushed in the background to {self._where}{run}: kept until the next push there{until}"
            self._hold(directory, self._background, why, seconds=_FOR_EVER if is_needed else HOLD_SECONDS)
            over = [self._begun]
        elif is_needed:
            self._hold_confirmed(self._stored)
            over = [self._begun, self._background]
        else:
            over = [self._begun, self._background, self._name]
        for name in over:
            release(directory, name)

    def _hold_confirmed(self, stored: StoredArchive) -> None:
        hold(stored.directory, self._name, stored.blobs, why=f"what {self._where} has confirmed", seconds=_FOR_EVER)

    def _hold(self, directory: "UPath", name: str, why: str, *, seconds: float) -> None:
        hold(directory, name, self._stored.blobs, why=why, seconds=seconds)

    def _change(self, change: "Callable[[UPath], None]") -> None:
        """A push does not fail because its archive is not held."""
        if isinstance(self._stored, AbsentArchive):
            return
        try:
            change(self._stored.directory)
        except Exception as error:  # file systems raise their own kinds of errors
            what = f"{type(error).__name__}: {error}"
            logger.warning("No prune of the archive store can see what the push to %s needs: %s", self._where, what)
