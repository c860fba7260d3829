"""What the word on an import rests on."""

from enum import Enum


class KnownBy(str, Enum):
    """Where the word on an import comes from."""

    ANSWER = "answer"
    """The server's own answer to our upload."""
    REMOTE_GRAPH = "remote_graph"
    """The answer was lost or made no sense; the remote graph was read back and holds the archive."""
    RUN = "run"
    """The import goes on: its run is the only one of the dataset that began after our last byte."""
    CONFIRMED_BEFORE = "confirmed_before"
    """Nothing was uploaded: an earlier push has noted that the remote has all of it, and nobody else has changed that
    since. What was only to be deleted, the server has answered that it did."""
