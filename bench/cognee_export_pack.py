"""What ``cognee.push()`` does before the first byte is sent: import, export, pack (Cognee 1.6.5, ``api/v1/push``).

Usage: cognee_export_pack.py DATASET DIRECTORY. Makes DIRECTORY and DIRECTORY.cogx.tar.gz.
"""

import asyncio
import sys

import cognee
from cognee.modules.migration.archive import pack_archive

dataset, directory = sys.argv[1:]
asyncio.run(cognee.export(dataset, format="cogx", destination=directory))
pack_archive(directory, f"{directory}.cogx.tar.gz")
