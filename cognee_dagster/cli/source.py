"""What a command reads: a local dataset, or a graph that is somewhere else, with what its attributes mean."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cognee_dagster import sources
from cognee_dagster.cli.mistaken import if_a_path_is_meant, no_such_source
from cognee_dagster.cli.options import TEXT, user_option
from cognee_dagster.errors import DatasetNotFoundError, GraphFileError, StoreNotFoundError
from cognee_dagster.graph.left_behind import left_behind_in_words
from cognee_dagster.pushing.options import DEFAULT_DATASET
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.mapping.written import written_mapping
from cognee_dagster.sources.places import is_place, resembles_place
from cognee_dagster.sources.profiles.choose import named_profile

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphReader

logger = logging.getLogger(__name__)

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the command line says of a graph.

    Attributes:
        text: Where it is, or what the local dataset is called.
        mapping: What its attributes mean.
        profile: Whose conventions it follows.
        user: Who reads a local dataset.
    """

    text: str
    mapping: GraphMapping | None = None
    profile: str | None = None
    user: str | None = None

    @contextlib.contextmanager
    def open(self) -> "Iterator[GraphReader]":
        """Open it for reading; when it has been read, its attributes that stay behind are logged.

        Raises:
            click.UsageError: A local dataset, and options that are about a graph file.
            CogneeDagsterError: As ``open_graph_file`` and ``open_dataset`` raise them.
        """
        if is_place(self.text):
            reader = sources.open_graph_file(self.text, mapping=self.mapping, profile=self.profile)
            yield reader
            if left := getattr(reader, "attributes_left_behind", {}):
                logger.info("%s", left_behind_in_words(left, as_nodes=getattr(reader, "as_nodes", None)))
            return
        for option, value in (("--mapping", self.mapping), ("--profile", self.profile)):
            if value is not None:
                if resembles_place(self.text):
                    raise no_such_source(self.text)
                raise click.UsageError(
                    f"{option} is about a graph file; {self.text!r} is a local dataset.{if_a_path_is_meant(self.text)}"
                )
        with self._dataset() as dataset:
            yield dataset

    @contextlib.contextmanager
    def _dataset(self) -> "Iterator[GraphReader]":
        with contextlib.ExitStack() as stack:
            try:
                dataset = sources.parse_dataset(self.text, user=self.user)
                reader = stack.enter_context(sources.open_dataset(dataset, user=self.user))
            except (DatasetNotFoundError, StoreNotFoundError) as error:
                raise no_such_source(self.text, error) from error
            yield reader


def _mapping(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> GraphMapping | None:
    try:
        return written_mapping(value) if value else None
    except GraphFileError as error:
        raise click.BadParameter(str(error)) from error


def _profile(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else named_profile(value).name
    except GraphFileError as error:
        raise click.BadParameter(str(error)) from error


def mapping_options(command: _Command) -> _Command:
    """``--mapping`` and ``--profile``."""
    for option in (
        click.option(
            "--profile",
            metavar="NAME",
            callback=_profile,
            help="Whose conventions a graph file follows. Default: those that it shows.",
        ),
        click.option(
            "--mapping",
            metavar="FILE|NAME=VALUE",
            multiple=True,
            callback=_mapping,
            help="Which attributes of a graph file hold type, name and relationship: a YAML or JSON file with the "
            "fields of a GraphMapping, or one field, such as node_type=species. May be given several times.",
        ),
    ):
        command = option(command)
    return command


def source_options(command: _Command) -> _Command:
    """``SOURCE``, by default Cognee's default dataset, ``mapping_options`` and ``--user``: given as one ``Source``."""

    @wraps(command)
    def with_source(
        *args: Any,
        source: str,
        mapping: GraphMapping | None,
        profile: str | None,
        user: str | None,
        **options: Any,
    ) -> Any:
        return command(*args, source=Source(text=source, mapping=mapping, profile=profile, user=user), **options)

    wrapped: Any = user_option(mapping_options(with_source))
    return click.argument("source", type=TEXT, default=DEFAULT_DATASET)(wrapped)  # type: ignore[no-any-return]


target_option = click.option(
    "--target-dataset", type=TEXT, metavar="NAME", help="The remote dataset. Default: the local one's name."
)
