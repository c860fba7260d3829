"""Opens a graph in another process, so that nothing that its store contains can end this one."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from cognee_dagster.graph.batch_sender import send_graph
from cognee_dagster.system.worker import Worker

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.graph.reader import GraphReader, Reopen


@contextmanager
def open_in_process(opens: "Reopen", *, dataset_name: str) -> "Iterator[GraphReader]":
    """Open a graph in another process, which ends with this context.

    That process starts at once and takes a third of a second; only the first use of the reader waits for it. So what is
    wrong with the graph is raised there: what opening it raises, StoreDamagedError if the process crashed,
    LocalCogneeError if it was ended.

    Args:
        opens: Opens the graph over there.
        dataset_name: For messages.
    """
    with Worker(partial(send_graph, opens)) as worker:
        # Arrow takes a quarter of a second to import: that process, which needs it too, is under way meanwhile.
        from cognee_dagster.graph.process_reader import ProcessReader

        yield ProcessReader(worker, dataset_name=dataset_name)
