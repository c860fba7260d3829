"""The other end of a graph that is read in another process."""

from typing import TYPE_CHECKING

from cognee_dagster.system.worker import Receive, Send

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.graph.reader import Reopen

NODES, EDGES = "nodes", "edges"


def send_graph(opens: "Reopen", receive: Receive, send: Send) -> None:
    """Open a graph; send what is known of it, then the batches of ``NODES`` or ``EDGES``, as asked for, and None."""
    with opens() as reader:
        send((reader.origin, reader.reopen))
        while True:
            try:
                part = receive()
            except EOFError:
                return
            for batch in reader.nodes() if part == NODES else reader.edges():
                send(batch.serialize())
            send(None)
