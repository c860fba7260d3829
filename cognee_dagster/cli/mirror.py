"""How a mirror is kept, said on the command line, and what a push to one would do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from cognee_dagster import pushing, sources
from cognee_dagster.cli.exit_codes import ExitCode, exit_code_of
from cognee_dagster.cli.source import Source
from cognee_dagster.cli.terminal import print_json, progress_bars, say
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.wording import kept_in_words
from cognee_dagster.pushing.options import OnRemoved, SyncKind
from cognee_dagster.sources.places import is_place

if TYPE_CHECKING:
    from cognee_dagster.pushing.options import PushOptions
    from cognee_dagster.remote.connection import Connection

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Share(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3 only
    """A share as a number from 0 to 1, or in per cent."""

    name = "share"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{text!r} is not a share from 0 to 1, such as 0.2 or 20%.", param, ctx)
        return share


_ADOPT_OPTION = click.option(
    "--adopt",
    is_flag=True,
    help="Take over what full pushes have brought into the remote dataset: what of it is not in the graph is removed, "
    "whoever brought it.",
)
_RESEND_OPTION = click.option(
    "--resend",
    is_flag=True,
    help="With --sync incremental: send everything again under new names, and delete the old ones, whatever is known "
    "of the remote.",
)
_REMOVAL_OPTIONS = (
    click.option(
        "--max-removed",
        type=_Share(),
        default=MirrorOptions.max_removed,
        show_default=True,
        metavar="SHARE",
        help="How much of the remote's nodes, edges or documents one push may remove.",
    ),
    click.option(
        "--on-removed",
        type=click.Choice(get_args(OnRemoved)),
        default=MirrorOptions.on_removed,
        show_default=True,
        help="What becomes of records that are on the remote and no longer in the graph.",
    ),
)
_SYNC_OPTION = click.option(
    "--sync",
    type=click.Choice(get_args(SyncKind)),
    default="full",
    show_default=True,
    help="full sends everything and removes nothing; incremental makes the remote dataset a mirror.",
)


def removal_options(command: _Command) -> _Command:
    """``--on-removed`` and ``--max-removed``; the command is given them as ``mirror``."""

    @wraps(command)
    def with_mirror(*args: Any, on_removed: OnRemoved, max_removed: float, **options: Any) -> Any:
        mirror = MirrorOptions(on_removed=on_removed, max_removed=max_removed)
        return command(*args, mirror=mirror, **options)

    wrapped: Any = with_mirror
    for option in _REMOVAL_OPTIONS:
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]  # click's decorators know no types of commands


def mirror_options(command: _Command) -> _Command:
    """``removal_options``, ``--adopt``, ``--resend`` and ``--sync``: without ``incremental``, ``mirror`` is None."""

    @wraps(command)
    def with_sync(*args: Any, sync: str, adopt: bool, resend: bool, mirror: MirrorOptions, **options: Any) -> Any:
        if sync == "full":
            _refuse_removal_options()
        kept = replace(mirror, adopt=adopt, resend=resend) if sync == "incremental" else None
        return command(*args, mirror=kept, **options)

    wrapped: Any = _SYNC_OPTION(removal_options(_ADOPT_OPTION(_RESEND_OPTION(with_sync))))
    return wrapped  # type: ignore[no-any-return]


def _refuse_removal_options() -> None:
    context = click.get_current_context()
    for name in ("on_removed", "max_removed", "adopt", "resend"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name.replace('_', '-')} changes nothing here: only --sync incremental removes anything."
            )


def print_plan(
    source: Source,
    *,
    connection: "Connection",
    options: "PushOptions",
    mirror: MirrorOptions | None,
    as_json: bool,
) -> None:
    """Print what a push to a mirror would do; exit with ``CHANGES`` where that is anything, else as the push would.

    Raises:
        click.UsageError: The source is an archive, which is sent as it is.
    """
    if is_place(source.text) and sources.is_archive(source.text):
        raise click.UsageError(f"{source.text} is an archive, which is sent as it is: only a graph can be mirrored.")
    with progress_bars(reminders=not as_json) as bars:
        progress = pushing.PushProgress(on_export=bars.export)
        found = pushing.plan_graph(
            source.open(), connection=connection, options=options, mirror=mirror, progress=progress
        )
    plan = found.as_json()
    if as_json:
        print_json(plan)
    else:
        in_words = _whole_in_words if plan["cannot_be_mirrored_because"] else _sentences
        say("\n".join(in_words(plan, url=connection.url)))
    if found.refusal is not None:
        raise click.exceptions.Exit(exit_code_of(found.refusal))
    if not plan["nothing_to_do"]:
        raise click.exceptions.Exit(ExitCode.CHANGES)


def _sentences(plan: dict[str, Any], *, url: str) -> Iterator[str]:
    yield _verdict(plan, where=f"{plan['target_dataset']} on {url}")
    yield from _besides(plan)
    if plan["emptied_first"]:
        others = f", also of {plan['emptied_of']}" if plan["emptied_of"] else ""
        yield f"The remote graph would be emptied first{others}"
    if whole := plan["sent_whole_because"]:
        yield f"All of it, because {whole}"
    for kind, of in plan["examples"].items():
        yield from (f"  {what} {kind}, such as {'; '.join(some)}" for what, some in of.items() if some)
    yield from (f"  {line}" for line in (_remote_in_words(plan), _time_in_words(plan)) if line)
    if plan["refusal"]:
        yield f"A push would be refused: {plan['refusal']}"


def _verdict(plan: dict[str, Any], *, where: str) -> str:
    if counts := counts_in_words(plan):
        return f"{where}: {counts}; {_sent_in_words(plan)}"
    if plan["nothing_to_do"]:
        is_all = plan["in_sync"] and not plan["nodes_of_other_mirrors"]
        return f"Nothing to do: {where} {'is in sync' if is_all else 'has all of the graph'}"
    if plan["emptied_first"]:
        return f"{where} has all of the graph, and would get it again: {_sent_in_words(plan)}"
    if plan["segments_sent"] or plan["segments_replaced"]:
        return f"{where} may not have just what an earlier push has sent: {_sent_in_words(plan)}"
    if (plan["adopts"] or plan["tidies_unowned"]) and not plan["names_left_over"]:
        return f"{where} has all of the graph"
    return f"{where} would be tidied up: an earlier push has left there what it was to delete"


def _besides(plan: dict[str, Any]) -> Iterator[str]:
    """What is there besides the graph, or has come there another way."""
    if there := plan["nodes_added_that_other_mirrors_brought"]:
        yield f"{counted(there, 'node')} of those that would be added another mirror has brought there already"
    if kept := kept_in_words(plan):
        yield kept[:1].upper() + kept[1:]
    if plan["adopts"]:
        yield _adopted_in_words(plan)
    elif (beside := plan["nodes_of_other_mirrors"]) and not plan["emptied_first"]:
        yield f"{counted(beside, 'node')} of another mirror that the graph does not have stay there without --adopt"
    if (unowned := plan["unowned"]) and not (plan["emptied_first"] or plan["adopts"]):
        yield f"  {_unowned_in_words(plan) if plan['tidies_unowned'] else unowned['in_words']}"


def _whole_in_words(plan: Mapping[str, Any], *, url: str) -> Iterator[str]:
    """Of a graph that cannot be mirrored."""
    if plan["refusal"]:
        yield f"A push would be refused: {plan['refusal']}"
        return
    nodes, edges = (counted(plan[kind]["sent"], kind[:-1]) for kind in ("nodes", "edges"))
    where = f"{plan['target_dataset']} on {url}"
    yield f"{where}: all of the graph would be sent, {nodes} and {edges}, about {_size_in_words(plan)}; nothing removed"
    yield f"It cannot be mirrored: {plan['cannot_be_mirrored_because']}"


def _sent_in_words(plan: Mapping[str, Any]) -> str:
    segments = f"{plan['segments_sent']} of {counted(plan['segments'], 'segment')} would be sent"
    replaced = f", {plan['segments_replaced']} replaced" if plan["segments_replaced"] else ""
    return f"{segments}{replaced}, about {_size_in_words(plan)}"


def _size_in_words(plan: Mapping[str, Any]) -> str:
    return f"{_size(plan['about_bytes'])} in {counted(plan['archives'], 'archive')}"


def _adopted_in_words(plan: Mapping[str, Any]) -> str:
    """What a push that adopts would remove besides, as far as that can be known before."""
    beside, found = plan["nodes_of_other_mirrors"], plan["adoption"] or {}
    known = f", {counted(beside, 'node')} of another mirror among it" if beside else ""
    counts = _adoption_counts(found)
    how_much = f": at most {counts}" if counts else ""
    return (
        f"What full pushes and other mirrors have brought and the graph does not have would be removed{known}{how_much}"
    )


def _unowned_in_words(plan: Mapping[str, Any]) -> str:
    """What of that which nobody owns would go, since this mirror has left it itself."""
    found = plan["unowned"]
    counts = ", ".join(counted(found[f"{kind}s"], kind) for kind in ("node", "edge") if found[f"{kind}s"])
    how_many = f"at most {counts} of it" if counts else "what of it there is"
    return f"What an earlier mirror of this graph has left there would be removed: {how_many}"


def _adoption_counts(found: Mapping[str, Any]) -> str:
    return ", ".join(f"-{of['removed']:,} of {of['of']:,} {kind}" for kind, of in found.items() if kind != "problem")


def counts_in_words(plan: dict[str, Any]) -> str:
    """``+120 ~14 -3 nodes, +340 ~0 -9 edges``; empty where there is nothing to do."""
    return ", ".join(
        f"+{of['added']:,} ~{of['changed']:,} -{of['removed']:,} {kind}"
        for kind in ("nodes", "edges", "documents")
        if any((of := plan[kind])[what] for what in ("added", "changed", "removed"))
    )


def pushed_in_words(done: Mapping[str, Any]) -> str:
    """What a push to a mirror did, from its summary."""
    counts = counts_in_words(dict(done))
    sent, replaced = done["segments_sent"], done["segments_replaced"]
    what = [counts] if counts else []
    if sent or replaced:
        what.append(f"{sent} of {counted(done['segments'], 'segment')} sent, {replaced} replaced")
    if taken_over := _adoption_counts(done["adoption"] or {}):
        what.append(f"of what others had brought at most {taken_over}")
    if kept := kept_in_words(done):
        what.append(kept)
    words = "; ".join(what) or "nothing changed: +0 ~0 -0 nodes, +0 ~0 -0 edges"
    left = done["unowned"]
    return f"{words}; there besides: {left['in_words']}" if left else words


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB" if num_bytes >= 100_000 else f"{num_bytes / 1e3:,.1f} kB"


def _remote_in_words(plan: dict[str, Any]) -> str:
    remote = plan["remote"]
    if not remote["exists"]:
        return "" if plan["refusal"] else "the remote dataset would be made"
    since = remote["in_sync_since"] or remote["confirmed_at"]
    known = "in sync since" if remote["in_sync_since"] else "last confirmed for a push of"
    told = f", {known} {since}" if since else ", nothing of it is confirmed"
    return f"the remote dataset belongs to {remote['owner'] or 'nobody that is told'}{told}; its readers are not shown"


def _time_in_words(plan: dict[str, Any]) -> str:
    if not plan["archives"]:
        return ""
    if plan["server_seconds"] is None:
        return "how long the server would take is not known: none of this mirror's imports tells"
    by = counted(plan["server_seconds_by_runs"], "import")
    return f"the server would take about {plan['server_seconds']:,.0f} s for the graph, judged by {by} of this mirror"
