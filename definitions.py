"""The repository's own code location: what ``workspace.yaml`` and ``dagster … -f definitions.py`` load.

Set ``COGNEE_DAGSTER_DATASETS`` to the datasets to push; ``cognee_dagster/settings.py`` has the other settings. Nothing
is read from the local Cognee, and nothing asked of the remote, before a run starts.
"""

from cognee_dagster import CogneeRemote, CogxArchiveIOManager, LocalCognee, build_definitions
from cognee_dagster.dagster.code_location import CodeLocationSettings

settings = CodeLocationSettings.read()

defs = build_definitions(
    settings.cognee_datasets(),
    remote=CogneeRemote(),
    local=LocalCognee(python=settings.python, user=settings.user),
    archives=CogxArchiveIOManager(base_directory=settings.archives),
)
