"""A Cognee server for tests: in this process, on loopback, ready in milliseconds, and as measured on a real one.

The contract suite runs the same cases against it and against a real Cognee 1.6.5. For pytest, the fixtures in
``cognee_dagster.testing.plugin`` start it. Nothing here imports pytest, and Dagster only where a test asks for a
``CogneeRemote``.
"""

from cognee_dagster.testing import faults
from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.fake_remote import FakeRemote
from cognee_dagster.testing.graph import Graph, Node
from cognee_dagster.testing.pace import Hold, Pace
from cognee_dagster.testing.runs import IMPORT_PIPELINE
from cognee_dagster.testing.server import RecordedRequest
from cognee_dagster.testing.state import Dataset, User

__all__ = [
    "IMPORT_PIPELINE",
    "Dataset",
    "FakeRemote",
    "Graph",
    "Hold",
    "Limits",
    "Node",
    "Pace",
    "RecordedRequest",
    "User",
    "faults",
]
