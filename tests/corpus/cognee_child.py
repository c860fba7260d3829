"""Run by Cognee's interpreter: a dataset in every form in which Cognee exports one that can be read again.

Usage: cognee_child.py DATASET DIRECTORY
"""

import asyncio
import sys
from pathlib import Path

import cognee

FORMS = {"graphml": "handbook.graphml", "json": "handbook.json", "pydantic": "snapshot.json", "cogx": "cogx"}


async def main(dataset: str, directory: str) -> None:
    for form, name in FORMS.items():
        await cognee.export(dataset, format=form, destination=str(Path(directory) / name))


asyncio.run(main(*sys.argv[1:]))
