"""The repository's own code location, with all steps in one process, for small graphs."""

import dagster as dg

import definitions

defs = dg.Definitions.merge(definitions.defs, dg.Definitions(executor=dg.in_process_executor))
