"""The sensor's memory between ticks: typed, versioned, bounded, and never trusted."""

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.dagster.sensors.cursor import MAX_PENDING, ImportCursor, PendingImport, Sweep

# What MySQL has room for, less the rest of the sensor's state around the cursor.
MAX_TEXT = 64_000

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
).filter(lambda item: item.ask_again_at == 0 or item.ask_again_at >= item.pushed_at)
sweeps = st.builds(Sweep, upto=whole, began_at=whole, settled=whole, asset_key=texts, after=whole)
cursors = st.builds(
    lambda items, **rest: ImportCursor(**rest).with_pending(items),
    st.lists(imports, max_size=20),
    assets=texts,
    watermark=whole,
    sweep=st.none() | sweeps,
    feed_offset=whole,
    silent_ticks=whole,
    silent_until=whole,
)


@given(cursors)
def test_everything_in_a_cursor_survives_being_written(cursor: ImportCursor) -> None:
    assert ImportCursor.decode(cursor.encode()) == cursor


@given(st.text() | st.binary().map(lambda raw: "1:" + raw.decode("latin-1")))
def test_a_cursor_that_cannot_be_read_is_no_cursor_and_no_error(text: str) -> None:
    assert ImportCursor.decode(text) is None


@given(cursors, st.data())
def test_a_damaged_cursor_is_no_cursor_or_a_whole_one(cursor: ImportCursor, data: st.DataObject) -> None:
    text = cursor.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters(codec="ascii")) + text[place + 1 :]
    decoded = ImportCursor.decode(damaged)
    assert decoded is None or ImportCursor.decode(decoded.encode()) == decoded


@given(cursors)
def test_a_cursor_of_another_version_is_not_guessed_at(cursor: ImportCursor) -> None:
    assert ImportCursor.decode("2" + cursor.encode()[1:]) is None


def test_a_full_cursor_fits_where_dagster_keeps_it() -> None:
    """Each import with an asset, a run and a backoff of its own: nothing to share, nothing to compress."""
    chance = random.Random(7)
    full = ImportCursor().with_pending(
        PendingImport(
            storage_id=10_000_000 + number * 9 + chance.randint(0, 8),
            asset_key=f"team/dataset_{chance.random()}/remote_push",
            run_id=str(uuid.UUID(int=chance.getrandbits(128))),
            pushed_at=1_763_847_687 + number * 7,
            failures=chance.randint(1, 20),
            ask_again_at=1_763_857_687 + number * chance.randint(1, 20),
        )
        for number in range(MAX_PENDING)
    )
    assert full.room == 0
    assert len(full.encode()) < MAX_TEXT
