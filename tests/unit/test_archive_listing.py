"""What a store offers to be pushed or promoted is what a prune sees there: the same pointers, read the same way."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import ArchiveError
from cognee_dagster.store import files
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.keep import Keep
from cognee_dagster.store.listing import ListedArchive, listed
from cognee_dagster.store.prune import list_archives, prune_archives
from tests.unit.test_io_manager import PLACE, make_archive


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArchiveStore:
    """A store with what two runs wrote."""
    made = ArchiveStore.at(str(tmp_path / "s") if request.param == "directory" else f"memory://{uuid.uuid4().hex}")
    for run, content in (("latest", b"one"), ("run-2", b"second")):  # a run may be called anything
        made.save([make_archive(tmp_path, content)], place=PLACE, run_id=run)
    return made


def offered(store: ArchiveStore) -> list[ListedArchive]:
    return listed(store, wanted=lambda _: True)


GONE: Any = ...  # of a key that is not there; what it is called must be the same in every process
FACTS = {
    **dict.fromkeys(("dataset_name", "digest", "content_sha256", "sha256"), "0" * 64),
    **dict.fromkeys(("num_nodes", "num_edges", "size_bytes"), 1),
    "record_counts": {},
}


def change(store: ArchiveStore, name: str, **facts: Any) -> None:
    """Change what a pointer says."""
    path = store.directory(PLACE) / name
    values = {**json.loads(path.read_bytes()), **facts}
    files.put_bytes(json.dumps({key: value for key, value in values.items() if value is not GONE}).encode(), path)


def test_only_what_was_written_last_is_the_latest_whatever_its_run_is_called(store: ArchiveStore) -> None:
    assert [(archive.stored.files[0].archive.size_bytes, archive.is_latest) for archive in offered(store)] == [
        (len(b"second"), True),
        (len(b"one"), False),
    ]


def test_a_snapshot_of_a_graph_is_no_archive_that_is_offered(store: ArchiveStore, tmp_path: Path) -> None:
    before = offered(store)
    store.save_snapshot([make_archive(tmp_path, b"snapshot")], {"key": "k"}, place=PLACE)
    assert offered(store) == before
    assert len(list_archives(store).kept) == 3


def test_an_archive_of_release_0_1_0_is_as_old_for_who_lists_as_for_who_prunes(store: ArchiveStore) -> None:
    """It does not say when it was written; its file may."""
    change(store, "runs/latest.json", stored_at=GONE)
    path = store.directory(PLACE) / "runs" / "latest.json"
    if files.is_local(path):
        os.utime(str(path), (1_000_000_000, 1_000_000_000))
    assert offered(store) == [judged.listed for judged in list_archives(store).kept]
    assert offered(store)[-1].stored_at == pytest.approx(files.modified_at(path))


@pytest.mark.parametrize(
    "facts",
    [
        *({"place": place} for place in (GONE, "text", [1])),
        *({"partition": partition} for partition in (GONE, 3)),
        *({"stored_at": moment} for moment in ("soon", "1", True, float("nan"), float("-inf"), -1, 1e12, 10**400)),
        *({"archives": [{**FACTS, name: wrong}]} for name in ("num_nodes", "digest") for wrong in (float("nan"), None)),
    ],
    ids=str,
)
def test_a_pointer_that_does_not_say_what_it_must_is_damaged_for_everybody(
    store: ArchiveStore, facts: dict[str, Any]
) -> None:
    change(store, "runs/run-2.json", **facts)
    with pytest.raises(ArchiveError, match=r"run-2\.json is not a pointer to an archive"):
        store.read_pointer(store.directory(PLACE) / "runs" / "run-2.json")
    assert len(offered(store)) == 2  # by the pointer to the latest
    (problem,) = prune_archives(store, Keep(last=1)).problems
    assert "run-2.json" in problem
    change(store, "latest.json", **facts)
    assert [archive.is_latest for archive in offered(store)] == [False]
