"""The sensor's memory between ticks: typed, versioned, bounded, and never trusted."""

import base64
import json
import os
import random
import string
import subprocess
import sys
import tracemalloc
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cognee_dagster.dagster.sensors.cursor import MAX_PENDING, ImportCursor, PendingImport, Scan
from cognee_dagster.dagster.sensors.packed import MAX_BYTES
from tests.printed import ROOT, blocks

RUN = "5e2a7c1c-0c4c-4b3e-8f0e-0d6f0c9f5d11"

whole = st.integers(min_value=0, max_value=2**53)
texts = st.text(max_size=20)
imports = st.builds(
    PendingImport,
    storage_id=whole,
    asset_key=texts,
    run_id=st.one_of(st.uuids().map(str), texts, st.just("")),
    pushed_at=whole,
    failures=st.integers(0, 1000),
    ask_again_at=whole,
    handed_over=st.integers(0, 7),
)
scans = st.builds(Scan, upto=whole, began_at=whole, audit=st.booleans(), asset_key=texts, after=whole)
cursors = st.builds(
    lambda items, **rest: ImportCursor(**rest).with_pending(items),
    st.lists(imports, max_size=20),
    assets=texts,
    watermark=whole,
    audited=whole,
    audit_at=whole,
    seen_upto=whole,
    seen_at=whole,
    scan=st.none() | scans,
    feed_offset=whole,
    unanswered_ticks=whole,
    paused_until=whole,
)


@given(cursors)
def test_everything_in_a_cursor_survives_being_written(cursor: ImportCursor) -> None:
    assert ImportCursor.decode(cursor.encode()) == cursor


def test_the_command_on_the_page_shows_a_cursor_that_is_compressed() -> None:
    (printed,) = blocks(ROOT / "docs" / "how-imports-are-watched.md", "bash")
    pending = [
        PendingImport(storage_id=n, asset_key="a", run_id=str(uuid.UUID(int=n * 7**40)), pushed_at=n) for n in range(60)
    ]
    cursor = ImportCursor(watermark=17).with_pending(pending).encode()
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "CURSOR": cursor}
    ran = subprocess.run(["bash", "-c", printed.text], env=environ, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["watermark"] == 17


@given(st.text() | st.binary().map(lambda raw: "2:" + raw.decode("latin-1")))
def test_a_cursor_that_cannot_be_read_is_no_cursor_and_no_error(text: str) -> None:
    assert ImportCursor.decode(text) is None


@given(cursors, st.data())
def test_a_damaged_cursor_is_no_cursor_or_a_whole_one(cursor: ImportCursor, data: st.DataObject) -> None:
    text = cursor.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters(codec="ascii")) + text[place + 1 :]
    decoded = ImportCursor.decode(damaged)
    assert decoded is None or ImportCursor.decode(decoded.encode()) == decoded


def test_a_cursor_that_unpacks_to_more_than_any_release_writes_fills_no_memory() -> None:
    state = b"{}"
    bomb = "2:" + base64.b85encode(zlib.compress(state + b" " * (1 << 26), 9)).decode()
    tracemalloc.start()
    try:
        assert ImportCursor.decode(bomb) is None
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@given(cursors)
def test_a_cursor_of_another_version_is_not_guessed_at(cursor: ImportCursor) -> None:
    assert ImportCursor.decode("3" + cursor.encode()[1:]) is None


def full(*, number: int, run_id: Callable[[random.Random], str]) -> ImportCursor:
    """So many imports, each with its own asset, run and backoff: nothing to share, nothing to compress."""
    chance = random.Random(7)
    return ImportCursor().with_pending(
        PendingImport(
            storage_id=10_000_000 + number * 9 + chance.randint(0, 8),
            asset_key=f"team/dataset_{chance.random()}/remote_push",
            run_id=run_id(chance),
            pushed_at=1_763_847_687 + number * 7,
            failures=chance.randint(1, 20),
            ask_again_at=1_763_857_687 + number * chance.randint(1, 20),
            handed_over=chance.randint(0, 6),
        )
        for number in range(number)
    )


