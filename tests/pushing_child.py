"""A process of its own that pushes a mirror, for tests that kill it."""

import multiprocessing
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from upath import UPath

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from tests.pushes import client_of

SEGMENT_NODES = 8
PATIENT = DeliverySettings(recovery_timeout=20.0, poll_interval=0.2)


def push(archive: Archive, *, url: str, api_key: str, directory: Path, target: str) -> str:
    """Push a mirror that is noted in that directory; the status."""
    with client_of(url, api_key) as client:
        return push_mirror(
            [archive],
            client=client,
            base=UPath(directory),
            options=PushOptions(target_dataset=target, delivery=PATIENT),
            mirror=MirrorOptions(segment_nodes=SEGMENT_NODES, max_removed=1.0),
        ).status


def pushing_process(archive: Archive, **options: str | Path) -> BaseProcess:
    """A process that does that; it is started by a process that has the imports done already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context.Process(target=_push_quietly, args=(archive,), kwargs=options, daemon=True)


def _push_quietly(archive: Archive, **options: str | Path) -> None:
    with suppress(KeyboardInterrupt):  # of who runs the tests
        push(archive, **options)  # type: ignore[arg-type]
