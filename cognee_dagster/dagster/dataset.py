"""``CogneeDataset``: what a user says about one dataset, checked where it is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from uuid import UUID

import dagster as dg

from cognee_dagster.cogx.format import MAX_MEMBER_BYTES, MAX_TOTAL_BYTES, Limits
from cognee_dagster.dagster.chain_keys import ChainKeys
from cognee_dagster.dagster.field_types import (
    Dependencies,
    DocumentsRemoved,
    Execute,
    Flag,
    GivenArchive,
    Graph,
    KeyPrefix,
    Meaning,
    Name,
    NumBytes,
    OpTags,
    OptionalString,
    Partitions,
    RetryPolicy,
    Strings,
    Tags,
    Translator,
    User,
)
from cognee_dagster.dagster.keys import DATASET_TAG, REMOTE_TAG, TARGET_TAG
from cognee_dagster.dagster.probes import of_partition
from cognee_dagster.dagster.remote_target import DeliveryOptions, RemoteTarget, Targets, problems_between
from cognee_dagster.dagster.templates import PLACEHOLDER, fits_in_a_path, is_template, rendered
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.profiles.choose import named_profile
from cognee_dagster.store.names import is_plain, safe_segment

# What decides what is read, and how it is cut: parts of the code version of what is made of it.
SOURCE_FIELDS = ("name", "documents", "documents_removed", "graph", "archive", "mapping", "profile", "user")
LIMIT_FIELDS = ("max_archive_bytes", "max_file_bytes")

# What is another for each partition: these have to have a place for its key, and are rendered with it.
_OF_EACH_PARTITION = ("name", "target_dataset", "documents", "graph", "archive")
_PATHS = ("documents", "graph", "archive")


@dataclass(frozen=True, kw_only=True)
class CogneeDataset(ChainKeys, DeliveryOptions):
    """One dataset's way from a local graph to a remote Cognee: a chain of assets.

    Every attribute of ``DeliveryOptions`` is one, too: where the archive goes, and how. With ``targets`` each of them
    says that itself.

    Attributes:
        name: The local Cognee dataset: a name, or its UUID. A string is a name first, and, if no dataset has that name
            and it is one, a UUID. With ``graph`` it is the name that the graph gets.
        documents: Glob patterns (``docs/**/*.md``) of files to add to the dataset and cognify before it is read: what
            is new or changed.
        documents_removed: What becomes of documents that left their folder: ``keep``; ``forget`` them, as far as
            ``max_removed`` allows; or ``fail``.
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
        observe_graph: Whether the graph is built outside of Dagster: ``cognified_graph`` is then observed, not
            materialized, and reports the data version that it finds.
        targets: Several remote datasets instead of one: a list of ``RemoteTarget``, each with its own ``remote_push``
            and ``remote_graph`` under ``<dataset>/<target>``.
        key_prefix: Put before the dataset in every asset key; a string may hold several segments (``team/graphs``).
        asset_name: The dataset's part of every asset key; default: made of its name.
        group_name: The assets' group; default: made of ``key_prefix`` and the dataset's name.
        owners: E-mail addresses and ``team:…`` names.
        tags: Dagster tags of all assets of the chain.
        user: The local Cognee user who reads: an e-mail or a UUID; default: the ``LocalCognee`` resource's.
        max_archive_bytes: What the remote takes in one archive, unpacked; a larger graph goes in several archives. The
            default is what every Cognee server accepts.
        max_file_bytes: Likewise, what it takes in one file of an archive.
        retry_policy: How often a step is tried again where that can help; default: twice, a push after 10 and
            30 s, another step after about 30 and 90 s.
        translator: What the assets are called, and what they say of themselves: a ``CogneeTranslator``.
        execute: What runs each step of the chain: a function of the step's context and a ``CogneeStep``.
        pool: The pool of its pushes; default: the key of the remote.
        op_tags: Tags of its steps and checks, such as ``dagster-k8s/config``.

    Raises:
        DatasetDefinitionError: A value that cannot work; the message names the dataset and the field.
    """

    name: Name
    documents: Strings = ()
    documents_removed: DocumentsRemoved = "keep"
    graph: Graph = None
    archive: GivenArchive = None
    mapping: Meaning = field(default=None, hash=False)
    profile: OptionalString = None
    partitions_def: Partitions = field(default=None, hash=False)
    deps: Dependencies = ()
    observe_graph: Flag = False
    targets: Targets = ()
    key_prefix: KeyPrefix = ()
    asset_name: OptionalString = None
    group_name: OptionalString = None
    owners: Strings = ()
    tags: Tags = field(default_factory=dict, hash=False)
    user: User = None
    max_archive_bytes: NumBytes = MAX_TOTAL_BYTES
    max_file_bytes: NumBytes = MAX_MEMBER_BYTES
    retry_policy: RetryPolicy = field(default=None, hash=False)
    translator: Translator = field(default=None, hash=False)
    execute: Execute = field(default=None, hash=False)
    pool: OptionalString = None
    op_tags: OpTags = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._check_types()
        self._check_holds_no_secret("graph", "archive", "documents")
        self._check_name()
        self._check_source()
        self._check_delivery()
        self._check_push()
        self._check_partitions()
        self._check_targets()
        self._check_with_dagster()

    @cached_property
    def segment(self) -> str:
        """The dataset's part of the asset keys: its name, or one made of it where Dagster would not take it."""
        if self.asset_name is not None:
            return self.asset_name
        name = str(self.name)
        return safe_segment(name if self.partitions is None else rendered(name, "partition"))

    @cached_property
    def each_target(self) -> "tuple[CogneeDataset, ...]":
        """The dataset on its way to each of its targets; without ``targets`` there is one, and that is the dataset."""
        return tuple(TargetedDataset.of(self, target) for target in self.targets) or (self,)

    @property
    def target_name(self) -> str | None:
        """The target that it is on its way to, of several."""
        return None

    @property
    def promoted_from(self) -> "CogneeDataset | None":
        """The dataset on its way to the target whose confirmed archive this one gets."""
        return None

    def target(self, name: str) -> "CogneeDataset":
        """The dataset on its way to one of its targets.

        Raises:
            DatasetDefinitionError: It has none of that name.
        """
        for found in self.each_target:
            if found.target_name == name:
                return found
        raise self._error("targets", [target.name for target in self.targets], f"none of them is {name!r}")

    @property
    def graph_asset(self) -> dg.AssetKey | None:
        """The asset that returns the graph, if one does."""
        return self.graph if isinstance(self.graph, dg.AssetKey) else None

    @property
    def partitions(self) -> dg.PartitionsDefinition[str] | None:
        """``partitions_def`` as Dagster knows it."""
        return self.partitions_def if isinstance(self.partitions_def, dg.PartitionsDefinition) else None

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags of its assets; what several targets share has no remote."""
        of_target = {} if self.targets else {REMOTE_TAG: self.remote}
        of_several = {TARGET_TAG: self.target_name} if self.target_name else {}
        return {**self.tags, DATASET_TAG: self.segment, **of_target, **of_several}

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
        if not key:
            raise DatasetDefinitionError(f"Partition '' of {str(self.name)!r} cannot be used. The key is empty.")
        of_it = {name: rendered(getattr(self, name), key) for name in (*_OF_EACH_PARTITION, "user")}
        try:
            of_it["probes"] = of_partition(self.probes, key)
            of_it["targets"] = tuple(target.of_partition(key) for target in self.targets)
            if not fits_in_a_path(key) and any(is_template(getattr(self, name)) for name in _PATHS):
                raise self._error("partitions_def", key, "a path with that key in it would lead to other files")
            made = replace(self, **of_it, asset_name=self.segment, partitions_def=None)
        except DatasetDefinitionError as error:
            raise DatasetDefinitionError(f"Partition {key!r} of {str(self.name)!r} cannot be used. {error}") from None
        made.with_keys_of(self)
        return made

    def __str__(self) -> str:
        return repr(str(self.name)) + (f" to {self.target_name}" if self.target_name else "")

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
        if self.documents_removed != "keep" and not self.documents:
            raise self._error("documents_removed", self.documents_removed, "there are no documents=")
        if self.graph is not None and isinstance(self.name, UUID):
            raise self._error("name", self.name, "a graph= of your own needs a name, not a UUID")
        if self.archive is not None:
            self._check_archive()
        if self.observe_graph and (self.documents or self.graph_asset or self.archive is not None):
            raise self._error("observe_graph", True, "the graph is made, or handed over, by an asset of this chain")
        for name in ("mapping", "profile"):
            if self.graph is None and getattr(self, name) is not None:
                raise self._error(name, getattr(self, name), "it is about a graph= of your own, and there is none")
        self._check("mapping", lambda: self.graph_mapping)
        self._check("profile", lambda: self.profile is None or named_profile(self.profile))

    def keeps_mirror(self, *, mode: str, in_background: bool) -> bool:
        """Whether a push in that way keeps a mirror: as ``sync`` says, else wherever it can."""
        if self.sync is not None:
            return self.sync == "incremental"
        return mode == "preserve" and not in_background and self.archive is None

    def _check_archive(self) -> None:
        for name in ("graph", "documents", "user"):
            if getattr(self, name):
                raise self._error(name, getattr(self, name), "an archive= is sent as it is: nothing is read for it")
        if isinstance(self.name, UUID):
            raise self._error("name", self.name, "an archive= needs a name, not a UUID")

    def _check_push(self) -> None:
        if self.targets:  # each of them is looked at for itself
            return
        if self.sync == "incremental" and self.archive is not None:
            raise self._error("sync", self.sync, "an archive= is sent as it is, all of it")
        if self.target_dataset is None and isinstance(name := self.name, str):  # which is then the remote's, too
            self._check("name", lambda: validate_dataset_name(name))

    def _check_targets(self) -> None:
        if not self.targets:
            return
        own = {"max_removed"} if self.documents_removed == "forget" else set()
        for option in (option for option in fields(DeliveryOptions) if option.name not in own):
            if (value := getattr(self, option.name)) != option.default:
                raise self._error(option.name, value, "the dataset has targets, and each RemoteTarget says that itself")
        for problem in problems_between(self.targets, dataset_name=str(self.name)):
            raise self._error("targets", [target.name for target in self.targets], problem)
        self.each_target  # noqa: B018 - made now, so that what is wrong with one is said now

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

    def _check_with_dagster(self) -> None:
        """What Dagster itself would refuse later, when nobody could tell which dataset it was about."""
        for segment in self.key_prefix:
            if not is_plain(segment):
                raise self._error(
                    "key_prefix", segment, "use only letters, digits, '_' and '-', and at most 63 of them a segment"
                )
        if self.asset_name is not None and not is_plain(self.asset_name):
            raise self._error("asset_name", self.asset_name, "use at most 63 letters, digits, '_' and '-'")
        key = dg.AssetKey(self.segment)
        self._check("group_name", lambda: dg.AssetSpec(key, group_name=self.group_name))
        self._check("owners", lambda: dg.AssetSpec(key, owners=list(self.owners)))
        self._check("tags", lambda: dg.AssetSpec(key, tags=self.all_tags))
        self._check("translator", self.refuse_equal_keys)


@dataclass(frozen=True, kw_only=True)
class TargetedDataset(CogneeDataset):
    """A dataset on its way to one of its targets: with that one's options and assets.

    Attributes:
        on_way_to: The target.
        whole: The dataset with all its targets.
    """

    on_way_to: RemoteTarget
    whole: CogneeDataset = field(repr=False, compare=False)

    @classmethod
    def of(cls, dataset: CogneeDataset, target: RemoteTarget) -> "TargetedDataset":
        """The dataset narrowed to a target.

        Raises:
            DatasetDefinitionError: The two do not go together.
        """
        said = {of.name: getattr(dataset, of.name) for of in fields(CogneeDataset)}
        options = {option.name: getattr(target, option.name) for option in fields(DeliveryOptions)}
        return cls(**{**said, **options, "targets": (), "on_way_to": target, "whole": dataset})

    @property
    def target_name(self) -> str:
        return self.on_way_to.name

    @property
    def promoted_from(self) -> CogneeDataset | None:
        source = self.on_way_to.promote_from
        return self.whole.target(source) if source is not None else None

    @property
    def shown_name(self) -> str:
        return f"CogneeDataset {str(self.name)[:80]!r}, RemoteTarget {self.target_name!r}"
