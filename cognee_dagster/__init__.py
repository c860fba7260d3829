"""Ship Cognee knowledge graphs with Dagster: local dataset -> COGX archive -> remote Cognee.

Everything public is here and loaded on first use (PEP 562), so that ``push()`` and the command line never pay for
importing Dagster, and a Dagster code location never pays for Cognee.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognee_dagster.dagster.assets.chain import build_dataset_assets as build_dataset_assets
    from cognee_dagster.dagster.component.component import CogneeComponent as CogneeComponent
    from cognee_dagster.dagster.conditions import push_when_changed as push_when_changed
    from cognee_dagster.dagster.conditions import require_imported as require_imported
    from cognee_dagster.dagster.dataset import CogneeDataset as CogneeDataset
    from cognee_dagster.dagster.definitions import build_definitions as build_definitions
    from cognee_dagster.dagster.event_log.push_failure import PushFailure as PushFailure
    from cognee_dagster.dagster.io_manager import CogxArchiveIOManager as CogxArchiveIOManager
    from cognee_dagster.dagster.io_manager import KeepArchives as KeepArchives
    from cognee_dagster.dagster.promotion import promoted_from as promoted_from
    from cognee_dagster.dagster.remote_target import RemoteTarget as RemoteTarget
    from cognee_dagster.dagster.resources import CogneeRemote as CogneeRemote
    from cognee_dagster.dagster.resources import LocalCognee as LocalCognee
    from cognee_dagster.dagster.sensors.alert_sensor import build_alert_sensor as build_alert_sensor
    from cognee_dagster.dagster.sensors.discovery_sensor import build_discovery_sensor as build_discovery_sensor
    from cognee_dagster.dagster.sensors.import_sensor import build_import_sensor as build_import_sensor
    from cognee_dagster.dagster.sensors.policies import RepushPolicy as RepushPolicy
    from cognee_dagster.dagster.sensors.repush_sensor import build_repush_sensor as build_repush_sensor
    from cognee_dagster.dagster.translator import CogneeAssetProps as CogneeAssetProps
    from cognee_dagster.dagster.translator import CogneeStep as CogneeStep
    from cognee_dagster.dagster.translator import CogneeTranslator as CogneeTranslator
    from cognee_dagster.errors import CogneeDagsterError as CogneeDagsterError
    from cognee_dagster.pushing.archives import PushResult as PushResult
    from cognee_dagster.pushing.as_it_is import push_archive as push_archive
    from cognee_dagster.pushing.probes.probe import Probe as Probe
    from cognee_dagster.pushing.push import push as push
    from cognee_dagster.sources.mapping.value import GraphMapping as GraphMapping
    from cognee_dagster.store.stored import StoredArchive as StoredArchive

from cognee_dagster._version import __version__ as __version__

# Public name -> the module that defines it.
_EXPORTS = {
    "CogneeAssetProps": "cognee_dagster.dagster.translator",
    "CogneeComponent": "cognee_dagster.dagster.component.component",
    "CogneeDagsterError": "cognee_dagster.errors",
    "CogneeDataset": "cognee_dagster.dagster.dataset",
    "CogneeRemote": "cognee_dagster.dagster.resources",
    "CogneeStep": "cognee_dagster.dagster.translator",
    "CogneeTranslator": "cognee_dagster.dagster.translator",
    "CogxArchiveIOManager": "cognee_dagster.dagster.io_manager",
    "GraphMapping": "cognee_dagster.sources.mapping.value",
    "KeepArchives": "cognee_dagster.dagster.io_manager",
    "LocalCognee": "cognee_dagster.dagster.resources",
    "Probe": "cognee_dagster.pushing.probes.probe",
    "PushFailure": "cognee_dagster.dagster.event_log.push_failure",
    "PushResult": "cognee_dagster.pushing.archives",
    "RemoteTarget": "cognee_dagster.dagster.remote_target",
    "RepushPolicy": "cognee_dagster.dagster.sensors.policies",
    "StoredArchive": "cognee_dagster.store.stored",
    "build_alert_sensor": "cognee_dagster.dagster.sensors.alert_sensor",
    "build_dataset_assets": "cognee_dagster.dagster.assets.chain",
    "build_definitions": "cognee_dagster.dagster.definitions",
    "build_discovery_sensor": "cognee_dagster.dagster.sensors.discovery_sensor",
    "build_import_sensor": "cognee_dagster.dagster.sensors.import_sensor",
    "build_repush_sensor": "cognee_dagster.dagster.sensors.repush_sensor",
    "promoted_from": "cognee_dagster.dagster.promotion",
    "push": "cognee_dagster.pushing.push",
    "push_when_changed": "cognee_dagster.dagster.conditions",
    "require_imported": "cognee_dagster.dagster.conditions",
    "push_archive": "cognee_dagster.pushing.as_it_is",
}

__all__ = [
    "CogneeAssetProps",
    "CogneeComponent",
    "CogneeDagsterError",
    "CogneeDataset",
    "CogneeRemote",
    "CogneeStep",
    "CogneeTranslator",
    "CogxArchiveIOManager",
    "GraphMapping",
    "KeepArchives",
    "LocalCognee",
    "Probe",
    "PushFailure",
    "PushResult",
    "RemoteTarget",
    "RepushPolicy",
    "StoredArchive",
    "__version__",
    "build_alert_sensor",
    "build_dataset_assets",
    "build_definitions",
    "build_discovery_sensor",
    "build_import_sensor",
    "build_repush_sensor",
    "promoted_from",
    "push",
    "push_archive",
    "push_when_changed",
    "require_imported",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
