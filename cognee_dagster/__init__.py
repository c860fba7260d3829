"""Ship Cognee knowledge graphs with Dagster: local dataset -> COGX archive -> remote Cognee.

Everything public is here and loaded on first use (PEP 562), so that ``push()`` and the command line never pay for
importing Dagster, and a Dagster code location never pays for Cognee.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognee_dagster.archive_store import StoredArchive as StoredArchive
    from cognee_dagster.assets import build_dataset_assets as build_dataset_assets
    from cognee_dagster.dataset import CogneeDataset as CogneeDataset
    from cognee_dagster.definitions import build_definitions as build_definitions
    from cognee_dagster.errors import CogneeDagsterError as CogneeDagsterError
    from cognee_dagster.io_managers import CogxArchiveIOManager as CogxArchiveIOManager
    from cognee_dagster.pushing import PushResult as PushResult
    from cognee_dagster.pushing import push as push
    from cognee_dagster.resources import CogneeRemote as CogneeRemote
    from cognee_dagster.resources import LocalCognee as LocalCognee
    from cognee_dagster.sensors import build_import_sensor as build_import_sensor
    from cognee_dagster.sensors import build_repush_sensor as build_repush_sensor
    from cognee_dagster.watching.settings import RepushPolicy as RepushPolicy

__version__ = "0.1.0"

# Public name -> the module that defines it.
_EXPORTS = {
    "CogneeDagsterError": "cognee_dagster.errors",
    "CogneeDataset": "cognee_dagster.dataset",
    "CogneeRemote": "cognee_dagster.resources",
    "CogxArchiveIOManager": "cognee_dagster.io_managers",
    "LocalCognee": "cognee_dagster.resources",
    "PushResult": "cognee_dagster.pushing",
    "RepushPolicy": "cognee_dagster.watching.settings",
    "StoredArchive": "cognee_dagster.archive_store",
    "build_dataset_assets": "cognee_dagster.assets",
    "build_definitions": "cognee_dagster.definitions",
    "build_import_sensor": "cognee_dagster.sensors",
    "build_repush_sensor": "cognee_dagster.sensors",
    "push": "cognee_dagster.pushing",
}

__all__ = [
    "CogneeDagsterError",
    "CogneeDataset",
    "CogneeRemote",
    "CogxArchiveIOManager",
    "LocalCognee",
    "PushResult",
    "RepushPolicy",
    "StoredArchive",
    "__version__",
    "build_dataset_assets",
    "build_definitions",
    "build_import_sensor",
    "build_repush_sensor",
    "push",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
