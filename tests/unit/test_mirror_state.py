"""What is known of a mirror is taken for what it says only if nothing in it was changed, and by no later release."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from cognee_dagster.errors import InvalidPushError
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Mirror

STATE = MirrorState(
    remote_url="http://127.0.0.1:1",
    contents="0" * 64,
    letters={0: "a", 7: "b"},
    began_at=1_700_000_000.25,
    dataset_made_at=1_600_000_000.0,
    run_ids=("run-1", "run-2"),
    last_import="run-2",
    deletions=("gone-1",),
    accounted=("other-1",),
    run_nodes={"run-1": 3},
    dirty=(7,),
    overfull=(3,),
    begun={7: "a"},
    documents_begun=(0, 2**64 - 1),
    deleting=((3, "b"),),
    documents_deleting=(5,),
    unowned=Unowned(nodes=1, edges=2, documents=None, of_nodes=9, of_edges=8, strays=True),
    distrusted="the remote dataset was called 'x' at the last push",
    dataset_name="demo",
    left=(UUID("12345678-1234-5678-9234-567812345678"),),
)
DAMAGED: dict[str, Any] = {
    "letters": [{}, {"1": "q"}, {str(10**30): "a"}, {"-1": "a"}],
    "began_at": [1e300, 9e12, -1e30, "x"],
    "dataset_made_at": [1e300, -1.0],
    "contents": ["../../etc", "a" * 5000, ""],
    "dirty": [[-5], [10**30]],
    "overfull": [[-5], [10**30]],
    "begun": [{"1": "q"}],
    "documents_begun": [[2**64], [-1]],
    "deleting": [[[1, "c"]]],
    "documents_deleting": [[], [2**64], [-1]],
    "run_ids": [[], [1]],
    "last_import": ["", "run-1"],
    "unowned": [None, {}, {"nodes": -1}, {"more": 1}],
    "distrusted": ["", "why"],
    "dataset_name": ["", "other"],
    "left": [[], ["x"]],
    "emptying": [True],
    "format": [0, "2", None],
    "checksum": ["", "0" * 64],
}


def test_a_state_is_read_as_it_was_written() -> None:
    assert msgspec.structs.replace(MirrorState.decode(STATE.encode()), checksum="") == STATE


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in DAMAGED.items() for value in values])
def test_a_value_that_was_changed_is_noticed(field: str, value: Any) -> None:
    values = json.loads(STATE.encode())
    assert values[field] != value
    with pytest.raises(ValueError, match=r"."):
        MirrorState.decode(json.dumps({**values, field: value}).encode())


def test_no_bit_of_a_state_can_be_changed() -> None:
    content = STATE.encode()
    for place in range(len(content)):
        for bit in (1, 4, 32):
            changed = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            try:
                state = MirrorState.decode(changed)
            except ValueError:
                continue
            assert msgspec.structs.replace(state, checksum="") == STATE, changed


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=12))
    mirror.push()
    return mirror


def state_file(mirror: Mirror) -> Path:
    (found,) = mirror.directory.glob("mirrors/*/mirror.json")
    return found


@pytest.mark.parametrize(("later", "said"), [({"format": 3}, "has format 3"), ({"zzz": 1}, "has the field 'zzz'")])
def test_what_a_later_release_has_written_is_neither_used_nor_written_over(
    remote: FakeRemote, mirror: Mirror, later: dict[str, Any], said: str
) -> None:
    path = state_file(mirror)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **later}))
    before, uploads = path.read_bytes(), len(remote.uploads)
    with pytest.raises(InvalidPushError, match=rf"{re.escape(str(path))} {said}.*Nothing was sent.*Upgrade"):
        mirror.push()
    assert (path.read_bytes(), len(remote.uploads)) == (before, uploads)


def test_a_later_releases_mirror_beside_this_one_holds_up_no_push(
    mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    path = state_file(mirror)
    mirror.push(source="another")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 3}))
    mirror.push(source="another")
    assert f"{path.parent}: runs of that mirror count as somebody else's" in caplog.text
    mirror.assert_exact()


def test_the_state_of_release_0_1_0_is_read_and_gets_a_checksum(remote: FakeRemote, mirror: Mirror) -> None:
    path = state_file(mirror)
    values = json.loads(path.read_bytes())
    for name in ("checksum", "deletions", "accounted"):
        del values[name]
    path.write_text(json.dumps({**values, "format": 1}))
    assert mirror.push().status == "unchanged"
    mirror.graph.change_node()
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    assert json.loads(path.read_bytes())["checksum"]
    path.write_text(json.dumps({**values, "format": 1, "letters": {}}))
    mirror.push(on_removed="replace")
    mirror.assert_exact()


@pytest.mark.parametrize("value", ["0.2", None, True, float("nan"), 1.01, -0.1])
def test_a_share_that_is_none_is_refused_in_words(value: Any) -> None:
    with pytest.raises(ValueError, match="it is a share from 0 to 1"):
        MirrorOptions(max_removed=value)


def test_what_killed_writers_have_left_beside_a_state_goes_after_a_day(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    (state,) = mirror.directory.rglob("mirror.json")
    old, young = f".{'a' * 32}.tmp", f".{'b' * 32}.tmp"
    for directory in (state.parent, state.parent.parent):
        for name, age in ((old, 2), (young, 0)):
            (directory / name).write_bytes(b"half")
            os.utime(directory / name, (time.time() - age * 86_400.0,) * 2)
    mirror.graph.add_node()
    mirror.push()
    for directory in (state.parent, state.parent.parent):
        assert [path.name for path in directory.glob(".*.tmp")] == [young]


@pytest.mark.parametrize("at", [5, 6, 7])
def test_contents_that_tell_of_more_bytes_than_there_can_be_are_damaged_and_count_as_lost(
    remote: FakeRemote, tmp_path: Path, at: int
) -> None:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=20))
    mirror.push()
    (file,) = (tmp_path / "mirrors").glob("*/contents-*.bin")
    content = bytearray(file.read_bytes())
    content[content.index(b"\n") + 1 + at] ^= 0x20  # of the first length
    file.write_bytes(content)
    assert mirror.push().status == "completed"
    assert mirror.push().status == "unchanged"
    mirror.assert_exact()
