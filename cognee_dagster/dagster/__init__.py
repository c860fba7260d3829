"""Everything that knows Dagster; the only package that imports it."""

from dagster_shared.libraries import DagsterLibraryRegistry

from cognee_dagster._version import __version__

DagsterLibraryRegistry.register("cognee-dagster", __version__, is_dagster_package=False)
