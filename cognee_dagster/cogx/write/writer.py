"""``write_archive``: a graph as a packed COGX archive, in one pass and bounded memory."""

import contextlib
import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import (
    COGNEE_SYSTEM,
    COGX_VERSION,
    DOCUMENTS_FILE,
    ENTITIES_FILE,
    FACTS_FILE,
    MANIFEST_FILE,
    NODES_FILE,
    RECORD_KINDS,
)
from cognee_dagster.cogx.write.edge_process import EdgeProcess, pays_off, write_edges
from cognee_dagster.cogx.write.spool import Spool, assemble
from cognee_dagster.cogx.write.tally import Tally
from cognee_dagster.graph.reader import GraphOrigin, GraphReader
from cognee_dagster.system.files import replacing, require_replaceable, unnamed_file
from cognee_dagster.tracing import span

RECORD_FILES = (DOCUMENTS_FILE, ENTITIES_FILE, NODES_FILE, FACTS_FILE)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an export is.

    Attributes:
        phase: ``nodes``, ``edges`` or ``packing``.
        done: Nodes, edges or bytes so far.
        total: How many there will be, if known.
    """

    phase: str
    done: int
    total: int | None = None


def write_archive(
    reader: GraphReader, destination: Path, *, progress: Callable[[Progress], None] | None = None
) -> Archive:
    """Write a graph as a ``.cogx.tar.gz`` with the records of ``cognee.export(format="cogx")`` (Cognee 1.6.5).

    The file appears at once and complete, or not at all. The same graph, read in the same order, gives the same
    content: times and owners in the tar are zero and the manifest's ``exported_at`` is null (no server reads it).
    Memory does not grow with the graph but for what the reader keeps of it, such as node ids; the compressed members
    wait beside the destination, unnamed, until the graph is read. The edges of a large graph are written by another
    process where there are several processors.

    Args:
        reader: The graph.
        destination: The file to write or replace; its directory must exist. A symbolic link is followed.
        progress: Called after every batch, from this thread.

    Raises:
        GraphFileError: A node or edge that cannot become a record; the message names it.
        LocalCogneeError: The graph cannot be read, or the process that reads its edges was ended.
        FileExistsError: The destination is a directory, a device or another thing that is not a regular file.
        OSError: The destination cannot be written.
    """
    require_replaceable(destination)  # before the graph is read
    report = progress or _silent
    tally = Tally(reader.origin)
    with contextlib.ExitStack() as stack:
        # One thread keeps up: compressing costs less than reading and encoding together.
        threads = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="cogx-compress"))
        spools = {
            name: stack.enter_context(Spool(name, file=unnamed_file(destination.parent), threads=threads))
            for name in (MANIFEST_FILE, *RECORD_FILES)
        }
        with span("read", dataset=reader.origin.dataset_name) as reading:
            _write_records(reader, spools, tally=tally, report=report)
            summary = tally.summary().noting_mapping(reader)
            reading.set(num_nodes=summary.num_nodes, num_edges=summary.num_edges, archive_digest=summary.digest)
        counts = {RECORD_KINDS[name]: spools[name].records for name in RECORD_FILES if spools[name].records}
        spools[MANIFEST_FILE].write(encode_manifest(reader.origin, counts))
        members = [spool for spool in spools.values() if spool.size]
        report(Progress(phase="packing", done=0))
        with span("pack", dataset=reader.origin.dataset_name) as packing:
            with replacing(destination) as temporary, temporary.open("xb") as file:
                packed = assemble(members, file)
            packing.set(archive_bytes=packed.size_bytes, archive_digest=summary.digest)
        report(Progress(phase="packing", done=packed.size_bytes, total=packed.size_bytes))
    return Archive(
        path=destination,
        dataset_name=reader.origin.dataset_name,
        num_nodes=summary.num_nodes,
        num_edges=summary.num_edges,
        digest=summary.digest,
        **dataclasses.asdict(packed),
        record_counts=counts,
        member_bytes={spool.name: spool.size for spool in members},
        summary=summary,
    )


def _write_records(
    reader: GraphReader, spools: dict[str, Spool], *, tally: Tally, report: Callable[[Progress], None]
) -> None:
    def report_edges(done: int) -> None:
        report(Progress(phase="edges", done=done))

    facts = spools[FACTS_FILE]
    if reader.reopen is None or not pays_off():
        _write_nodes(reader, spools, tally=tally, report=report)
        write_edges(reader, facts, tally=tally, report=report_edges)
    else:
        with EdgeProcess(reader.reopen, facts, dataset_name=reader.origin.dataset_name) as edges:
            _write_nodes(reader, spools, tally=tally, report=report)
            edges.wait(tally=tally, report=report_edges)


def _write_nodes(
    reader: GraphReader, spools: dict[str, Spool], *, tally: Tally, report: Callable[[Progress], None]
) -> None:
    done = 0
    for nodes in tally.nodes(reader):
        spools[DOCUMENTS_FILE].write(nodes.documents.content, records=nodes.documents.count)
        spools[ENTITIES_FILE].write(nodes.entities.content, records=nodes.entities.count)
        spools[NODES_FILE].write(nodes.raw_nodes.content, records=nodes.raw_nodes.count)
        done += len(nodes.ids)
        report(Progress(phase="nodes", done=done))


def encode_manifest(origin: GraphOrigin, counts: dict[str, int]) -> bytes:
    """The manifest as ``COGXArchiveWriter`` writes it (Cognee 1.6.5), but without the time of the export."""
    manifest = {
        "cogx_version": COGX_VERSION,
        "source_system": COGNEE_SYSTEM,
        "exported_at": None,
        "counts": counts,
        "embedding_model": origin.embedding_model,
        "migration_revision": origin.migration_revision,
        "notes": [f"Exported from Cognee dataset {origin.dataset_name!r}."],
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _silent(progress: Progress) -> None:
    """For callers who do not want to know."""
