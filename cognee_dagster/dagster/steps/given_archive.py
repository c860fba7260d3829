"""What the step of ``cogx_archive`` does with an archive that is there already: check it, and keep it as it is."""

import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster import sources
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.steps.archive import archive_check_result, archive_metadata
from cognee_dagster.dagster.steps.graph import StepResult, selected
from cognee_dagster.dagster.steps.partitions import dataset_of_step
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.dagster.steps.tables import count_table

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


def keep_archive(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> Iterator[StepResult]:
    """Hand the archive on, byte by byte, under the dataset's name.

    A server would refuse an archive that is not valid: the step fails with the reason, and nothing is stored.
    """
    # The IO manager copies the archive while this generator waits at its yield: the directory is still there then.
    with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
        began = time.monotonic()
        with engine_step(context):
            dataset = dataset_of_step(context, dataset)
            assert dataset.archive is not None  # noqa: S101 - the asset is made of it
            found = sources.archive_as_it_is(os.fspath(dataset.archive), directory=Path(directory))
        archives = (dataclasses.replace(found, dataset_name=str(dataset.name)),)
        yield from selected(
            context,
            [archive_check_result(dataset, archives)],
            value=archives,
            metadata={**archive_metadata(archives, seconds=time.monotonic() - began), **_content(found)},
            data_version=dg.DataVersion(found.digest),
        )


def _content(archive: "Archive") -> dict[str, Any]:
    metadata: dict[str, Any] = {keys.SOURCE_SYSTEM: archive.source_system}
    if archive.summary is not None:
        metadata[keys.NODES_BY_TYPE] = count_table(archive.summary.nodes_by_type, name="node_type", count="nodes")
        metadata[keys.EDGES_BY_RELATIONSHIP] = count_table(
            archive.summary.edges_by_relationship, name="relationship", count="edges"
        )
    return metadata
