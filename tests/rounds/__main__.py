"""``python -m tests.rounds``: is a mirror on real Cognee after each round of edits what a fresh full push makes?

Compared is everything that the server has of both: graph, documents and vectors. In the first and the last round
``cognee.push()`` makes the fresh dataset, from a local Cognee dataset of the same graph. In every fourth round two
pushes of the same graph are under way at once. ``--on`` names a kind of servers of docs/mirrors.md.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from tests.pushes import client_of
from tests.rounds.graph import WideGraph
from tests.rounds.rounds import TARGET, Rounds
from tests.rounds.servers import KINDS, OLD_NODE, Kind, server_of

_TWO_AT_ONCE_EVERY = 4


@click.command()
@click.option("--nodes", default=2000, show_default=True, help="Of the graph at first.")
@click.option("--rounds", default=25, show_default=True, help="How often it is edited, pushed and compared.")
@click.option("--edits", default=30, show_default=True, help="In a round.")
@click.option("--segment-nodes", default=200, show_default=True, help="Nodes in a segment of the mirror.")
@click.option(
    "--on", "kind_name", type=click.Choice([*KINDS]), default="default", show_default=True, help="The server."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other edits.")
def main(*, nodes: int, rounds: int, edits: int, segment_nodes: int, kind_name: str, seed: int) -> None:
    """Edit, push and compare; fails where a mirror is not what a full push makes, or a reader missed anything."""
    kind = KINDS[kind_name]
    with (
        tempfile.TemporaryDirectory(prefix="cognee-rounds-") as name,
        server_of(kind, Path(name) / "server", target=TARGET) as server,
        client_of(server.url, server.api_key) as client,
        _compared_on(kind, Path(name) / "other_server") as compared_on,
    ):
        some = Rounds(
            server,
            client,
            WideGraph(seed, nodes=nodes),
            Path(name),
            segment_nodes,
            target=TARGET,
            compared_on=compared_on,
            beside=frozenset({OLD_NODE} if kind.is_unmarked else ()),
            leaves_removed_edge_texts=kind.in_ledger,
        )
        try:
            num_wrong = _wrong_rounds(some, rounds, edits)
        except Exception:
            click.echo(f"The server's log ends with:\n{server.log.read_text(errors='replace')[-20_000:]}", err=True)
            raise
    click.echo(f"\n{f'**Different in {num_wrong}** of' if num_wrong else 'Equal in all'} {rounds} rounds.")
    sys.exit(bool(num_wrong))


@contextmanager
def _compared_on(kind: Kind, directory: Path) -> Iterator[tuple[CogneeServer, CogneeClient] | None]:
    """Another server for the fresh datasets, where two datasets on one cannot be told apart."""
    if not kind.has_one_graph:
        yield None
        return
    with CogneeServer(directory) as server, client_of(server.url, server.api_key) as client:
        yield server, client


def _wrong_rounds(some: Rounds, rounds: int, edits: int) -> int:
    """In how many rounds something was not as it should be."""
    num_wrong, done = 0, f"{len(some.graph.nodes)} nodes, {len(some.graph.edges)} edges"
    for number in range(rounds):
        at_once = 2 if number % _TWO_AT_ONCE_EVERY == _TWO_AT_ONCE_EVERY - 1 else 1
        found = some.round(at_once=at_once, by_cognee=number in (0, rounds - 1))
        num_wrong += bool(found.wrong)
        click.echo(f"- Round {number + 1}: {done}; {found.told}: {'**different**' if found.wrong else 'equal'}")
        for line in found.wrong:
            click.echo(f"  - {line}")
        done = some.edit(edits)
    return num_wrong


if __name__ == "__main__":
    main()
