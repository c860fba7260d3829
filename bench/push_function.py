"""``cognee_dagster.push()`` as a program of its own. Usage: push_function.py DATASET TARGET."""

import asyncio
import sys

import cognee_dagster

dataset, target = sys.argv[1:]
asyncio.run(cognee_dagster.push(dataset, target_dataset=target))
