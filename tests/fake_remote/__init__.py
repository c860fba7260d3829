"""A Cognee server for tests: in this process, on loopback, ready in milliseconds, and as measured on a real one.

The contract suite runs the same cases against it and against a real Cognee 1.6.5.
"""

from tests.fake_remote.archive import Limits
from tests.fake_remote.pace import Hold
from tests.fake_remote.server import FakeRemote, RecordedRequest
from tests.fake_remote.state import IMPORT_PIPELINE, User

__all__ = ["IMPORT_PIPELINE", "FakeRemote", "Hold", "Limits", "RecordedRequest", "User"]
