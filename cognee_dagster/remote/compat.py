"""What is known about releases of the remote Cognee, in one place.

Found in the published wheels of 1.0.0 to 1.6.3 and measured on a running 1.6.5. A release that repairs something is one
changed constant here.
"""

import re
from enum import Enum

from cognee_dagster.errors import BackgroundUnsupportedError, InvalidPushError
from cognee_dagster.remote.api_offer import ApiOffer

Release = tuple[int, int, int]

# Since 1.2.0 a server imports COGX archives, but 1.2.0 gives entities new ids derived from their names and keeps
# duplicate edges: the remote graph is another one. 1.3.0 is the first that copies a graph.
MIN_COGX_RELEASE: Release = (1, 3, 0)

# The run feed before 1.5.4 is the 50 newest rows of all pipelines, without outcome and error class: an import that
# nobody waits for could be pushed off it unseen.
MIN_RUN_FEED_RELEASE: Release = (1, 5, 4)

# A server's own background preserve deletes the unpacked archive before the import reads it: FileNotFoundError, always
# (api/v1/remember/routers/get_remember_router.py, a TemporaryDirectory around work that outlives it).
NATIVE_PRESERVE_BROKEN_UP_TO = "1.6.6rc1"  # the newest looked at
NATIVE_PRESERVE_SINCE: Release | None = None  # the first release that repairs it: set it, and "auto" uses it


class Strategy(str, Enum):
    """How an import that nobody waits for gets done."""

    DETACHED = "detached"
    """Upload as a foreground import and hang up as soon as its run is visible; the server goes on."""

    NATIVE = "native"
    """The server's own ``run_in_background``."""

    FOREGROUND = "foreground"
    """Wait for the end after all."""


AUTO = "auto"
BACKGROUND_STRATEGIES = (AUTO, *(strategy.value for strategy in Strategy))


_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?P<rest>.*)", re.DOTALL)
_BEFORE_RELEASE = re.compile(r"[-._]?(?:a|b|c|rc|alpha|beta|pre|preview|dev)[-._]?\d*(?![a-z])", re.IGNORECASE)
_FIRST: Release = (1, 0, 0)  # no server with this API is older


def parse_release(version: str) -> Release | None:
    """The numbers of a version as ``/health`` spells it ("1.6.5", "1.6.5-local"); None when it has none."""
    match = _VERSION.match(version.strip())
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def imports_faithfully(version: str, offer: ApiOffer | None = None) -> bool:
    """Whether a server copies a graph from a COGX archive: ids, edges, no duplicates.

    Args:
        version: What ``/health`` says.
        offer: What its API offers, if it says so.
    """
    return _reaches(version, MIN_COGX_RELEASE, offered=offer is not None and offer.filters_runs)


def _reaches(version: str, release: Release, *, offered: bool) -> bool:
    """Whether a version is that release or newer; where it says nothing, what the API offers decides."""
    order = _order(version)
    return offered if order is None else order >= (*release, 1)


def _order(version: str) -> tuple[int, int, int, int] | None:
    """A version for comparing, a pre-release below its release; None for one that says nothing.

    Cognee takes its version from the next ``pyproject.toml`` above it, which may be anybody's, and appends "-local".
    """
    release = parse_release(version)
    if release is None or (release < _FIRST and version.strip().endswith("-local")):
        return None
    match = _VERSION.match(version.strip())
    early = match is not None and _BEFORE_RELEASE.match(match["rest"]) is not None
    return (*release, 0 if early else 1)


def choose_background_strategy(
    version: str, *, mode: str, requested: str = AUTO, offer: ApiOffer | None = None
) -> Strategy:
    """How to do a background import on a server of this version.

    Args:
        version: What ``/health`` says; empty when it says none.
        offer: What the server's API offers; decides where the version says nothing.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        requested: One of ``BACKGROUND_STRATEGIES``; ``auto`` takes the one that works.

    Raises:
        InvalidPushError: ``requested`` is not a strategy.
        BackgroundUnsupportedError: It cannot work on that server; the message says what does.
    """
    if requested not in BACKGROUND_STRATEGIES:
        raise InvalidPushError(
            f"Unknown background strategy {requested!r}. Expected one of {', '.join(BACKGROUND_STRATEGIES)}."
        )
    if requested == Strategy.FOREGROUND:
        return Strategy.FOREGROUND
    if not _reaches(version, MIN_RUN_FEED_RELEASE, offered=offer is not None and offer.filters_runs):
        raise BackgroundUnsupportedError(
            f"The remote Cognee ({_named(version)}) cannot be watched while it imports in the background: its list of "
            f"runs can be filtered, and says how a run ended, since {_dotted(MIN_RUN_FEED_RELEASE)}. Push in the "
            "foreground (run_in_background=False), or upgrade the remote."
        )
    return _for_preserve(version, requested) if mode == "preserve" else _for_cognifying(mode, requested)


def _for_preserve(version: str, requested: str) -> Strategy:
    repaired = NATIVE_PRESERVE_SINCE is not None and _reaches(version, NATIVE_PRESERVE_SINCE, offered=False)
    known_broken = (_order(version) or (0,)) <= (_order(NATIVE_PRESERVE_BROKEN_UP_TO) or (0,))
    if requested == Strategy.NATIVE and not repaired and known_broken:
        raise BackgroundUnsupportedError(
            f"The remote Cognee {_named(version)} cannot import in mode preserve by its own background import: it "
            'answers "started" and then deletes the archive before reading it (FileNotFoundError), as every release up '
            f"to {NATIVE_PRESERVE_BROKEN_UP_TO} does. Set background_strategy to auto or detached, which arrive, or "
            "push in the foreground (run_in_background=False)."
        )
    if requested == Strategy.NATIVE or (requested == AUTO and repaired):
        return Strategy.NATIVE
    return Strategy.DETACHED


def _for_cognifying(mode: str, requested: str) -> Strategy:
    """The server's own background works for hybrid and re-derive, and it alone says so in its answer."""
    if requested == Strategy.DETACHED:
        raise BackgroundUnsupportedError(
            f"Only preserve imports can be detached; mode {mode} goes on to a cognify run, for which the remote's own "
            "background import works. Set background_strategy to auto or native for it."
        )
    return Strategy.NATIVE


def release_in_words(version: str) -> str:
    """Which Cognee a server is, as far as what ``/health`` says tells that."""
    return version if _order(version) else f"of a release that is not known (it calls itself {version or 'nothing'!r})"


def _named(version: str) -> str:
    return version or "which does not say its version"


def _dotted(release: Release) -> str:
    return ".".join(str(number) for number in release)
