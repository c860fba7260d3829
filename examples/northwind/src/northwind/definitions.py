"""All definitions of the project: those of the modules and ``defs.yaml`` files in ``defs``."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """What ``dg`` loads."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
