"""A count and its noun agree in every message."""

import re
from pathlib import Path

import pytest

import cognee_dagster
from cognee_dagster.graph.counting import counted

PACKAGE = Path(cognee_dagster.__file__).parent
NOUNS = (
    *("archive", "asset", "attribute", "cell", "column", "dataset", "document", "edge", "fact", "file", "import"),
    *("link", "member", "node", "partition", "problem", "record", "row", "run", "segment", "text", "warning"),
)
# A count of things, in a message: what is counted is never a constant, which everybody knows not to be 1.
COUNT = re.compile(rf"\{{(?!counted)[^{{}}]*(?:len\(|num_|count|[Nn]umber)[^{{}}A-Z]*\}} (?:{'|'.join(NOUNS)})s\b")
# Where it is several at any rate.
SEVERAL = {
    "pushing/archives.py": "takes {num_archives} archives",
    "dagster/steps/archive.py": "in {count} archives",
    "cogx/archive.py": "has {len(member_bytes):,} files",
    "sources/formats/parquet.py": "has {len(leaves):,} columns and fields",
    "sources/formats/tables.py": "of {len(names):,} columns, and at most",
    "sources/mapping/parallel.py": "{len(texts):,} edges",
}


@pytest.mark.parametrize(
    ("number", "words", "expected"),
    [
        (1, ("edge",), "1 edge"),
        (0, ("edge",), "0 edges"),
        (1200, ("edge",), "1,200 edges"),
        (1, ("entity has", "entities have"), "1 entity has"),
        (2, ("entity has", "entities have"), "2 entities have"),
    ],
)
def test_a_count_agrees_with_its_noun_and_verb(number: int, words: tuple[str, ...], expected: str) -> None:
    assert counted(number, *words) == expected


def test_no_message_counts_things_with_a_plural_of_its_own() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for match in COUNT.finditer(path.read_text(encoding="utf-8"))
        if match[0] not in SEVERAL.get(str(path.relative_to(PACKAGE)), "")
    ]
    assert found == []
