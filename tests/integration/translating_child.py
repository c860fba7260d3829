"""Run by Cognee's interpreter: what Cognee's own import makes of archives, with every field.

Usage: translating_child.py DIRECTORY. For every ``NAME.cogx.tar.gz`` in it, ``NAME.json`` gets the nodes, edges and
texts that an import in mode preserve stores (``modules/migration/loader.py``), in no particular order.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cognee.modules.migration.archive import unpack_archive
from cognee.modules.migration.cogx import read_archive, read_manifest
from cognee.modules.migration.loader import translate_records

# Of the moment in which an object is made.
VOLATILE = {"created_at", "updated_at"}


def translated(archive: Path) -> dict[str, Any]:
    with archive.open("rb") as file:
        root = unpack_archive(file, archive.with_name(f"{archive.name}.unpacked"))
    manifest = read_manifest(root)
    result = translate_records(read_archive(root), "preserve", preserve_source_ids=manifest.source_system == "cognee")
    nodes = {str(node.id): node for batch in result.graph_batches for node in batch["nodes"]}
    return {
        "nodes": sorted(text_of(node) for node in nodes.values()),
        "edges": sorted(json.dumps(edge, default=str) for batch in result.graph_batches for edge in batch["edges"]),
        "texts": sorted(json.dumps(vars(item), default=str, sort_keys=True) for item in result.data_items),
        "counts": result.counts,
        "skipped_facts": result.skipped_facts,
    }


def text_of(node: Any) -> str:
    """All that a node says; the type that an entity is of with it."""
    return json.dumps({"class": type(node).__name__, **without_times(node.model_dump())}, default=str, sort_keys=True)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if key not in VOLATILE}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


for path in sorted(Path(sys.argv[1]).glob("*.cogx.tar.gz")):
    target = path.with_name(path.name.removesuffix(".cogx.tar.gz") + ".json")
    target.write_text(json.dumps(translated(path)), encoding="utf-8")
