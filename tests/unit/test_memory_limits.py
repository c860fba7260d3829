"""Every limit on memory is what was measured to be enough, and is raised only by who says so here.

What a limit does is tested where it is at work, most often with a small one in its place, which says nothing of its
value.
"""

from importlib import import_module

import pytest

# The most that each may be. Together with what it counts as, and several times over where something is held several
# times, it fits in 512 MiB with all libraries; or it bounds what is shown, logged or kept.
MOST = {
    "cogx.encode.exact_json:MAX_VALUES": 1000000,
    "cogx.encode.exact_json:_SHORT_BYTES": 4 * 1024 * 1024,
    "cogx.format:MAX_MEMBERS": 100000,
    "cogx.format:MAX_MEMBER_BYTES": 512 * 1024 * 1024,
    "cogx.format:MAX_TOTAL_BYTES": 2 * 1024 * 1024 * 1024,
    "cogx.read.brief:_BATCH_ROWS": 8192,
    "cogx.read.check_file:_MAX_NESTING": 935,
    "cogx.read.compare_nodes:_MORE_VALUES": 200000,
    "cogx.read.compression:_XZ_MEMORY": 128 * 1024 * 1024,
    "cogx.read.findings:MAX_PROBLEMS": 100,
    "cogx.read.manifest:_MAX_MANIFEST_BYTES": 1024 * 1024,
    "cogx.read.reader:_BATCH_CHARACTERS": 4000000,
    "cogx.read.reader:_BATCH_ROWS": 10000,
    "cogx.read.safe_members:MAX_LINE_BYTES": 16 * 1024 * 1024,
    "cogx.read.tar_entries:_MAX_EXTENDED_HEADER_BYTES": 64 * 1024,
    "cogx.read.verbatim:_BATCH_BYTES": 4000000,
    "cogx.shard.cut:_SHARDS_AT_ONCE": 16,
    "cogx.write.packing:_MAX_MANIFEST_BYTES": 64 << 20,
    "cogx.write.spool:_AHEAD": 2,
    "cogx.write.spool:_PIECE_BYTES": 1 << 20,
    "cogx.write.spool:_PIECE_BYTES_IN_THREAD": 2 << 20,
    "dagster.event_log.failure_log:_MAX_TEXT": 2000,
    "dagster.sensors.alert_cursor:MAX_OPEN": 400,
    "dagster.sensors.alert_cursor:MAX_TAKEN_UP": 500,
    "dagster.sensors.alert_cursor:MAX_TOLD": 1500,
    "dagster.sensors.cursor:MAX_PENDING": 1150,
    "dagster.sensors.packed:MAX_BYTES": 64000,
    "dagster.sensors.packed:_LARGEST_JSON": 1 << 22,
    "dagster.steps.documents:_MAX_DOCUMENTS_LOGGED": 100,
    "dagster.steps.tables:MAX_TABLE_ROWS": 50,
    "dagster.steps.tables:_CELL_LENGTH": 200,
    "environment:_MAX_BYTES": 256 << 10,
    "errors:_LONGEST": 20000,
    "errors:_SHOWN_OF_QUOTE": 100,
    "graph.portraying:EDGES_LOOKED_AT": 100000,
    "pushing.changes:_MAX_PAGES": 400,
    "pushing.comparison.rows:_MAX_EXTRA_BYTES": 24 * 2**20,
    "pushing.comparison.rows:_MAX_NAMES": 10000,
    "pushing.comparison.rows:_MAX_TEXT": 300,
    "pushing.comparison.wording:_MAX_NAME": 120,
    "pushing.journal:_MAX_BYTES": 16 << 20,
    "pushing.mirror.done.archives:_AT_ONCE": 64,
    "pushing.mirror.kept.files:_MAX_STATE_BYTES": 64 << 20,
    "pushing.mirror.kept.state:_RUNS_KEPT": 20000,
    "remote.answers:MAX_REFUSAL_BYTES": 64 * 2**10,
    "remote.answers:_MAX_RATIO": 100,
    "remote.answers:_SMALL": 16 * 2**20,
    "remote.exchange_limits:_GO_ON_BYTES": 256,
    "remote.graph_answer:MAX_ROW_BYTES": 16 * 2**20,
    "remote.graph_answer:_BATCH_BYTES": 256 * 2**10,
    "remote.graph_answer:_ROWS_AT_ONCE": 200000,
    "remote.graph_answer:_TRIES": 20,
    "remote.imports.feed:MAX_PAGES": 40,
    "remote.imports.listing:_MAX_PAGES": 4,
    "remote.responses:_MAX_NAME": 300,
    "remote.saved_credentials:_MAX_BYTES": 1 << 20,
    "remote.session:MAX_ANSWER_BYTES": 16 * 2**20,
    "remote.session:MAX_ANSWER_VALUES": 500000,
    "remote.session:MAX_GRAPH_BYTES": 2**31,
    "remote.wording:MAX_WORDS": 500,
    "remote.wording:_MAX_LOOKED_AT": 16384,
    "sandbox.server:_MAX_NOTED_BYTES": 64 << 10,
    "sources.cognee.child.process:_TAIL_CHARACTERS": 2000,
    "sources.cognee.child.process:_TAIL_LINES": 1000,
    "sources.cognee.ladybug_memory:_AT_WORK_BYTES": 384 << 20,
    "sources.cognee.ladybug_memory:_AT_WORK_TO_FILE": 16,
    "sources.cognee.ladybug_memory:_BOOKS_BYTES": 256 << 20,
    "sources.cognee.ladybug_memory:_POOL_BYTES": 1 << 30,
    "sources.cognee.ladybug_memory:_TO_POOL": 4,
    "sources.cognee.ladybug_reader:BUFFER_POOL_BYTES": 64 << 20,
    "sources.cognee.ladybug_reader:EDGE_PAGE_BYTES": 8 << 20,
    "sources.cognee.ladybug_reader:EDGE_PAGE_ROWS": 65536,
    "sources.cognee.ladybug_reader:ID_PAGE": 131072,
    "sources.cognee.ladybug_reader:NODE_PAGE": 8192,
    "sources.cognee.ladybug_reader:TWO_PROCESSES_BYTES": 64 << 20,
    "sources.cognee.ladybug_reader:_EDGE_POOL_BYTES": 32 << 20,
    "sources.cognee.permissions:_MAX_VALUE_BYTES": 1 << 20,
    "sources.formats.graphrag_communities:_MAX_HELD": 96 << 20,
    "sources.formats.graphrag_folder:_MAX_KEPT": 64 << 20,
    "sources.formats.json_file:MAX_BYTES": 192 << 20,
    "sources.formats.json_file:MAX_ELEMENT_BYTES": 4 << 20,
    "sources.formats.json_file:MAX_ELEMENT_VALUES": 100000,
    "sources.formats.json_file:MAX_MEMBERS": 250000,
    "sources.formats.json_file:_MAX_HELD": 300 << 20,
    "sources.formats.json_file:_MAX_KEYS": 64 << 20,
    "sources.formats.nano_communities:_MAX_BYTES": 64 << 20,
    "sources.formats.opening:ALWAYS_ALLOWED": 256 << 20,
    "sources.formats.opening:MAX_GROWTH": 300,
    "sources.formats.parquet:MAX_COLUMNS": 10000,
    "sources.formats.parquet:_ALWAYS_ALLOWED": 64 << 20,
    "sources.formats.parquet:_BATCH_BYTES": 16 << 20,
    "sources.formats.parquet:_MAX_FOOTER": 8 << 20,
    "sources.formats.parquet:_MAX_LIST_BYTES": 192 << 20,
    "sources.formats.parquet:_MAX_LIST_VALUES": 8 << 20,
    "sources.formats.parquet:_MAX_ROWS": 4096,
    "sources.formats.parquet_rows:_MAX_ROW_BYTES": 16 << 20,
    "sources.formats.parquet_rows:_PIECE_BYTES": 8 << 20,
    "sources.formats.tables:MAX_LINE": 4 << 20,
    "sources.formats.tables:_MAX_CELLS": 100000,
    "sources.formats.xml:_MAX_ATTRIBUTES": 10000,
    "sources.formats.xml:_MAX_DEPTH": 1000,
    "sources.formats.xml:_MAX_NAMES": 8 << 20,
    "sources.formats.xml:_MAX_OPEN": 8 << 20,
    "sources.formats.xml:_MAX_TEXT": 4 << 20,
    "sources.mapping.attributes:MAX_DEPTH": 200,
    "sources.mapping.attributes:MAX_INTEGER_BITS": 4096,
    "sources.mapping.ids:_MAX_REMEMBERED": 64,
    "sources.mapping.parallel:_MAX_JOINED": 4 << 20,
    "sources.mapping.reader:_BATCH_CHARACTERS": 4000000,
    "sources.mapping.reader:_BATCH_ROWS": 4096,
    "sources.mapping.room:MAX_KEPT": 340 << 20,
    "sources.mapping.times:_MAX_DIGITS": 30,
    "sources.mapping.written:_MAX_BYTES": 1 << 16,
    "sources.nearby:_LOOKED_AT": 500,
    "sources.sightings:SHOWN_NAME": 1000,
    "sources.sightings:_SHOWN": 20000,
    "store.holds:_MAX_BYTES": 32 << 20,
    "store.lock:_READ_BYTES": 64 << 10,
    "store.pointers:MAX_POINTER_BYTES": 8 << 20,
    "system.child_process:_LOG_BYTES": 20000,
    "tracing:_MAX_MESSAGE": 1000,
}
# The least that is reckoned for what is held: bytes, characters or copies.
LEAST = {
    "pushing.comparison.rows:_EDGE_BYTES": 350,
    "pushing.comparison.rows:_ID_BYTES": 130,
    "remote.kept_rows:_EDGE_BYTES": 100,
    "sources.formats.graphrag_communities:_ROW_BYTES": 1000,
    "sources.formats.graphrag_folder:_KEPT_BYTES": 100,
    "sources.formats.json_file:_LINK_BYTES": 40,
    "sources.formats.json_file:_MEMBER_BYTES": 300,
    "sources.formats.json_file:_NODE_BYTES": 500,
    "sources.formats.parquet_rows:_VALUE_BYTES": 60,
    "sources.formats.xml:_EVENT_LENGTH": 100,
    "sources.formats.xml:_NAME_LENGTH": 500,
    "sources.mapping.room:_AT_WORK": 40 << 20,
    "sources.mapping.room:_EDGE_BYTES": 24,
    "sources.mapping.room:_KIND_BYTES": 1000,
    "sources.mapping.room:_KIND_COPIES": 4,
    "sources.mapping.room:_NODE_BYTES": 200,
    "sources.mapping.room:_PAIR_BYTES": 600,
}


def value_of(place: str) -> int:
    module, _, name = place.partition(":")
    value = getattr(import_module(f"cognee_dagster.{module}"), name)
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("place", MOST)
def test_no_limit_is_raised_without_a_word(place: str) -> None:
    assert value_of(place) <= MOST[place]


@pytest.mark.parametrize("place", LEAST)
def test_nothing_that_is_held_counts_as_less_than_was_measured(place: str) -> None:
    assert value_of(place) >= LEAST[place]
