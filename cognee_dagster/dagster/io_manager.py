"""``CogxArchiveIOManager``: hands a COGX archive from the step that writes it to the step that needs it."""

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import ConfigDict, Field, field_validator, model_validator

from cognee_dagster import cogx, sources
from cognee_dagster.dagster.failures import failure_of, is_retryable
from cognee_dagster.dagster.keys import BYTES_FREED, MAY_BE_ABSENT_TAG
from cognee_dagster.errors import ArchiveNotStoredError
from cognee_dagster.store.archives import DEFAULT_ARCHIVE_DIRECTORY, ArchiveStore
from cognee_dagster.store.keep import Keep, seconds_of
from cognee_dagster.store.prune import prune_place
from cognee_dagster.store.prune_plan import PruneReport
from cognee_dagster.store.stored import AbsentArchive, StoredArchive
from cognee_dagster.system.urls import secret_in_url

if TYPE_CHECKING:
    import networkx as nx

    from cognee_dagster.cogx.archive import Archive


MAY_BE_ABSENT = {MAY_BE_ABSENT_TAG: "true"}
"""The tags of a step that may do without an archive: it gets an ``AbsentArchive`` where there is none."""

# The push of a run that made an archive may have to wait for its turn: until then nothing but its age tells that.
WAITING_SECONDS = 86_400

# What Dagster, from 1.12.20 on, gives as the run of an upstream output that the present run neither made nor inherited.
_NO_RUN = "__EPHEMERAL_RUN_ID"


class KeepArchives(dg.Config):
    """Which archives of an asset are kept when it is made again: whatever one of the two rules names."""

    last: int | None = Field(default=None, description="The last so many, 1 or more; an unchanged graph's counts once.")
    within: str | None = Field(default=None, description="Those that a run has written since: 12h, 30d or 8w.")

    @model_validator(mode="after")
    def _makes_sense(self) -> "KeepArchives":
        self.rules()
        return self

    def rules(self) -> Keep:
        """As the archive store takes them.

        Raises:
            DatasetDefinitionError: There is none, or a number or duration is none.
        """
        return Keep(last=self.last, within=None if self.within is None else seconds_of(self.within))


