"""``CogneeDataset``: what a user says about one dataset, checked where it is said."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg

from cognee_dagster.cogx.format import MAX_MEMBER_BYTES, MAX_TOTAL_BYTES, Limits
from cognee_dagster.dagster.keys import DATASET_TAG
from cognee_dagster.errors import CogneeDagsterError, DatasetDefinitionError
from cognee_dagster.pushing.options import VERIFICATIONS, Verification, validate_mode
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.profiles.choose import named_profile
from cognee_dagster.store.names import as_identifier, is_plain, safe_segment

CODE_VERSION = 1  # raise it when the assets' code changes what they produce
MAX_REPUSH_ATTEMPTS = 20

# What decides what is read, and how it is cut: parts of the code version of what is made of it.
SOURCE_FIELDS = ("name", "documents", "graph", "mapping", "profile", "user")
LIMIT_FIELDS = ("max_archive_bytes", "max_file_bytes")

_TEXT = ((str, type(None)), "a text")
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "name": ((str, UUID), "a dataset's name or UUID"),
    "graph": ((dg.AssetKey, str, os.PathLike, type(None)), "an AssetKey or the path of a graph file"),
    "mapping": ((GraphMapping, Mapping, type(None)), "a GraphMapping, or its fields"),
    "profile": _TEXT,
    "target_dataset": _TEXT,
    "mode": ((str,), "a text"),
    "run_in_background": ((bool,), "true or false"),
    "verify": ((str,), "a text"),
    "fail_on_incomplete": ((bool,), "true or false"),
    "group_name": _TEXT,
    "tags": ((Mapping,), "a mapping of texts to texts"),
    "cron_schedule": _TEXT,
    "execution_timezone": _TEXT,
    "user": ((str, UUID, type(None)), "an e-mail address or a UUID"),
    "repush_attempts": ((int,), "a number"),
    "repush_in_background": ((bool,), "true or false"),
    "max_archive_bytes": ((int,), "a number of bytes"),
    "max_file_bytes": ((int,), "a number of bytes"),
    "retry_policy": ((dg.RetryPolicy, type(None)), "a dagster.RetryPolicy"),
}


@dataclass(frozen=True, kw_only=True)
class CogneeDataset:
    """One dataset's way from a local graph to a remote Cognee: a chain of assets.

    Attributes:
        name: The local Cognee dataset: a name, or its UUID. A text is a name first, and, if no dataset has that name
            and it is one, a UUID. With ``graph`` it is the name that the graph gets.
        documents: Glob patterns (``docs/**/*.md``) of files to add to the dataset and cognify before it is read: what
            is new or changed. Cognee does not forget by itself: a file that no pattern matches any more stays in the
            dataset, see ``sources.cognee.documents.add_documents``.
        graph: Instead of a local Cognee dataset: the ``AssetKey`` of an asset of yours that returns a NetworkX graph,
            or the path or URL of a graph file, or a folder that holds a graph; see docs/bring-your-graph.md.
        mapping: Which attributes of ``graph`` hold type, name and relationship, and what becomes of the others: a
            ``GraphMapping``, or its fields; default: found by convention.
        profile: Whose conventions those are, such as ``graphrag``; default: what the graph shows.
        target_dataset: Dataset name on the remote; default: the local one's name.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        run_in_background: Do not wait for the import: the import sensor reports it.
        verify: How a finished import is held against what was sent: ``counts`` (the server's own count of the records
            it read), ``graph`` (read the remote graph back, too, and compare nodes and edges) or ``off``.
        fail_on_incomplete: Whether the step of a push in the foreground fails, too, where that finds something missing;
            otherwise only the check ``remote_import_succeeded`` does.
        key_prefix: Put before the dataset in every asset key; a string may hold several segments (``team/graphs``).
        group_name: The assets' group; default: made of the dataset's name.
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

    name: str | UUID
    documents: Sequence[str] = ()
    graph: dg.AssetKey | str | os.PathLike[str] | None = None
    mapping: GraphMapping | Mapping[str, Any] | None = field(default=None, hash=False)
    profile: str | None = None
    target_dataset: str | None = None
    mode: str = "preserve"
    run_in_background: bool = False
    verify: Verification = "counts"
    fail_on_incomplete: bool = False
    key_prefix: str | Sequence[str] = ()
    group_name: str | None = None
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    cron_schedule: str | None = None
    execution_timezone: str | None = None
    user: str | UUID | None = None
    repush_attempts: int = 0
    repush_in_background: bool = True
    max_archive_bytes: int = MAX_TOTAL_BYTES
    max_file_bytes: int = MAX_MEMBER_BYTES
    retry_policy: dg.RetryPolicy | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        self._check_types()
        self._normalize()
        self._check_name()
        self._check_source()
        self._check_push()
        self._check_with_dagster()

    @cached_property
    def segment(self) -> str:
        """The dataset's part of the asset keys: its name, or one made of it where Dagster would not take it."""
        return safe_segment(str(self.name))

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
    def group(self) -> str:
        return self.group_name or as_identifier(self.segment)

    @property
    def all_tags(self) -> dict[str, str]:
        return {DATASET_TAG: self.segment, **self.tags}

    @property
    def limits(self) -> Limits:
        """What one archive may hold."""
        return Limits(total_bytes=self.max_archive_bytes, member_bytes=self.max_file_bytes)

    @property
    def graph_mapping(self) -> GraphMapping | None:
        """``mapping`` as a value."""
        return GraphMapping(**self.mapping) if isinstance(self.mapping, Mapping) else self.mapping

    def code_version(self, *fields: str) -> str:
        """A hash of the code's version and of the named fields, so that Dagster sees when a definition changed."""
        values = {name: str(getattr(self, name)) for name in fields}
        text = json.dumps([CODE_VERSION, values], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]

    def _key(self, last: str) -> dg.AssetKey:
        return dg.AssetKey([*self.key_prefix, self.segment, last])

    def _check_types(self) -> None:
        """Settings and YAML hand over whatever stands there."""
        for name, (expected, word) in _TYPES.items():
            if not isinstance(getattr(self, name), expected):
                raise self._error(name, getattr(self, name), f"it must be {word}")

    def _normalize(self) -> None:
        """Sequences become tuples: a list that its owner changes later must not change a definition."""
        prefix = self.key_prefix.split("/") if isinstance(self.key_prefix, str) else self.key_prefix
        object.__setattr__(self, "key_prefix", self._texts("key_prefix", prefix))
        for name in ("documents", "owners"):
            object.__setattr__(self, name, self._texts(name, getattr(self, name)))
        object.__setattr__(self, "tags", dict(self.tags))

    def _texts(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise self._error(name, values, "it must be a list of texts")
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise self._error(name, value, "each entry must be a text that is not empty")
        return tuple(values)

    def _check_name(self) -> None:
        if isinstance(self.name, UUID):
            return
        if not self.name.strip():
            raise self._error("name", self.name, "it must be a dataset's name or UUID")
        if self.name != self.name.strip():
            raise self._error("name", self.name, "it begins or ends with white space")
        if not self.name.isprintable():
            raise self._error("name", self.name, "it holds a line break or another character that cannot be printed")

    def _check_source(self) -> None:
        if isinstance(self.graph, str) and not self.graph.strip():
            raise self._error("graph", self.graph, "it must be an AssetKey or the path of a graph file")
        if self.graph is not None and self.documents:
            raise self._error("documents", self.documents, "documents cannot be added to a graph= of your own")
        if self.graph is not None and isinstance(self.name, UUID):
            raise self._error("name", self.name, "a graph= of your own needs a name, not a UUID")
        for name in ("mapping", "profile"):
            if self.graph is None and getattr(self, name) is not None:
                raise self._error(name, getattr(self, name), "it is about a graph= of your own, and there is none")
        self._check("mapping", lambda: self.graph_mapping)
        self._check("profile", lambda: self.profile is None or named_profile(self.profile))
        if isinstance(self.user, str) and not self.user.strip():
            raise self._error("user", self.user, "it must be an e-mail address or a UUID")

    def _check_push(self) -> None:
        if isinstance(self.repush_attempts, bool) or not 0 <= self.repush_attempts <= MAX_REPUSH_ATTEMPTS:
            raise self._error("repush_attempts", self.repush_attempts, f"it must be 0 to {MAX_REPUSH_ATTEMPTS}")
        for name in ("max_archive_bytes", "max_file_bytes"):
            if isinstance(getattr(self, name), bool) or getattr(self, name) <= 0:
                raise self._error(name, getattr(self, name), "it must be a number of bytes, 1 or more")
        self._check("mode", lambda: validate_mode(self.mode))
        if self.verify not in VERIFICATIONS:
            raise self._error("verify", self.verify, f"it must be one of {', '.join(VERIFICATIONS)}")
        if self.target_dataset is not None:
            target = self.target_dataset
            self._check("target_dataset", lambda: validate_dataset_name(target))

    def _check_with_dagster(self) -> None:
        """What Dagster itself would refuse later, when nobody could tell which dataset it was about."""
        for segment in self.key_prefix:
            if not is_plain(segment):
                raise self._error(
                    "key_prefix", segment, "use only letters, digits, '_' and '-', and at most 63 of them a segment"
                )
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
