"""Real Cognee on loopback, to try things out: nothing outside its own directory is touched.

``CogneeServer`` is a remote, ``local_environment`` describes a local Cognee.
"""

from cognee_dagster.sandbox.server import CogneeServer
from cognee_dagster.sandbox.settings import has_language_model, local_environment

__all__ = ["CogneeServer", "has_language_model", "local_environment"]
