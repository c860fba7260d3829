"""Run by Cognee's interpreter: every archive in a directory through Cognee's own import, as its server would do it.

Usage: importing_child.py DIRECTORY. For every ``NAME.archive`` a line of JSON on standard output: ``name``, ``error``
(null where the import was completed), and what the import counted.
"""

import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from cognee.modules.migration import COGXArchiveSource, import_memory_source
from cognee.modules.migration.archive import unpack_archive

DATASET = "judged"


async def imported(path: Path) -> dict[str, Any]:
    """What ``_import_cogx_archives`` of the remember router does with an upload."""
    with path.open("rb") as upload, tempfile.TemporaryDirectory() as directory:
        source = COGXArchiveSource(unpack_archive(upload, directory), mode="preserve")
        result = await import_memory_source(source, dataset_name=DATASET)
    return {"error": None, **result.items[0]}


async def main(directory: Path) -> None:
    for path in sorted(directory.glob("*.archive")):
        try:
            outcome = await imported(path)
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"[:500]}
        sys.stdout.write(json.dumps({"name": path.stem, **outcome}, default=str) + "\n")
        sys.stdout.flush()


logging.disable(logging.CRITICAL)
asyncio.run(main(Path(sys.argv[1])))
