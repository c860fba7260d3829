"""Loads a file of definitions with everything in it, as a code server does. Usage: load_definitions.py FILE."""

import runpy
import sys

import dagster as dg

defs = runpy.run_path(sys.argv[1])["defs"]
assert isinstance(defs, dg.Definitions)
defs.get_repository_def().load_all_definitions()
