"""``python cognify_child.py DATASET FILE…``: what a Cognee user's own script does; needs Cognee and nothing of ours."""

import asyncio
import sys

import cognee


async def main(dataset: str, *documents: str) -> None:
    await cognee.add(list(documents), dataset_name=dataset)
    await cognee.cognify(datasets=[dataset])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
