"""Run by Cognee's interpreter: ``cognee.export()`` to a COGX directory, then ``cognee.push()``; the result as JSON.

Usage: cognee_push_child.py DATASET TARGET DIRECTORY URL, with the API key in COGNEE_API_KEY and the result in RESULT.
"""

import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path

import cognee


async def main(dataset: str, target: str, directory: str, url: str) -> None:
    await cognee.export(dataset, format="cogx", destination=directory)
    result = await cognee.push(dataset, target_dataset=target, url=url)
    Path(os.environ["RESULT"]).write_text(json.dumps(dataclasses.asdict(result)), encoding="utf-8")


asyncio.run(main(*sys.argv[1:]))
