"""``cognee-dagster``: the engine without Dagster, from a terminal or a script."""

from typing import Any

import click

from cognee_dagster._version import __version__
from cognee_dagster.cli.exit_codes import ExitCode, exit_code_of, exit_code_table
from cognee_dagster.cli.export import export
from cognee_dagster.cli.push import push
from cognee_dagster.cli.sandbox import sandbox
from cognee_dagster.cli.status import status
from cognee_dagster.cli.validate import validate
from cognee_dagster.errors import CogneeDagsterError


class _Commands(click.Group):
    """Ends a command that failed with the error's message on standard error and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click ends quietly when nobody reads on
            raise
        except (CogneeDagsterError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            code = exit_code_of(error) if isinstance(error, CogneeDagsterError) else ExitCode.FAILED
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            code = ExitCode.INTERRUPTED
        raise click.exceptions.Exit(code)


@click.group(cls=_Commands, epilog=exit_code_table(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cognee-dagster")
def main() -> None:
    """Ship Cognee knowledge graphs: from a local dataset to a COGX archive to a remote Cognee."""


for _command in (push, export, validate, status, sandbox):
    main.add_command(_command)
