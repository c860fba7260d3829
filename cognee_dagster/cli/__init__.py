"""``cognee-dagster``: the engine without Dagster, from a terminal or a script."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import click

from cognee_dagster._version import __version__
from cognee_dagster.cli.archives import archives
from cognee_dagster.cli.datasets import datasets
from cognee_dagster.cli.doctor import doctor
from cognee_dagster.cli.ending import report, sigterm_as_interrupt
from cognee_dagster.cli.exit_codes import ExitCode, exit_code_table
from cognee_dagster.cli.export import export
from cognee_dagster.cli.inspect import inspect
from cognee_dagster.cli.plan import plan
from cognee_dagster.cli.probe import probe
from cognee_dagster.cli.progress_lines import chosen_lines
from cognee_dagster.cli.push import push
from cognee_dagster.cli.runs import runs
from cognee_dagster.cli.sandbox import sandbox
from cognee_dagster.cli.standard_output import guarded_output, tell_failed_output
from cognee_dagster.cli.status import status
from cognee_dagster.cli.terminal import say
from cognee_dagster.cli.validate import validate
from cognee_dagster.cli.verify import verify
from cognee_dagster.environment import DEBUG_VARIABLE
from cognee_dagster.system.spelling import nearest


class _Commands(click.Group):
    """The commands. Whatever ends one of them early is reported in one way, wherever that can be written."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> NoReturn:
        """As click has it, but for what click says of Ctrl-C when that comes where no command is at work."""
        with guarded_output(instead=partial(say, err=True, level="error")) as output:
            try:
                ended = super().main(args, *others, **{**extra, "standalone_mode": False})
                code = ended if isinstance(ended, int) else ExitCode.OK
            except click.ClickException as error:
                error.show()
                code = error.exit_code
            except click.Abort:
                code = report(
                    KeyboardInterrupt(), as_json="--json" in (sys.argv if args is None else args), debug=False
                )
            except BrokenPipeError:  # nobody reads on
                code = ExitCode.FAILED
            if output.failure is not None and not code:
                code = ExitCode.NO_OUTPUT
            raise SystemExit(code)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        ctx.meta[__name__] = "--json" in args
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with sigterm_as_interrupt():
                return super().invoke(ctx)
        except (BrokenPipeError, click.exceptions.Exit):  # click ends quietly when nobody reads on
            raise
        except (Exception, KeyboardInterrupt) as error:
            _keep_near_hints(error)
            as_json = bool(ctx.meta.get(__name__))
            if isinstance(error, click.ClickException) and not as_json and chosen_lines() is None:
                raise  # click shows how the command is used
            code = report(error, as_json=as_json, debug=bool(ctx.params.get("debug")))
        finally:
            tell_failed_output()
        raise click.exceptions.Exit(code)


def _keep_near_hints(error: BaseException) -> None:
    """Of the names that click offers instead of a misspelt one, only those that are near it."""
    written = getattr(error, "option_name", None) or getattr(error, "command_name", None)
    if written and (offered := getattr(error, "possibilities", None)):
        offered[:] = nearest(written, offered)


@click.group(cls=_Commands, epilog=exit_code_table(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cognee-dagster")
@click.option(
    "--debug",
    is_flag=True,
    envvar=DEBUG_VARIABLE,
    expose_value=True,
    help=f"Show the traceback of what goes wrong. Also: {DEBUG_VARIABLE}=1.",
)
def main(*, debug: bool) -> None:
    """Ship Cognee knowledge graphs: from a local dataset to a COGX archive to a remote Cognee."""


_ON_THIS_MACHINE = (export, inspect, validate, archives, sandbox)
for _command in (push, plan, verify, probe, status, runs, datasets, doctor, *_ON_THIS_MACHINE):
    main.add_command(_command)
