"""A mirror whose server is reached under several URLs stays one mirror, and a copy of a server is not taken for it."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.errors import PushInterruptedError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.one_at_a_time import one_at_a_time
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of
from tests.unit.mirror_world import Mirror


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))
    mirror.push()
    return mirror


def by_another_name(mirror: Mirror) -> str:
    return mirror.remote.url.replace("127.0.0.1", "localhost")


def push_to(url: str, mirror: Mirror, *, stop: threading.Event | None = None) -> PushResult:
    with client_of(url, mirror.remote.api_key) as client:
        return push_mirror(
            [mirror.archive()],
            client=client,
            base=UPath(mirror.directory / "mirrors"),
            options=PushOptions(target_dataset="demo", delivery=HASTY),
            mirror=MirrorOptions(segment_nodes=8),
            stop=stop,
        )


def states(mirror: Mirror) -> list[Path]:
    return list(mirror.directory.glob("mirrors/*/mirror.json"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://cognee.example", "https://COGNEE.example", True),
        ("https://cognee.example", "https://cognee.example:443", True),
        ("http://cognee.example:80/", "http://cognee.example", True),
        ("https://cognee.example/tenant", "https://cognee.example/tenant/", True),
        ("https://cognee.example/tenant", "https://cognee.example/Tenant", False),
        ("http://cognee.example:443", "https://cognee.example:443", False),
        ("http://cognee.example", "http://cognee.example:8000", False),
    ],
)
def test_spellings_of_one_url_are_one(tmp_path: Path, one: str, other: str, same: bool) -> None:
    found = {MirrorFiles.of(UPath(tmp_path), remote_url=url, dataset_id="d", owner="o") for url in (one, other)}
    assert (len(found) == 1) is same


def test_a_push_under_another_url_goes_on_from_what_is_known(mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
    mirror.graph.remove_node()
    with caplog.at_level(logging.INFO):
        done = push_to(by_another_name(mirror), mirror)
    assert done.remote_response["mirror"]["nodes"]["removed"] == 1
    assert f"known under another URL of its server, {mirror.remote.url}" in caplog.text
    mirror.assert_exact()
    assert len(states(mirror)) == 1
    uploads = len(mirror.remote.uploads)
    for url in (mirror.remote.url, by_another_name(mirror)):
        assert push_to(url, mirror).status == "unchanged"
    assert (len(mirror.remote.uploads), len(states(mirror))) == (uploads, 1)


def test_a_plan_under_another_url_knows_it_and_leaves_it_where_it_is(mirror: Mirror) -> None:
    before = states(mirror)
    with client_of(by_another_name(mirror), mirror.remote.api_key) as client:
        plan = plan_mirror(
            [mirror.archive()],
            client=client,
            base=UPath(mirror.directory / "mirrors"),
            options=PushOptions(target_dataset="demo"),
            mirror=MirrorOptions(segment_nodes=8),
        )
    assert plan.as_json()["in_sync"]
    assert states(mirror) == before


def test_a_push_that_was_killed_is_made_good_under_another_url(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.graph.remove_node()

    def failing(*_: Any) -> None:
        raise OSError("No space is left.")

    with monkeypatch.context() as patches:
        patches.setattr(MirrorFiles, "save_contents", failing)  # once all is sent
        with pytest.raises(OSError, match="No space"):
            mirror.push()
    push_to(by_another_name(mirror), mirror)
    mirror.assert_exact()


def test_a_copy_of_a_server_that_has_another_state_is_another_mirror(
    mirror: Mirror, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (state,) = states(mirror)
    with FakeRemote() as copy:
        Mirror(copy, tmp_path, mirror.graph).push(source="somebody else")  # who had the copy first
        theirs = RemoteDataset(id=copy.dataset("demo").id, name="demo")
        renamed = state.parent.name.replace(mirror.remote.dataset("demo").id, theirs.id)
        state.parent.rename(state.parent.with_name(renamed))  # a copy has the same ids
        before = (state.parent.with_name(renamed) / "mirror.json").read_bytes()
        assert push_to(copy.url, Mirror(copy, tmp_path, mirror.graph)).status == "completed"
    assert f"is known in the dataset 'demo' on {mirror.remote.url}, and not on {copy.url}, since this" in caplog.text
    assert (state.parent.with_name(renamed) / "mirror.json").read_bytes() == before


def test_a_push_waits_for_one_that_knows_the_server_by_another_url(mirror: Mirror) -> None:
    stop = threading.Event()
    dataset = RemoteDataset(id=mirror.remote.dataset("demo").id, name="demo")
    with (
        one_at_a_time(
            UPath(mirror.directory / "mirrors"),
            dataset,
            url=mirror.remote.url,
            on_wait=lambda: None,
            stop=threading.Event(),
        ),
        pytest.MonkeyPatch.context() as patches,
    ):
        patches.setattr("cognee_dagster.pushing.mirror.kept.one_at_a_time.logger.info", lambda message, *_: stop.set())
        with pytest.raises(PushInterruptedError):
            push_to(by_another_name(mirror), mirror, stop=stop)
    assert stop.is_set()
