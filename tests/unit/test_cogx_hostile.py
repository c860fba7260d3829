"""No archive takes more than 512 MiB of memory, or waits for ever, whatever is in it."""

import io
import json
import os
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from cognee_dagster.cogx.encode.exact_json import MAX_VALUES, parse_line
from cognee_dagster.cogx.read.safe_members import MAX_LINE_BYTES, read_members
from cognee_dagster.cogx.read.validate import validate_archive
from cognee_dagster.errors import ArchiveError, ArchiveLimitError, GraphFileError
from cognee_dagster.sources import archive_inspection, inspection
from cognee_dagster.sources.archive_inspection import inspect_as_it_is
from cognee_dagster.sources.inspection import inspect_graph
from tests.cogx_graphs import MemoryReader

MOST_BYTES = 512 * 1024 * 1024
MEBI = 1024 * 1024
MANIFEST = b'{"source_system": "cognee", "counts": {}}'
NODE = str(UUID(int=1)).encode()

# Both ways in which a command reads an archive: to check it, and as a graph.
CHILD = """
import sys
from pathlib import Path
from cognee_dagster.cogx import inspect_archive, validate_archive
from cognee_dagster.errors import CogneeDagsterError
path = Path(sys.argv[2])
try:
    if sys.argv[1] == "validate":
        report = validate_archive(path)
        said = "valid" if report.valid else str(report.problems[0])
    else:
        inspect_archive(path)
        said = "valid"
except CogneeDagsterError as error:
    said = str(error)
# Not ru_maxrss, which begins with what the parent had.
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line))
print(said[:500])
"""


def tar(files: dict[str, bytes], *, pax: dict[str, str] | None = None) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT, pax_headers=pax) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def gzipped(content: bytes) -> bytes:
    compressor = zlib.compressobj(1, wbits=31)
    return compressor.compress(content) + compressor.flush()


def nodes(line: bytes) -> bytes:
    return gzipped(tar({"manifest.json": MANIFEST, "nodes.jsonl": line}))


def stored_uncompressed(line: bytes) -> bytes:
    """Much larger than it is packed; the memory is the same."""
    return tar({"manifest.json": MANIFEST, "nodes.jsonl": line})


def node_with(value: bytes) -> bytes:
    return b'{"id": "' + NODE + b'", "x": ' + value + b"}"


def entity_with(key: bytes, value: bytes) -> bytes:
    line = b'{"external_id": "a", "name": "b", "' + key + b'": ' + value + b"}"
    return gzipped(tar({"manifest.json": MANIFEST, "entities.jsonl": line}))


