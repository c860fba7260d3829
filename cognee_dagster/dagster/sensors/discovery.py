"""What a look at the local Cognee's datasets means for the partitions of a chain."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.field_types import NOT_IN_A_PARTITION_KEY
from cognee_dagster.dagster.templates import key_in
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.cognee.datasets import ListedDataset

OnVanished = Literal["keep", "remove", "fail"]

_MAX_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class VanishedPolicy:
    """What becomes of partitions whose local dataset is gone.

    Attributes:
        on_vanished: ``keep`` them, ``remove`` them from the partitions (their remote datasets stay), or ``fail``.
        max_removed: The share of the partitions that one look may remove.
    """

    on_vanished: OnVanished
    max_removed: float


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """A chain's partitions against the datasets there are.

    Attributes:
        datasets: The datasets that the chain's name fits, by their partition's key.
        new: Keys that are no partition yet.
        vanished: Partitions without a dataset.
        refused: Why a dataset cannot be a partition.
    """

    datasets: dict[str, ListedDataset] = field(default_factory=dict)
    new: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def removed(self, policy: VanishedPolicy) -> tuple[str, ...]:
        """The partitions that are to be removed: all that vanished, or none where that may be a mistake."""
        known = len(self.datasets) - len(self.new) + len(self.vanished)
        too_many = len(self.vanished) > policy.max_removed * known or not self.datasets
        return () if policy.on_vanished != "remove" or too_many else self.vanished

    def about_vanished(self, policy: VanishedPolicy) -> str:
        """What is done about them, and what somebody else may have to do; empty without any."""
        if not self.vanished:
            return ""
        there = counted(len(self.vanished), "partition has", "partitions have")
        what = f"{there} no local dataset any more ({named(self.vanished)})"
        if policy.on_vanished == "fail":
            return f"{what}. If they are gone on purpose, delete the partitions in the UI."
        if policy.on_vanished == "keep":
            return f"{what}: they stay."
        if self.removed(policy):
            return f"{what}: they are removed. Their datasets on the remote stay, and so do their archives."
        if not self.datasets:
            return f"{what}, and no dataset is there at all: none is removed. Look whether this is the right Cognee."
        return (
            f"{what}, more than the {policy.max_removed:.0%} that max_removed allows: none is removed. If they are "
            "gone on purpose, delete the partitions in the UI, or raise max_removed for a while."
        )


def discover(
    chain: CogneeDataset, listed: Iterable[ListedDataset], known: Collection[str], *, odd: Iterable[str] = ()
) -> Discovery:
    """Hold a chain's partitions against the datasets there are.

    Args:
        chain: The chain; its name is a template.
        listed: The local datasets.
        known: The keys of the partitions there are.
        odd: Why there are more that cannot be listed.
    """
    fitting = {key: dataset for dataset in listed if (key := key_in(str(chain.name), dataset.name)) is not None}
    refused = {key: reason for key in fitting if key not in known and (reason := _reason_against(chain, key))}
    return Discovery(
        datasets={key: dataset for key, dataset in fitting.items() if key not in refused},
        new=tuple(key for key in fitting if key not in known and key not in refused),
        vanished=tuple(sorted(set(known) - set(fitting))),
        refused=(*refused.values(), *odd),
    )


def named(keys: Collection[str]) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(sorted(keys)[:_MAX_NAMED])
    return shown if len(keys) <= _MAX_NAMED else f"{shown} and {len(keys) - _MAX_NAMED} more"


def _reason_against(chain: CogneeDataset, key: str) -> str | None:
    if NOT_IN_A_PARTITION_KEY.search(key):  # Dagster would refuse the whole tick
        return f"Partition {key!r} of {str(chain.name)!r} cannot be used. Dagster takes no such key."
    try:
        chain.of_partition(key)
    except DatasetDefinitionError as error:
        return str(error)
    return None
