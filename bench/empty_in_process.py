"""The three assets that do nothing, with all steps in one process."""

import dagster as dg

from bench import empty_definitions

defs = dg.Definitions.merge(empty_definitions.defs, dg.Definitions(executor=dg.in_process_executor))
