"""``cognee-dagster doctor``."""

import dataclasses
from collections.abc import Callable
from typing import Any

import click

from cognee_dagster.cli.checks import OF_THE_REMOTE, Checks
from cognee_dagster.cli.ending import exit_of
from cognee_dagster.cli.options import TEXT, json_option, remote_options, user_option
from cognee_dagster.cli.settings import Setting, read_settings
from cognee_dagster.cli.terminal import log_to_stderr, print_json, say, waiting
from cognee_dagster.errors import CogneeDagsterError, ConnectionConfigError, RemoteUnreachableError


@click.command(short_help="Check all that a push needs, and where settings come from.")
@click.argument("dataset", type=TEXT, required=False)
@remote_options
@user_option
@json_option
def doctor(*, dataset: str | None, url: str | None, api_key: str | None, user: str | None, as_json: bool) -> None:
    """Check all that a push of DATASET needs, and say where each setting comes from; nothing is changed.

    DATASET is a local dataset's name or else its UUID. Without it, Cognee's default one (main_dataset) is checked if it
    is there. The exit code is that of the first check that failed.

    With --json: ok, settings (each with name, value, source, file, line), checks (each with name, ok, found,
    exit_code; ok is null for what could not be checked).
    """
    results: list[_Result] = []
    checks = Checks(url=url, api_key=api_key, dataset=dataset, user=user)
    with log_to_stderr(reminders=not as_json), waiting("Checking …") as show, checks:
        settings = _settings()
        for name, check in checks.all().items():
            show(f"Checking: {name} …")
            lost = next((result.name for result in results if result.lost), None)
            results.append(_not_checked(name, lost) if lost and name in OF_THE_REMOTE else _checked(name, check))
    first = next((result for result in results if result.ok is False), None)
    if as_json:
        shown: dict[str, Any] = {
            "ok": first is None,
            "settings": [{**dataclasses.asdict(setting), "source": setting.source} for setting in settings],
            "checks": [result.as_json() for result in results],
        }
        print_json(shown)
    else:
        for setting in settings:
            say(f"        {setting.name} = {setting.value}  ({setting.source})")
        for result in results:
            say(f"{_WORDS[result.ok]:<6}  {result.name}: {result.found}")
    if first is not None:
        raise click.exceptions.Exit(first.exit_code)


_WORDS = {True: "ok", False: "FAILED", None: "-"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Result:
    """What a check came to. ``lost``: the remote cannot be asked, so nothing else can be asked of it."""

    name: str
    ok: bool | None
    found: str
    exit_code: int = 0
    lost: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "found": self.found, "exit_code": self.exit_code}


def _settings() -> list[Setting]:
    try:
        return read_settings()
    except (CogneeDagsterError, OSError):
        return []  # the check of the settings says why


def _checked(name: str, check: Callable[[], str]) -> _Result:
    try:
        return _Result(name=name, ok=True, found=check())
    except Exception as error:
        found = str(error) or type(error).__name__
        lost = name in OF_THE_REMOTE and isinstance(error, (ConnectionConfigError, RemoteUnreachableError))
        return _Result(name=name, ok=False, found=found, exit_code=int(exit_of(error)), lost=lost)


def _not_checked(name: str, lost: str) -> _Result:
    return _Result(name=name, ok=None, found=f"not checked: see {lost}")
