"""Finds a dataset of the local Cognee, checks that the user may read it, and opens its graph the fastest way there is.

Cognee's default stores are read directly; every other configuration, and every machine without Ladybug, is left to
Cognee itself in a child process. Both apply the same permission rule and give the same records.
"""

import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from cognee_dagster.errors import CogneeDagsterError, DatasetNotFoundError, LocalCogneeError, StoreNotFoundError
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.graph.source import FoundGraph
from cognee_dagster.sources.cognee.config import DATA_ROOT_VARIABLE, SYSTEM_ROOT_VARIABLE, LocalCogneeConfig
from cognee_dagster.sources.cognee.graph_place import is_there
from cognee_dagster.sources.cognee.ladybug_process import open_ladybug_graph
from cognee_dagster.sources.cognee.permissions import (
    Catalog,
    GraphStore,
    LocalDataset,
    LocalUser,
    UnknownStoreSchemaError,
    open_catalog,
)
from cognee_dagster.sources.cognee.user_reference import NameOrId, UserRef, user_key
from cognee_dagster.system.files import kind_of

if TYPE_CHECKING:  # Arrow comes with it
    import pyarrow as pa

    from cognee_dagster.graph.reader import GraphReader, Reopen

__all__ = ["LocalCogneeConfig", "LocalDataset", "UserRef", "find_dataset", "open_dataset", "parse_dataset"]

logger = logging.getLogger(__name__)


@contextmanager
def open_dataset(
    dataset: str | UUID, *, user: UserRef = None, config: LocalCogneeConfig | None = None
) -> "Iterator[GraphReader]":
    """Open one dataset's graph for reading. What is wrong with its file is raised when the reader is first used.

    Args:
        dataset: A ``str`` is always a name, looked up among the datasets that ``user`` owns in the current tenant; a
            ``UUID`` is an id (Cognee 1.6.5, ``get_dataset_ids``).
        user: None is Cognee's default user; an e-mail; a UUID, also as text; or anything with an ``id``.
        config: The local Cognee; default: the one this process's environment describes.

    Raises:
        DatasetNotFoundError: The user owns no dataset of that name.
        DatasetPermissionError: The user may not read it, or does not exist; an unknown UUID looks the same.
        StoreBusyError: Another process is writing the graph.
        StoreFormatError: The graph file is of another Ladybug release.
        StoreDamagedError: The graph file, or what was left beside it, is damaged.
        CogneeNotInstalledError: Cognee is needed to read this store, and the interpreter does not have it.
        LocalCogneeError: There is no store, or it cannot be read.
    """
    with find_dataset(dataset, user=user, config=config).open() as reader:
        yield reader


def find_dataset(dataset: str | UUID, *, user: UserRef = None, config: LocalCogneeConfig | None = None) -> FoundGraph:
    """Find one dataset's graph, and check that the user may read it, without opening it.

    Where only Cognee itself can tell, the dataset is looked for when the graph is opened. Arguments and errors are
    those of ``open_dataset``.
    """
    config = config or LocalCogneeConfig()
    found = _find_directly(dataset, user=user, config=config)
    if found is None:
        from cognee_dagster.sources.cognee.through_cognee import open_through_cognee  # Arrow comes with it

        own_file = _graph_file_if_known(dataset, user=user, config=config)
        return FoundGraph(open=partial(open_through_cognee, dataset, user=user, config=config, own_file=own_file))
    local_dataset, store = found
    origin = GraphOrigin(
        dataset_name=local_dataset.name,
        dataset_id=local_dataset.id,
        embedding_model=config.embedding_model,
        migration_revision=store.migration_revision if store else None,
        read_through="files",
    )
    path = _graph_file(store, config=config) if store else None
    if path is None or not is_there(path):
        return FoundGraph(open=lambda: nullcontext(EmptyReader(origin)))
    return FoundGraph(open=partial(open_ladybug_graph, path, origin=origin), file=path, origin=origin)


def parse_dataset(text: str, *, user: UserRef = None, config: LocalCogneeConfig | None = None) -> str | UUID:
    """What a person means by ``text``: the name of a dataset of theirs, else, if it is one, a UUID.

    Only for text typed by people (command line, asset configuration); ``push()`` takes every ``str`` as a name. No
    graph is opened for it. Where only Cognee itself can tell, the answer is a ``NameOrId``, which ``open_dataset`` and
    ``find_dataset`` take, so that Cognee is started once.
    """
    try:
        dataset_id = UUID(text)
    except ValueError:
        return text
    try:
        found = _find_directly(text, user=user, config=config or LocalCogneeConfig())
    except DatasetNotFoundError:
        return dataset_id
    return NameOrId(text) if found is None else text


@dataclass(frozen=True)
class ListedDataset:
    """One dataset of a local Cognee's user.

    Attributes:
        id: Its id.
        name: Its name.
        has_graph: Whether there is a graph of it; where that cannot be told without Cognee, it counts as there.
    """

    id: UUID
    name: str
    has_graph: bool


