"""What the step of ``cogx_archive`` does: write the graph as an archive."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster import cogx
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.begun_imports import archive_counts
from cognee_dagster.dagster.event_log.pushes import latest_materialization, latest_observation
from cognee_dagster.dagster.steps.graph import StepResult, local_cognee, selected, snapshots
from cognee_dagster.dagster.steps.partitions import dataset_of_step, partition_of
from cognee_dagster.dagster.steps.source import find_graph
from cognee_dagster.dagster.steps.step import engine_step

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.graph.reader import GraphSummary


_ADVICE = {
    False: (
        "Lower max_archive_bytes and max_file_bytes of the dataset and materialize the archive again: the graph is "
        "then cut into smaller ones."
    ),
    True: "An archive that is sent as it is cannot be cut: give it as graph= instead of archive=.",
}


def write_archive(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, graph: Any) -> Iterator[StepResult]:
    """Write the graph as an archive, or as several; arguments as for ``look_at_graph``."""
    # The IO manager copies the archive while this generator waits at its yield: the directory is still there then.
    with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
        began = time.monotonic()
        with engine_step(context):
            dataset = dataset_of_step(context, dataset)
            found = find_graph(dataset, local=local_cognee(context, dataset), graph=graph)
            snapshot = snapshots(context, dataset).write(found, directory=Path(directory))
        yield from selected(
            context,
            [archive_check_result(dataset, snapshot.archives, summary=snapshot.summary)],
            value=snapshot.stored or snapshot.archives,
            metadata={
                **archive_metadata(snapshot.archives, seconds=time.monotonic() - began),
                keys.GRAPH_READ: snapshot.read,
                keys.CHANGED_SINCE_LOOK: _changed_since_look(context, dataset, archive=snapshot.archives[0]),
            },
            data_version=dg.DataVersion(snapshot.summary.digest),
        )


def archive_metadata(archives: "Sequence[Archive]", *, seconds: float) -> dict[str, Any]:
    """The archives' own metadata; the IO manager adds where they are (``dagster/uri``)."""
    counts: Counter[str] = Counter()
    for archive in archives:
        counts += Counter(archive.record_counts)
    return {
        keys.NUM_NODES: sum(archive.num_nodes for archive in archives),
        keys.NUM_EDGES: sum(archive.num_edges for archive in archives),
        keys.DATASET_NAME: archives[0].dataset_name,
        keys.ARCHIVE_DIGEST: archives[0].digest,
        keys.ARCHIVE_SHA256: " ".join(archive.sha256 for archive in archives),
        keys.ARCHIVE_CONTENT: " ".join(archive.content_sha256 for archive in archives),
        keys.ARCHIVE_BYTES: sum(archive.size_bytes for archive in archives),
        **archive_counts(len(archives)),
        keys.UNPACKED_BYTES: sum(archive.unpacked_bytes for archive in archives),
        keys.RECORD_COUNTS: dg.MetadataValue.json(dict(counts)),
        keys.SECONDS: round(seconds, 3),
    }


def _changed_since_look(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, archive: "Archive") -> bool:
    """Whether the graph is another one than ``cognified_graph`` saw; the archive's digest is the one that counts."""
    looks = latest_observation if dataset.observe_graph else latest_materialization
    event = looks(context.instance, dataset.graph_key, partition=partition_of(context))
    looked = event.metadata.get(keys.GRAPH_DIGEST) if event else None
    if looked is None or looked.value == archive.digest:
        return False
    context.log.warning(
        f"The graph of {str(dataset.name)!r} changed after {dataset.graph_key.to_user_string()} looked at it (digest "
        f"then {looked.value}, now {archive.digest}); the archive holds it as it is now."
    )
    return True


def archive_check_result(
    dataset: CogneeDataset, archives: "Sequence[Archive]", *, summary: "GraphSummary | None" = None
) -> dg.AssetCheckResult:
    """Whether a server takes every archive: its size, and the nodes in it."""
    count = len(archives)
    too_large = [
        f"archive {number} of {count} {problem}"
        for number, archive in enumerate(archives, start=1)
        for problem in cogx.limit_problems(archive.member_bytes, limits=dataset.limits)
    ]
    refused = cogx.refused_nodes(summary) if summary is not None else ""
    problems = [refused] if refused else []
    if too_large:
        problems.append(f"{'; '.join(too_large)}. {_ADVICE[archives[0].as_it_is]}")
    return dg.AssetCheckResult(
        check_name=keys.CHECK_WITHIN_LIMITS,
        asset_key=dataset.archive_key,
        passed=not problems,
        description=" ".join(problems)
        or "Within the limits of a Cognee server" + (f", in {count} archives." if count > 1 else "."),
        metadata={
            **archive_counts(count),
            keys.ARCHIVE_CONTENT: " ".join(archive.content_sha256 for archive in archives),
            keys.ARCHIVE_BYTES: sum(archive.size_bytes for archive in archives),
            keys.UNPACKED_BYTES: sum(archive.unpacked_bytes for archive in archives),
        },
    )
