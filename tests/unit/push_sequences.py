"""Our pushes and others' in any order, on the fake remote: what a push says is so, whatever came in between.

``test_push_model`` tries the moments of one push, against a model of time. Here whole pushes of two of our own pushers
follow and interrupt each other and another tool's, in all modes, with all that a gateway can do to an upload.

``make sequences`` runs it; not part of ``make test``, since it waits in real time, in milliseconds, for a server's
threads: on a busy machine two of its eight batches failed once, and passed when they were run again.
"""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from tests.cogx_graphs import ID_A, ID_B, ID_C, MemoryReader
from tests.unit.push_machine import Pushes

BATCHES, SEQUENCES, PUSHES = 8, 250, 3


def _archive(directory: Path, name: str, **texts: str) -> Archive:
    ids = {"text": ID_A, "Ada": ID_B, "Bob": ID_C}
    nodes = [
        (
            ids[who],
            "" if who == "text" else who,
            "DocumentChunk" if who == "text" else "Entity",
            json.dumps({key: what}),
        )
        for who, what in texts.items()
        for key in ("text" if who == "text" else "description",)
    ]
    edges = [(ID_A, ids[who], "contains", "{}") for who in texts if who != "text"]
    return write_archive(MemoryReader(nodes, edges), directory / f"{name}.cogx.tar.gz")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Archive]:
    """What there is to push. Node ids say nothing: the older one has the same, and other values."""
    directory = tmp_path_factory.mktemp("archives")
    return {
        "ours": _archive(directory, "ours", text="Ada wrote.", Ada="a person"),
        "ours later": _archive(directory, "later", text="Ada wrote.", Ada="a person", Bob="another"),
        "older": _archive(directory, "older", text="Ada wrote.", Ada="somebody"),
        "another": write_archive(
            MemoryReader([("44444444-4444-5444-8444-444444444444", "Rival", "Entity", "{}")]),
            directory / "r.cogx.tar.gz",
        ),
    }


def states_of(sequences: int, *, number: int, archives: dict[str, Archive]) -> set[str]:
    """How the pushes of so many sequences ended; the same ones for the same number."""

    class Some(Pushes):
        pass

    Some.archives, Some.ways = archives, set()
    seed(number)(Some)
    run_state_machine_as_test(
        Some,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=PUSHES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Some.ways


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_push_says_only_what_is_so(batch: int, archives: dict[str, Archive]) -> None:
    ways = states_of(SEQUENCES, number=batch, archives=archives)
    # A machine that never comes to where a push could go wrong proves nothing.
    assert ways >= {
        "completed, answer",
        "completed, remote_graph",
        "started, run",
        "ImportFailedError",
    }
