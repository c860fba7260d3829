"""A Cognee server for tests: in this process, on loopback, ready in milliseconds, and as measured on a real one.

The contract suite runs the same cases against it and against a real Cognee 1.6.5.
"""

from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.pace import Hold
from cognee_dagster.testing.server import FakeRemote, RecordedRequest
from cognee_dagster.testing.state import IMPORT_PIPELINE, User

__all__ = ["IMPORT_PIPELINE", "FakeRemote", "Hold", "Limits", "RecordedRequest", "User"]
