"""Ship Cognee knowledge graphs with Dagster: local dataset -> COGX archive -> remote Cognee.

Everything public is here and loaded on first use (PEP 562), so that ``push()`` and the command line never pay for
importing Dagster, and a Dagster code location never pays for Cognee.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognee_dagster.pushing import PushResult as PushResult
    from cognee_dagster.pushing import push as push

__version__ = "0.1.0"

# Public name -> the module that defines it.
_EXPORTS = {
    "PushResult": "cognee_dagster.pushing",
    "push": "cognee_dagster.pushing",
}

__all__ = ["PushResult", "__version__", "push"]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
