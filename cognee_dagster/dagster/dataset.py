"""``CogneeDataset``: what a user says about one dataset, checked where it is said."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import dagster as dg

from cognee_dagster.cogx.format import MAX_MEMBER_BYTES, MAX_TOTAL_BYTES, Limits
from cognee_dagster.dagster.field_types import (
    Dependencies,
    FieldType,
    Flag,
    GivenArchive,
    Graph,
    KeyPrefix,
    Meaning,
    Name,
    NumBytes,
    OptionalString,
    Partitions,
    Removed,
    RepushAttempts,
    ResourceKey,
    RetryPolicy,
    Share,
    String,
    Strings,
    Sync,
    Tags,
    User,
    Verify,
)
from cognee_dagster.dagster.keys import DATASET_TAG, REMOTE_TAG
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE, REMOTE_RESOURCE
from cognee_dagster.dagster.templates import PLACEHOLDER, fits_in_a_path, is_template, rendered
from cognee_dagster.errors import CogneeDagsterError, DatasetDefinitionError
from cognee_dagster.pushing.options import MAX_REMOVED, validate_mode
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.profiles.choose import named_profile
from cognee_dagster.store.names import as_identifier, is_plain, safe_segment

CODE_VERSION = 1  # raise it when the assets' code changes what they produce

# What decides what is read, and how it is cut: parts of the code version of what is made of it.
SOURCE_FIELDS = ("name", "documents", "graph", "archive", "mapping", "profile", "user")
LIMIT_FIELDS = ("max_archive_bytes", "max_file_bytes")

# What is another for each partition: these have to have a place for its key, and are rendered with it.
_OF_EACH_PARTITION = ("name", "target_dataset", "documents", "graph", "archive")
_PATHS = ("documents", "graph", "archive")


@dataclass(frozen=True, kw_only=True)
class CogneeDataset:
    """One dataset's way from a local graph to a remote Cognee: a chain of assets.

    Attributes:
        name: The local Cognee dataset: a name, or its UUID. A string is a name first, and, if no dataset has that name
            and it is one, a UUID. With ``graph`` it is the name that the graph gets.
        documents: Glob patterns (``docs/**/*.md``) of files to add to the dataset and cognify before it is read: what
            is new or changed. Cognee does not forget by itself: a file that no pattern matches any more stays in the
            dataset, see ``sources.cognee.documents.add_documents``.
        graph: Instead of a local Cognee dataset: the ``AssetKey`` of an asset of yours that returns a NetworkX graph,
            or the path or URL of a graph file, or a folder that holds a graph; see docs/bring-your-graph.md.
        archive: Instead of a graph, a COGX archive that is there already, of whichever system: its path or URL, or the
            directory that ``cognee.export()`` wrote. The remote gets it exactly as it is; the chain begins with
            ``cogx_archive``.
        mapping: Which attributes of ``graph`` hold type, name and relationship, and what becomes of the others: a
            ``GraphMapping``, or its fields; default: found by convention.
        profile: Whose conventions those are, such as ``graphrag``; default: what the graph shows.
        partitions_def: One chain for many datasets, each a partition, such as a tenant: a ``PartitionsDefinition``, a
            list of keys, or the name of a dynamic one. ``name``, and of ``target_dataset``, ``documents`` and the path
            of ``graph`` or ``archive`` what is given, hold ``{partition}``: each partition has its key there; ``user``
            may, too.
        deps: Assets that are made before the graph is looked at, such as those that write the documents, the graph file
            or the archive, or that run Cognee: their keys, the assets, or their specs. A string is a key, ``eu/page``.
        target_dataset: Dataset name on the remote; default: the local one's name.
        remote: The key of the ``CogneeRemote`` resource that it is pushed to, and the name of the pool of its pushes.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        sync: ``full`` sends everything each time and removes nothing; ``incremental`` keeps a mirror: what has changed
            is sent, what is gone is removed, and the push waits for the import. See docs/mirrors.md.
        on_removed: What becomes of records that a mirror has and the graph no longer: ``remove`` them, ``keep`` them,
            ``fail``, or ``replace`` the whole remote graph, which is empty meanwhile.
        max_removed: The share of a mirror's nodes, edges or documents that one push may remove.
        run_in_background: Do not wait for the import: the import sensor reports it.
        verify: How a finished import is held against what was sent: ``counts`` (the server's own count of the records
            it read), ``graph`` (read the remote graph back, too, and compare nodes and edges) or ``off``.
        fail_on_incomplete: Whether the step of a push in the foreground fails, too, where that finds something missing;
            otherwise only the check ``remote_import_succeeded`` does.
        key_prefix: Put before the dataset in every asset key; a string may hold several segments (``team/graphs``).
        asset_name: The dataset's part of every asset key; default: made of its name.
        group_name: The assets' group; default: made of ``key_prefix`` and the dataset's name.
        owners: E-mail addresses and ``team:…`` names.
        tags: Dagster tags of all assets of the chain.
        cron_schedule: When to run the whole chain, as a cron expression.
        execution_timezone: The cron expression's time zone, such as ``Europe/Berlin``; default UTC.
        user: The local Cognee user who reads: an e-mail or a UUID; default: the ``LocalCognee`` resource's.
        repush_attempts: How often to push again, unasked, when a background import fails or stalls; 0: report only.
        repush_in_background: Whether pushing again is in the background, too.
        max_archive_bytes: What the remote takes in one archive, unpacked; a larger graph goes in several archives. The
            default is what every Cognee server accepts.
        max_file_bytes: Likewise, what it takes in one file of an archive.
        retry_policy: How often a step is tried again where that can help; default: see ``DEFAULT_RETRY_POLICY``.

    Raises:
        DatasetDefinitionError: A value that cannot work; the message names the dataset and the field.
    """

    name: Name
    documents: Strings = ()
    graph: Graph = None
    archive: GivenArchive = None
    mapping: Meaning = field(default=None, hash=False)
    profile: OptionalString = None
    partitions_def: Partitions = field(default=None, hash=False)
    deps: Dependencies = ()
    target_dataset: OptionalString = None
    remote: ResourceKey = REMOTE_RESOURCE
    mode: String = "preserve"
    sync: Sync = "full"
    on_removed: Removed = "remove"
    max_removed: Share = MAX_REMOVED
    run_in_background: Flag = False
    verify: Verify = "counts"
    fail_on_incomplete: Flag = False
    key_prefix: KeyPrefix = ()
    asset_name: OptionalString = None
    group_name: OptionalString = None
    owners: Strings = ()
    tags: Tags = field(default_factory=dict, hash=False)
    cron_schedule: OptionalString = None
    execution_timezone: OptionalString = None
    user: User = None
    repush_attempts: RepushAttempts = 0
    repush_in_background: Flag = True
    max_archive_bytes: NumBytes = MAX_TOTAL_BYTES
    max_file_bytes: NumBytes = MAX_MEMBER_BYTES
    retry_policy: RetryPolicy = field(default=None, hash=False)

    def __post_init__(self) -> None:
        self._check_types()
        self._check_name()
        self._check_source()
        self._check_push()
        self._check_partitions()
        self._check_with_dagster()

    @cached_property
    def segment(self) -> str:
        """The dataset's part of the asset keys: its name, or one made of it where Dagster would not take it."""
        if self.asset_name is not None:
            return self.asset_name
        name = str(self.name)
        return safe_segment(name if self.partitions is None else rendered(name, "partition"))

    @property
    def graph_key(self) -> dg.AssetKey:
        return self._key("cognified_graph")

    @property
    def archive_key(self) -> dg.AssetKey:
        return self._key("cogx_archive")

    @property
    def push_key(self) -> dg.AssetKey:
        return self._key("remote_push")

    @property
    def remote_graph_key(self) -> dg.AssetKey:
        return self._key("remote_graph")

    @property
    def graph_asset(self) -> dg.AssetKey | None:
        """The asset that returns the graph, if one does."""
        return self.graph if isinstance(self.graph, dg.AssetKey) else None

    @property
    def partitions(self) -> dg.PartitionsDefinition[str] | None:
        """``partitions_def`` as Dagster knows it."""
        return self.partitions_def if isinstance(self.partitions_def, dg.PartitionsDefinition) else None

    @property
    def group(self) -> str:
        return self.group_name or as_identifier("__".join([*self.key_prefix, self.segment]))

    @property
    def all_tags(self) -> dict[str, str]:
        return {**self.tags, DATASET_TAG: self.segment, REMOTE_TAG: self.remote}

    @property
    def job_name(self) -> str:
        """The job over the whole chain, where it has one."""
        return f"push_{self.push_key.to_python_identifier().removesuffix('__remote_push')}"

    @property
    def limits(self) -> Limits:
        """What one archive may hold."""
        return Limits(total_bytes=self.max_archive_bytes, member_bytes=self.max_file_bytes)

    @property
    def graph_mapping(self) -> GraphMapping | None:
        """``mapping`` as a value."""
        return GraphMapping.of(self.mapping) if isinstance(self.mapping, Mapping) else self.mapping

    def of_partition(self, key: str) -> "CogneeDataset":
        """What a chain with partitions says of one of them: a dataset without any, and with the chain's assets.

        Raises:
            DatasetDefinitionError: The key makes a name or a path that cannot be used.
        """
        of_it = {name: rendered(getattr(self, name), key) for name in (*_OF_EACH_PARTITION, "user")}
        try:
            if not fits_in_a_path(key) and any(is_template(getattr(self, name)) for name in _PATHS):
                raise self._error("partitions_def", key, "a path with that key in it would lead to other files")
            return replace(self, **of_it, asset_name=self.segment, partitions_def=None)
        except DatasetDefinitionError as error:
            raise DatasetDefinitionError(f"Partition {key!r} of {str(self.name)!r} cannot be used. {error}") from None

    def code_version(self, *fields: str) -> str:
        """A hash of the code's version and of the named fields, so that Dagster sees when a definition changed."""
        values = {name: str(getattr(self, name)) for name in fields}
        text = json.dumps([CODE_VERSION, values], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]

    def _key(self, last: str) -> dg.AssetKey:
        return dg.AssetKey([*self.key_prefix, self.segment, last])

    def _check_types(self) -> None:
        for name, its_type in _field_types().items():
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, its_type.checked(value))
            except ValueError as error:
                raise self._error(name, value, str(error)) from None

    def _check_name(self) -> None:
        if isinstance(self.name, UUID):
            return
        if self.name != self.name.strip():
            raise self._error("name", self.name, "it begins or ends with white space")
        if not self.name.isprintable():
            raise self._error("name", self.name, "it holds a line break or another character that cannot be printed")

    def _check_source(self) -> None:
        if self.graph is not None and self.documents:
            raise self._error("documents", self.documents, "documents cannot be added to a graph= of your own")
        if self.graph is not None and isinstance(self.name, UUID):
            raise self._error("name", self.name, "a graph= of your own needs a name, not a UUID")
        if self.archive is not None:
            self._check_archive()
        for name in ("mapping", "profile"):
            if self.graph is None and getattr(self, name) is not None:
                raise self._error(name, getattr(self, name), "it is about a graph= of your own, and there is none")
        self._check("mapping", lambda: self.graph_mapping)
        self._check("profile", lambda: self.profile is None or named_profile(self.profile))

    def _check_archive(self) -> None:
        for name in ("graph", "documents", "user"):
            if getattr(self, name):
                raise self._error(name, getattr(self, name), "an archive= is sent as it is: nothing is read for it")
        if isinstance(self.name, UUID):
            raise self._error("name", self.name, "an archive= needs a name, not a UUID")

    def _check_push(self) -> None:
        self._check("mode", lambda: validate_mode(self.mode))
        if self.remote in (LOCAL_RESOURCE, ARCHIVES_RESOURCE):
            raise self._error("remote", self.remote, "that is the key of another resource of every dataset")
        if self.sync == "incremental":
            self._check_mirror()
        if self.target_dataset is not None:
            target = self.target_dataset
            self._check("target_dataset", lambda: validate_dataset_name(target))
        elif isinstance(self.name, str):  # which is then the remote dataset's, too
            name = self.name
            self._check("name", lambda: validate_dataset_name(name))

    def _check_partitions(self) -> None:
        """Two partitions that had a dataset in common would be merged there."""
        for name in _OF_EACH_PARTITION:
            value = getattr(self, name)
            if not value or isinstance(value, dg.AssetKey) or is_template(value) is (self.partitions is not None):
                continue
            if self.partitions is None:
                raise self._error(name, value, f"there is no partitions_def whose keys {PLACEHOLDER} could stand for")
            raise self._error(name, value, f"without {PLACEHOLDER} in it, it would be the same for all partitions")
        if isinstance(self.partitions, dg.StaticPartitionsDefinition):
            for key in self.partitions.get_partition_keys():
                self.of_partition(key)

    def _check_mirror(self) -> None:
        if self.mode != "preserve":
            raise self._error("sync", self.sync, f"in mode {self.mode} the server makes a graph of its own")
        if self.archive is not None:
            raise self._error("sync", self.sync, "an archive= is sent as it is, all of it")

    def _check_with_dagster(self) -> None:
        """What Dagster itself would refuse later, when nobody could tell which dataset it was about."""
        for segment in self.key_prefix:
            if not is_plain(segment):
                raise self._error(
                    "key_prefix", segment, "use only letters, digits, '_' and '-', and at most 63 of them a segment"
                )
        if self.asset_name is not None and not is_plain(self.asset_name):
            raise self._error("asset_name", self.asset_name, "use at most 63 letters, digits, '_' and '-'")
        key = self.graph_key
        self._check("group_name", lambda: dg.AssetSpec(key, group_name=self.group_name))
        self._check("owners", lambda: dg.AssetSpec(key, owners=list(self.owners)))
        self._check("tags", lambda: dg.AssetSpec(key, tags=self.all_tags))
        if self.cron_schedule is None:
            if self.execution_timezone is not None:
                raise self._error("execution_timezone", self.execution_timezone, "there is no cron_schedule")
            return
        self._check("cron_schedule", self._schedule_probe(timezone=None))
        self._check("execution_timezone", self._schedule_probe(timezone=self.execution_timezone))

    def _schedule_probe(self, *, timezone: str | None) -> Callable[[], object]:
        return lambda: dg.ScheduleDefinition(
            name="probe", job_name="probe", cron_schedule=str(self.cron_schedule), execution_timezone=timezone
        )

    def _check(self, name: str, probe: Callable[[], object]) -> None:
        try:
            probe()
        except (CogneeDagsterError, dg.DagsterError, TypeError) as error:
            raise self._error(name, getattr(self, name), str(error)) from None

    def _error(self, name: str, value: Any, reason: str) -> DatasetDefinitionError:
        shown = repr(value if not isinstance(value, Path) else str(value))
        if len(shown) > 100:
            shown = shown[:97] + "…" + shown[-1]
        return DatasetDefinitionError(
            f"CogneeDataset {str(self.name)[:80]!r}: {name}={shown} cannot be used: {reason}."
        )


@cache
def _field_types() -> Mapping[str, FieldType]:
    return {name: FieldType(hint) for name, hint in get_type_hints(CogneeDataset, include_extras=True).items()}