def uuid_of(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128)))


def long_id_of(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=120))


def test_a_full_cursor_fits_where_dagster_keeps_it() -> None:
    cursor = full(number=MAX_PENDING, run_id=uuid_of)
    assert cursor.room == 0
    assert len(cursor.encode()) <= MAX_BYTES
    assert ImportCursor.decode(cursor.encode()) == cursor


def test_run_ids_of_120_characters_take_the_room_that_they_need() -> None:
    cursor = ImportCursor()
    for item in full(number=MAX_PENDING, run_id=long_id_of).pending.values():
        if cursor.room:
            cursor = cursor.with_pending([item])
    assert len(cursor.pending) > 300
    assert len(cursor.encode()) <= MAX_BYTES
    assert ImportCursor.decode(cursor.encode()) == cursor


def test_a_cursor_is_bounded_by_bytes_and_what_does_not_fit_is_taken_up_again() -> None:
    cursor = replace(full(number=MAX_PENDING, run_id=long_id_of), watermark=2**40, audited=2**40, seen_upto=2**40)
    text = cursor.encode()
    assert len(text) <= MAX_BYTES
    decoded = ImportCursor.decode(text)
    assert decoded is not None
    assert len(decoded.pending) > 300
    left_out = min(cursor.pending.keys() - decoded.pending.keys())
    assert left_out > max(decoded.pending)
    assert {decoded.watermark, decoded.audited, decoded.seen_upto} == {left_out - 1}


def test_a_cursor_can_be_read_by_people() -> None:
    text = ImportCursor(watermark=7).with_pending([PendingImport(storage_id=9, asset_key="a", run_id="x", pushed_at=3)])
    assert text.encode() == '2:{"watermark":7,"pending":[[9,"a","=x",3,0,0,0]]} crc32=5da9eda4'


def test_a_mark_that_somebody_changed_is_not_believed() -> None:
    text = ImportCursor(watermark=41).encode()
    assert ImportCursor.decode(text) == ImportCursor(watermark=41)
    assert ImportCursor.decode(text.replace("41", "91", 1)) is None


def test_a_long_cursor_can_be_read_by_people_who_unpack_it() -> None:
    cursor = full(number=200, run_id=uuid_of)
    text = cursor.encode()
    shown = json.loads(zlib.decompress(base64.b85decode(text.removeprefix("2:"))))
    assert len(shown["pending"]) == 200
    assert len(text) < len(json.dumps(shown))
    assert ImportCursor.decode(text) == cursor


def test_the_cursor_of_the_first_release_is_still_read() -> None:
    """Written by release 0.1.0: a run with a UUID, one with another id and a backoff, and one without any."""
    text = (
        "1:c-mErI}U>|5JaznwqA){d;OuHOOpdoAru*7l!BiUxPP!Hl5{ikW~K#VrNvn1tIz`q<8n+B8X{E4&T4<k)3mUsFqffxr"
        "Fq@cV>{kYz$@(k!VX(eNC+mW;37wg5~bJ4kCbSzBgJYo12bIz;;eUhq>&NoW!;NVG|m0?<rSeu&6Hb`uj?PiUH1VoQZ!f"
    )
    cursor = ImportCursor.decode(text)
    assert cursor == ImportCursor(
        assets="0123456789ab",
        watermark=41,
        audited=41,
        feed_offset=500,
        unanswered_ticks=2,
        paused_until=1_763_850_000,
    ).with_pending(
        [
            PendingImport(storage_id=42, asset_key="team/a/remote_push", run_id=RUN, pushed_at=1_763_847_687),
            PendingImport(
                storage_id=43,
                asset_key="team/b/remote_push",
                run_id="not a UUID",
                pushed_at=1_763_847_690,
                failures=3,
                ask_again_at=1_763_848_000,
            ),
            PendingImport(storage_id=44, asset_key="team/a/remote_push", run_id="", pushed_at=1_763_847_691),
        ]
    )
