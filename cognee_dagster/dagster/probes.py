"""The probes of a dataset: as it says them, and as its push asset's spec tells them to the import sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import dagster as dg
from pydantic import AfterValidator, Field, InstanceOf

from cognee_dagster.dagster.keys import PROBES
from cognee_dagster.dagster.templates import rendered
from cognee_dagster.pushing.probes.probe import Probe

MAX_PROBES = 20  # of one remote dataset; each is a request, which the step of a push and a sensor's tick wait for

Probes = Annotated[
    Sequence[InstanceOf[Probe]],
    AfterValidator(tuple),
    Field(max_length=MAX_PROBES, description=f"a list of Probe, {MAX_PROBES} at most"),
]


def of_partition(probes: Sequence[Probe], key: str) -> tuple[Probe, ...]:
    """What is asked about one partition.

    Raises:
        DatasetDefinitionError: The key makes a question of it that cannot be asked.
    """
    return tuple(
        replace(probe, question=rendered(probe.question, key), contains=rendered(probe.contains, key))
        for probe in probes
    )


def probes_metadata(probes: Sequence[Probe]) -> dict[str, Any]:
    """What a push asset's spec says of its probes; nothing where there are none."""
    return {PROBES: [asdict(probe) for probe in probes]} if probes else {}


def probes_of(metadata: Mapping[str, Any]) -> tuple[Probe, ...]:
    """The probes in a push asset's spec."""
    said = metadata.get(PROBES, ())
    return tuple(Probe(**fields) for fields in (said.value if isinstance(said, dg.MetadataValue) else said))