def many(what: bytes, size: int) -> bytes:
    return b"[" + b",".join([what] * (size // (len(what) + 1))) + b"]"


def named_gzip(length: int) -> bytes:
    return b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * length + b"\0" + nodes(b"")[10:]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "60 MB of lists": lambda: stored_uncompressed(node_with(many(b"[1]", 60_000_000))),
    "30 MB of lists": lambda: stored_uncompressed(node_with(many(b"[1]", 30_000_000))),
    "4 MB of empty objects": lambda: stored_uncompressed(node_with(many(b"{}", 4 * MEBI - 100))),
    "4 MB of small objects": lambda: stored_uncompressed(node_with(many(b'{"a":0}', 4 * MEBI - 100))),
    "4 MB of objects with different keys": lambda: stored_uncompressed(
        node_with(b"{" + b",".join(b'"%x":0' % n for n in range(400_000)) + b"}")
    ),
    "15 MB of wide characters": lambda: stored_uncompressed(
        node_with(b'"' + "\U0001f600".encode() + b"x" * 15 * MEBI + b'"')
    ),
    "15 MB that is not JSON": lambda: stored_uncompressed(node_with(b'"' + b"x" * 15 * MEBI + b'" NaN')),
    "many long lines": lambda: stored_uncompressed(b"\n".join([node_with(b'"' + b"x" * 12 * MEBI + b'"')] * 8)),
    "one endless line": lambda: stored_uncompressed(b"x" * 100 * MEBI),
    "nothing but line ends": lambda: nodes(b"\n" * 20 * MEBI),
    "a deep nesting": lambda: nodes(node_with(b"[" * 3_000_000 + b"]" * 3_000_000)),
    "a huge number": lambda: nodes(node_with(b"1" * 4_000_000)),
    "a huge exponent": lambda: nodes(node_with(b"1e" + b"9" * 4_000_000)),
    "a million wrong aliases": lambda: entity_with(b"aliases", many(b"1", 4 * MEBI - 100)),
    "a million wrong attributes": lambda: entity_with(b"attributes", many(b"1", 4 * MEBI - 100)),
    "a bomb": lambda: nodes(b" " * 300 * MEBI),
    "a bomb beside the records": lambda: gzipped(tar({"other": bytes(300 * MEBI), "manifest.json": MANIFEST})),
    "a manifest of a megabyte": lambda: gzipped(
        tar({"manifest.json": b'{"counts": {' + b",".join(b'"%x":""' % n for n in range(90_000)) + b"}}"})
    ),
    "a long pax header": lambda: gzipped(tar({"manifest.json": MANIFEST}, pax={"comment": "x" * 50 * MEBI})),
    "a gzip with a long name": lambda: named_gzip(5_000_000),
    "a hundred thousand gzip members": lambda: gzipped(b"") * 100_000 + nodes(b""),
    "zeros": lambda: bytes(50 * MEBI),
}


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak of memory")
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("command", ["validate", "graph"])
def test_no_archive_takes_more_memory_than_documented(tmp_path: Path, command: str, hostile: str) -> None:
    path = tmp_path / "hostile.cogx.tar.gz"
    path.write_bytes(HOSTILE[hostile]())
    child = subprocess.run(
        [sys.executable, "-c", CHILD, command, str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert int(child.stdout.split("\n")[0]) * 1024 <= MOST_BYTES


LOOK = """
import sys
from cognee_dagster.sources.archive_inspection import inspect_as_it_is
from tests.peak_memory import peak_mebibytes
found = inspect_as_it_is(sys.argv[1])
print(found.counts.num_nodes, found.arrives.num_nodes, found.arrives.num_edges, peak_mebibytes())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak of memory")
def test_records_of_another_system_are_looked_at_one_by_one(tmp_path: Path) -> None:
    """Held, 120,000 of them took 340 MiB, and as many as an archive may have several times what a machine has."""
    number = 60_000
    entities = b"".join(
        b'{"external_id": "e%d", "name": "n%d", "external_system": "mem0"}\n' % (n, n) for n in range(number)
    )
    facts = b"".join(
        b'{"external_id": "f%d", "subject_ref": "e%d", "predicate": "knows", "object_ref": "e0", '
        b'"external_system": "mem0"}\n' % (n, n)
        for n in range(number)
    )
    manifest = json.dumps({"source_system": "mem0", "counts": {"entity": number, "fact": number}}).encode()
    path = tmp_path / "mem0.cogx.tar.gz"
    path.write_bytes(gzipped(tar({"manifest.json": manifest, "entities.jsonl": entities, "facts.jsonl": facts})))
    child = subprocess.run(
        [sys.executable, "-c", LOOK, str(path)], capture_output=True, text=True, timeout=300, check=True
    )
    *counts, peak = map(int, child.stdout.split())
    assert counts == [number, number, number]
    assert peak < 250


def test_names_of_kinds_have_bounds_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """400,000 relationships of 100 characters took 460 MiB."""
    edges = [(NODE.decode(), NODE.decode(), f"r{number}", "{}") for number in range(10)]
    reader = MemoryReader([(NODE.decode(), "Ada", "Entity", "{}")], edges)
    assert inspect_graph(reader).counts.num_edges == 10
    monkeypatch.setattr(inspection, "MAX_KEPT", 10_000)
    with pytest.raises(GraphFileError, match="The graph holds more than is kept in memory"):
        inspect_graph(reader)
    facts = b"".join(
        b'{"external_id": "%d", "subject_ref": "a", "predicate": "r%d", "object_ref": "b"}\n' % (n, n)
        for n in range(10)
    )
    path = tmp_path / "mem0.cogx.tar.gz"
    manifest = b'{"source_system": "mem0", "counts": {"fact": 10}}'
    path.write_bytes(gzipped(tar({"manifest.json": manifest, "facts.jsonl": facts})))
    assert inspect_as_it_is(str(path)) is not None
    monkeypatch.setattr(archive_inspection, "MAX_KEPT", 10_000)
    with pytest.raises(GraphFileError, match="The archive holds more than is kept in memory"):
        inspect_as_it_is(str(path))


def test_a_long_line_of_many_values_is_refused() -> None:
    line = json.dumps({"x": [[1]] * MAX_VALUES}).encode()
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        parse_line(line)


@pytest.mark.parametrize("text", ["a, b [c] {d}, " * 400_000, '", \\" [{ \\\\' * 400_000])
def test_a_long_text_may_hold_any_characters(text: str) -> None:
    line = json.dumps({"x": text, "y": [1, 2]}).encode()
    assert parse_line(line) == {"x": text, "y": [1, 2]}


def test_a_line_beyond_the_limit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(stored_uncompressed(b"{}\n" + b"x" * (MAX_LINE_BYTES + MEBI)))
    with pytest.raises(
        ArchiveLimitError, match=r"line 2 is longer than 16,777,216 bytes, which cognee-dagster does not"
    ):
        [line for member in read_members(path) for line in member.lines()]
    lines = [len(line) for member in read_members(path, any_size=True) for _, line in member.lines()]
    assert max(lines) > MAX_LINE_BYTES


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    report = validate_archive(path)
    assert "is not a regular file" in str(report.problems[0])
    with pytest.raises(ArchiveError, match="is not a regular file"):
        list(read_members(path))


@pytest.mark.parametrize("content", [bytes(10_240), gzipped(bytes(10_240))])
def test_an_archive_of_zeros_is_an_error_and_not_an_empty_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.cogx.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="holds no file"):
        list(read_members(path))
    assert not validate_archive(path).valid
