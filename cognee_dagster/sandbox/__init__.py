"""Real Cognee on loopback, for the demo and the integration tests: nothing outside its own directory is touched.

``CogneeServer`` is a remote, ``local_environment`` a local Cognee, ``LLMStandIn`` answers in place of a language model.
"""

from cognee_dagster.sandbox.llm import LLMStandIn, language_model
from cognee_dagster.sandbox.local import cognify, load_demo_graph
from cognee_dagster.sandbox.server import CogneeServer
from cognee_dagster.sandbox.settings import local_environment
from cognee_dagster.system.child_process import ChildProcess

__all__ = [
    "ChildProcess",
    "CogneeServer",
    "LLMStandIn",
    "cognify",
    "language_model",
    "load_demo_graph",
    "local_environment",
]