class CogxArchiveIOManager(dg.ConfigurableIOManager):
    """Stores archives on any fsspec file system: a directory, ``s3://…``, ``gs://…``, ``abfs://…``.

    The directory is a separate setting, not the Dagster instance's storage, which may be temporary. Steps that run on
    different machines need one that all of them reach. Credentials come from the file system's own environment.

    A downstream asset gets a ``StoredArchive``; ``with stored.local() as archives`` gives local files: one, or the
    several that a graph beyond a server's limits takes. One whose parameter is annotated as a ``networkx.MultiDiGraph``
    gets the graph itself. A run that made the archive, or re-executes one that did, gets
    that very archive; any other gets the latest.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    base_directory: str = Field(
        default=DEFAULT_ARCHIVE_DIRECTORY,
        description="Where archives are stored: a directory or an fsspec URL such as s3://bucket/archives.",
    )

    @field_validator("base_directory")
    @classmethod
    def _directory_holds_no_secret(cls, value: Any) -> Any:
        if found := secret_in_url(value):
            raise ValueError(
                f"there is {found} in it, which Dagster's snapshots would keep; give the file system its credentials "
                "by its own environment variables, or by fsspec's configuration"
            )
        return value

    keep: KeepArchives | None = Field(
        default=None,
        description="Remove older archives of an asset, or of its partition, whenever one is stored; default: never.",
    )

    def handle_output(self, context: dg.OutputContext, obj: "Archive | Sequence[Archive] | StoredArchive") -> None:
        place, run_id, partition = context.asset_key.path, context.run_id, _partition(context)
        with _failing():
            if isinstance(obj, StoredArchive):
                stored = obj  # the asset's own step put it there
                self.store().point(stored, place=place, run_id=run_id, partition=partition)
            else:
                archives = self._archives(obj, name=context.asset_key.to_user_string())
                stored = self.store().save(archives, place=place, run_id=run_id, partition=partition)
        first = stored.files[0].location
        metadata = {"dagster/uri": str(first if len(stored.files) == 1 else first.parent)}
        context.add_output_metadata({**metadata, **self._prune(context)})

    def _prune(self, context: dg.OutputContext) -> dict[str, int]:
        """Remove what is kept no longer. The archive is stored: nothing that goes wrong here fails the step."""
        if self.keep is None:
            return {}
        report, store = PruneReport(), self.store()
        directory = store.directory(context.asset_key.path, partition=_partition(context))
        rules = dataclasses.replace(self.keep.rules(), at_least=WAITING_SECONDS)
        try:
            prune_place(store, directory, rules, report=report)
        except Exception as error:
            report.problems.append(f"{type(error).__name__}: {error}")
        for problem in report.problems:
            context.log.warning(f"Older archives of {context.asset_key.to_user_string()} were not removed: {problem}")
        for judged in report.removed:
            context.log.info(f"Removed from the archive store: {judged.listed}, {judged.size} bytes.")
        return {BYTES_FREED: report.bytes_freed} if report.removed or report.leftover_files else {}

    def _archives(self, obj: Any, *, name: str) -> "Sequence[Archive]":
        archives = [obj] if isinstance(obj, cogx.Archive) else obj
        if not isinstance(archives, Sequence) or not archives or not all(isinstance(a, cogx.Archive) for a in archives):
            raise dg.Failure(
                f"{type(self).__name__} stores COGX archives; {name} returned {type(obj).__name__}.",
                allow_retries=False,
            )
        return archives

    def load_input(self, context: dg.InputContext) -> "StoredArchive | nx.MultiDiGraph[Any]":
        with _failing():
            stored = self._found(context)
            return graph_of(stored) if _is_graph(context.dagster_type.typing_type) else stored

    def _found(self, context: dg.InputContext) -> StoredArchive:
        upstream = context.upstream_output
        run_id = upstream.run_id if upstream is not None else _NO_RUN
        try:
            return self.store().find(
                place=context.asset_key.path,
                run_id=None if run_id == _NO_RUN else run_id,
                partition=_partition(context),
            )
        except ArchiveNotStoredError as error:
            if not _may_be_absent(context):
                raise
            return AbsentArchive(reason=str(error))

    def store(self) -> ArchiveStore:
        """Where the archives are.

        Raises:
            DatasetDefinitionError: Their file system is not known, or its package is not installed.
        """
        return ArchiveStore.at(self.base_directory)


def graph_of(stored: StoredArchive) -> "nx.MultiDiGraph[Any]":
    """The graph in the archives, in memory: node keys are ids, attributes are the properties.

    Raises:
        ArchiveError: They are not there, or not what was stored.
    """
    with stored.local() as archives:
        first, *more = [sources.to_networkx(cogx.read_archive(archive.path)) for archive in archives]
    for part in more:
        first.add_nodes_from(part.nodes(data=True))
        for source, target, attributes in part.edges(data=True):  # whose keys only count within the part
            first.add_edge(source, target, **attributes)
    return first


def _is_graph(annotation: Any) -> bool:
    """Whether that is a class of NetworkX that the most general one is a kind of."""
    networkx = sys.modules.get("networkx")  # whoever names one of its classes has imported it
    return networkx is not None and isinstance(annotation, type) and annotation in networkx.MultiDiGraph.__mro__[:-1]


@contextmanager
def _failing() -> Iterator[None]:
    """Inside it, an error fails the step, for good where waiting mends nothing."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        raise failure_of(error, allow_retries=is_retryable(error)) from error


def _may_be_absent(context: dg.InputContext) -> bool:
    try:
        tags = context.op_def.tags
    except dg.DagsterInvariantViolationError:  # loaded outside a step
        return False
    return MAY_BE_ABSENT.items() <= tags.items()


def _partition(context: dg.OutputContext | dg.InputContext) -> str | None:
    if not context.has_asset_partitions:
        return None
    partitions = context.asset_partition_keys
    if len(partitions) != 1:
        raise dg.Failure(
            f"{context.asset_key.to_user_string()}: one archive belongs to one partition, and this step has "
            f"{len(partitions)}. Run one partition at a time.",
            allow_retries=False,
        )
    return partitions[0]
