"""Options that several commands share, and what they mean."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from cognee_dagster import remote
from cognee_dagster.errors import DatasetNotFoundError
from cognee_dagster.remote.origins import Called

if TYPE_CHECKING:
    from cognee_dagster.remote.client import CogneeClient
    from cognee_dagster.remote.connection import Connection

EMPTY = "It is empty. Give a value, or leave it out."

_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{ending}": base**power
    for power, prefix in enumerate("kmgt", 1)
    for ending, base in (("b", 1000), ("", 1024), ("ib", 1024))
}
_SIZE = re.compile(rf"\s*(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})\s*", re.IGNORECASE | re.ASCII)

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Text(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3 only
    """Text that can be sent and looked up; what a shell hands over need not be.

    An empty one is what a script gives whose variable is not set: to take the default then would do something else than
    what was meant, to another place.
    """

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value!r} is not valid UTF-8.", param, ctx)
        if not value.strip():
            self.fail(EMPTY, param, ctx)
        return value


class _Place(click.Path):
    """A path; an empty one is not the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            self.fail(EMPTY, param, ctx)
        return super().convert(value, param, ctx)


class _NumBytes(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3 only
    """A size: a number of bytes, or one with its unit."""

    name = "bytes"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _SIZE.fullmatch(str(value))
        number = round(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
        if number < 1:
            self.fail(
                f"{value!r} is no size. Give a number of bytes, or one with a unit: 5MB, 512 MiB, 2GB.", param, ctx
            )
        return number


TEXT = _Text()
NUM_BYTES = _NumBytes()
DIRECTORY = _Place(file_okay=False, path_type=Path)
NEW_FILE = _Place(dir_okay=False, path_type=Path)


def remote_options(command: _Command) -> _Command:
    """``--url`` and ``--api-key``."""
    for option in (
        click.option(
            "--api-key",
            type=TEXT,
            metavar="KEY",
            help="The remote's API key. Other users of this machine can see it in the list of processes while the "
            "command runs: rather set COGNEE_API_KEY or log in with `cognee-cli serve`.",
        ),
        click.option(
            "--url",
            type=TEXT,
            metavar="URL",
            help="The remote's address. Default: COGNEE_SERVICE_URL, for which Cognee's .env goes before the "
            "environment, then what `cognee-cli serve` saved. Without --api-key, COGNEE_API_KEY goes there (one in "
            "Cognee's .env, too) unless COGNEE_SERVICE_URL names another host.",
        ),
    ):
        command = option(command)
    return command


def remote_connection(url: str | None, api_key: str | None) -> "Connection":
    """What ``--url`` and ``--api-key`` mean.

    Raises:
        ConnectionConfigError: Nothing names a remote, or what names it cannot be used.
    """
    return remote.resolve_connection(
        url, api_key, lend_key=False, called=Called(url="the option --url", api_key="the option --api-key")
    )


user_option = click.option(
    "--user", type=TEXT, metavar="E-MAIL|UUID", help="Who reads the local dataset. Default: Cognee's default user."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def remote_dataset_id(client: "CogneeClient", text: str) -> str:
    """The id of the remote dataset that ``text`` means: a name first, then, if it parses, a UUID, as for local ones."""
    if found := client.find_dataset(text):
        return found.id
    try:
        return str(UUID(text))
    except ValueError:
        raise DatasetNotFoundError(
            f"{client.connection.url} has no dataset {text!r} of this user. `cognee-dagster datasets` lists "
            "what is there."
        ) from None
