"""Run by Cognee's interpreter: graphs through Cognee's own export, archives through its own import side.

Usage: cogx_child.py DIRECTORY. For every ``NAME.lbug`` in it, ``NAME/`` becomes what ``cognee.export(format="cogx")``
writes, and ``NAME.json`` the records that a server reads there; for every ``NAME.cogx.tar.gz``, ``NAME.unpacked/`` and
``NAME.ours.json`` likewise. What Cognee refuses becomes ``NAME.error``.
"""

import asyncio
import json
import sys
from pathlib import Path

from cognee.infrastructure.databases.graph.ladybug.adapter import LadybugAdapter
from cognee.modules.migration.archive import unpack_archive
from cognee.modules.migration.cogx import read_archive, read_manifest
from cognee.modules.migration.export import _write_cogx


async def export(graph_file: Path) -> Path:
    """What ``export_dataset`` does between the permission check and the log line."""
    nodes, edges = await LadybugAdapter(str(graph_file)).get_graph_data()
    edges = [edge for edge in edges if not (edge[2] == "SELF" and edge[0] == edge[1])]
    destination = graph_file.with_suffix("")
    _write_cogx(nodes, edges, destination, "odd 'name'", embedding_model="model", migration_revision="revision")
    return destination


def read(directory: Path) -> str:
    """Every record as Cognee's models hold it, and the manifest."""
    manifest = read_manifest(directory).model_dump(mode="json", exclude={"exported_at"})
    records = [json.dumps(record.model_dump(), default=str, sort_keys=True) for record in read_archive(directory)]
    return json.dumps({"manifest": manifest, "records": records})


def main(directory: Path) -> None:
    for path in sorted(directory.iterdir()):
        name = directory / path.name.split(".", 1)[0]
        try:
            if path.suffix == ".lbug":
                name.with_suffix(".json").write_text(read(asyncio.run(export(path))), encoding="utf-8")
            elif path.name.endswith(".cogx.tar.gz"):
                with path.open("rb") as file:
                    root = unpack_archive(file, name.with_suffix(".unpacked"))
                name.with_suffix(".ours.json").write_text(read(root), encoding="utf-8")
        except Exception as error:
            name.with_suffix(".error").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")


main(Path(sys.argv[1]))
