"""How long the fake server takes, and what the test makes it wait for or fail at."""

import threading
from dataclasses import dataclass, field

_TICK = 0.01


class ServerKilledError(BaseException):
    """The server process died here: nothing after this point happens. No ``Exception``, so that nothing handles it."""


class Hold:
    """Keeps imports at the point where their run is visible and half of their graph is written."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._arrived = threading.Semaphore(0)

    def wait_for_import(self, *, timeout: float = 10.0) -> None:
        """Returns when one more import has come to this point.

        Raises:
            TimeoutError: None came in time (seconds).
        """
        if not self._arrived.acquire(timeout=timeout):
            raise TimeoutError(f"No import reached the hold within {timeout} s.")

    def release(self) -> None:
        """Lets all go on."""
        self._open.set()

    def keep(self, pace: "Pace") -> None:
        """Called by the import: returns when released."""
        self._arrived.release()
        while not self._open.wait(_TICK):
            pace.check_alive()
        pace.check_alive()


@dataclass(kw_only=True)
class Pace:
    """Durations in seconds, and the faults of the next imports.

    Attributes:
        import_seconds: What every graph import takes at least.
        seconds_per_node: What it takes more for each node (a real server: 0.011 to 0.016).
        seconds_per_document: What storing a document takes (a real server: 0.033).
        rights_after: What passes until the owner of a new dataset has rights to it (a real server: milliseconds).
        cognify_seconds: What a cognify run takes until it has succeeded or failed.
        llm_works: Whether hybrid and re-derive can cognify; without it they fail as on a server without an LLM.
        repaired_background: Whether the server's own background preserve works; on no release known so far it does.
        next_failures: Error classes with which the next graph imports end.
    """

    import_seconds: float = 0.0
    seconds_per_node: float = 0.0
    seconds_per_document: float = 0.0
    rights_after: float = 0.0
    cognify_seconds: float = 0.0
    llm_works: bool = False
    repaired_background: bool = False
    next_failures: list[str] = field(default_factory=list)
    hold: Hold | None = None
    killed: threading.Event = field(default_factory=threading.Event)

    def check_alive(self) -> None:
        if self.killed.is_set():
            raise ServerKilledError

    def sleep(self, seconds: float) -> None:
        """Raises ServerKilledError as soon as the server is killed."""
        if self.killed.wait(seconds) if seconds > 0 else self.killed.is_set():
            raise ServerKilledError

    def acquire(self, lock: threading.Lock) -> None:
        while not lock.acquire(timeout=_TICK):
            self.check_alive()

    def give_rights(self) -> None:
        """The time between a new dataset and its owner's rights to it."""
        self.sleep(self.rights_after)

    def import_graph(self, num_nodes: int) -> None:
        """The time that a graph import takes, at the point where it can be held."""
        if self.hold is not None:
            self.hold.keep(self)
        self.sleep(self.import_seconds + self.seconds_per_node * num_nodes)
