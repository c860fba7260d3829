"""``cognee-dagster doctor``."""

import dataclasses
from collections.abc import Callable
from typing import Any

import click

from cognee_dagster.cli.checks import Checks
from cognee_dagster.cli.ending import exit_of
from cognee_dagster.cli.options import TEXT, json_option, remote_options, user_option
from cognee_dagster.cli.settings import Setting, read_settings
from cognee_dagster.cli.terminal import log_to_stderr, print_json, say, waiting
from cognee_dagster.errors import CogneeDagsterError


@click.command()
@click.argument("dataset", type=TEXT, default="main_dataset")
@remote_options
@user_option
@json_option
def doctor(*, dataset: str, url: str | None, api_key: str | None, user: str | None, as_json: bool) -> None:
    """Check all that a push of DATASET needs, and say where each setting comes from; nothing is changed.

    The exit code is that of the first check that failed.

    With --json: ok, settings (each with name, value, source, file, line), checks (each with name, ok, found,
    exit_code).
    """
    results = []
    checks = Checks(url=url, api_key=api_key, dataset=dataset, user=user)
    with log_to_stderr(), waiting("Checking …") as show, checks:
        settings = _settings()
        for name, check in checks.all().items():
            show(f"Checking: {name} …")
            results.append(_checked(name, check))
    first = next((result for result in results if not result.ok), None)
    if as_json:
        shown: dict[str, Any] = {
            "ok": first is None,
            "settings": [{**dataclasses.asdict(setting), "source": setting.source} for setting in settings],
            "checks": [dataclasses.asdict(result) for result in results],
        }
        print_json(shown)
    else:
        for setting in settings:
            say(f"        {setting.name} = {setting.value}  ({setting.source})")
        for result in results:
            say(f"{'ok' if result.ok else 'FAILED':<6}  {result.name}: {result.found}")
    if first is not None:
        raise click.exceptions.Exit(first.exit_code)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Result:
    name: str
    ok: bool
    found: str
    exit_code: int


def _settings() -> list[Setting]:
    try:
        return read_settings()
    except (CogneeDagsterError, OSError):
        return []  # the check of the settings says why


def _checked(name: str, check: Callable[[], str]) -> _Result:
    try:
        return _Result(name=name, ok=True, found=check(), exit_code=0)
    except Exception as error:
        found = str(error) or type(error).__name__
        return _Result(name=name, ok=False, found=found, exit_code=int(exit_of(error)))