def list_datasets(
    *, user: UserRef = None, config: LocalCogneeConfig | None = None, on_odd: Callable[[str], None] = lambda _: None
) -> list[ListedDataset]:
    """The datasets that the user owns, by their names, as Cognee's own database lists them.

    Args:
        user: Default: Cognee's default user.
        config: Which Cognee; default: the one that ``import cognee`` would use.
        on_odd: Told of each row that is no dataset which anybody could name, and why.

    Raises:
        DatasetPermissionError: There is no such user.
        LocalCogneeError: There is no store, or its datasets cannot be listed without Cognee.
        StoreBusyError: Another process kept the database locked.
    """
    config = config or LocalCogneeConfig()
    obstacle = config.obstacle_to_reading_the_catalog()
    if obstacle is None:
        database = config.relational_database
        if not database.is_file():
            raise StoreNotFoundError(_no_store(database, config=config))
        try:
            with open_catalog(database) as catalog:
                owned = catalog.owned(user=_find_user(catalog, user=user, config=config), on_odd=on_odd)
                return [
                    ListedDataset(found.id, found.name, _has_graph(catalog.graph_store(found.id), config=config))
                    for found in owned
                ]
        except UnknownStoreSchemaError as error:
            obstacle = f"the schema of {database} is another Cognee release's ({error})"
    raise LocalCogneeError(
        f"The datasets of the local Cognee cannot be listed without Cognee: {obstacle}. Only its default database, "
        "SQLite, is read directly; name the datasets instead."
    )


def _has_graph(store: GraphStore | None, *, config: LocalCogneeConfig) -> bool:
    if store is None:
        return config.obstacle_to_direct_reading() is not None
    if (store.provider, store.handler) != ("ladybug", "ladybug"):
        return True
    try:
        return is_there(_graph_file(store, config=config))
    except LocalCogneeError:  # which is said where the dataset is read
        return True


class EmptyReader:
    """The graph of a dataset that has none yet."""

    reopen: "Reopen | None" = None

    def __init__(self, origin: GraphOrigin) -> None:
        self._origin = origin

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    def nodes(self) -> "Iterator[pa.RecordBatch]":
        return iter(())

    def edges(self) -> "Iterator[pa.RecordBatch]":
        return iter(())


def _find_directly(
    dataset: str | UUID, *, user: UserRef, config: LocalCogneeConfig
) -> tuple[LocalDataset, GraphStore | None] | None:
    """The dataset and where its graph is; None when only Cognee itself can tell or read it."""
    obstacle = config.obstacle_to_direct_reading()
    if obstacle is None and importlib.util.find_spec("ladybug") is None:
        obstacle = "the package ladybug is not installed here"
    if obstacle is None:
        database = config.relational_database
        if not database.is_file():
            raise StoreNotFoundError(_no_store(database, config=config))
        try:
            with open_catalog(database) as catalog:
                found = catalog.find_dataset(dataset, user=_find_user(catalog, user=user, config=config))
                store = catalog.graph_store(found.id)
        except UnknownStoreSchemaError as error:
            obstacle = f"the schema of {database} is another Cognee release's ({error})"
        else:
            if store is None or (store.provider, store.handler) == ("ladybug", "ladybug"):
                return found, store
            obstacle = f"the dataset's graph is kept by {store.provider}"
    logger.info("Reading dataset %s through Cognee itself: %s.", dataset, obstacle)
    return None


def _find_user(catalog: Catalog, *, user: UserRef, config: LocalCogneeConfig) -> LocalUser:
    key = user_key(user)
    if key is None:
        return catalog.user_by_email(config.default_user_email)
    return catalog.user_by_id(key) if isinstance(key, UUID) else catalog.user_by_email(key)


def _graph_file(store: GraphStore, *, config: LocalCogneeConfig) -> Path:
    return config.system_root / "databases" / str(store.owner_id) / store.database_name


def _graph_file_if_known(dataset: str | UUID, *, user: UserRef, config: LocalCogneeConfig) -> Path | None:
    """The file that holds the dataset's graph by Cognee's defaults, whatever the settings; None without one."""
    with suppress(CogneeDagsterError, UnknownStoreSchemaError), open_catalog(config.relational_database) as catalog:
        found = catalog.find_dataset(dataset, user=_find_user(catalog, user=user, config=config))
        store = catalog.graph_store(found.id)
        path = _graph_file(store, config=config) if store else None
        return path if path is not None and path.is_file() else None
    return None


def _no_store(database: Path, *, config: LocalCogneeConfig) -> str:
    root = config.environ.get(SYSTEM_ROOT_VARIABLE, "not set (then it is inside the installed cognee package)")
    found = "does not exist"
    if database.exists():
        found = f"is {kind_of(database)}, and no file"
    elif database.is_symlink():
        found = f"is a symbolic link to {os.readlink(database)}, and nothing is there"
    return (
        f"There is no Cognee store: {database} {found}. {SYSTEM_ROOT_VARIABLE} is {root}. Set "
        f"{SYSTEM_ROOT_VARIABLE} and {DATA_ROOT_VARIABLE}, in the environment or in Cognee's .env, to the directories "
        "of the Cognee that holds the dataset, or make one with cognee.add() and cognee.cognify()."
    )
