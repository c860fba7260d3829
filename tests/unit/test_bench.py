"""The benchmark's own logic: what it compares, how it adds up, and where it writes."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import plan, sync
from bench.export_report import ExportResult, findings, picture
from bench.measure import Measurement, measure, median_of
from bench.overhead import made_up, repeated_bytes
from bench.page import marks, replaced, section, write
from bench.parts import Findings, Goal
from bench.plot import Panel, Series, draw
from bench.records import file_digest, same_records, unpack_records
from bench.server_time import processor_seconds
from bench.sync_edits import EditedGraph
from bench.synthetic import SyntheticGraph
from bench.tables import mebibytes, seconds, table
from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.shard.plan import GraphSizes
from cognee_dagster.testing.graph import Graph, Node

SVG = "{http://www.w3.org/2000/svg}"
ENTITIES = [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]
FACTS = [{"id": "a-b", "subject": "a", "object": "b"}]
OURS = {"entities": ENTITIES, "facts": FACTS}


# Whether two archives hold the same


def archive(path: Path, files: Mapping[str, list[dict[str, Any]]], *, directory: str = "") -> Path:
    """An archive with these record files."""
    with tarfile.open(path, "w:gz") as tar:
        for name, records in files.items():
            content = "".join(json.dumps(record) + "\n" for record in records).encode()
            header = tarfile.TarInfo(f"{directory}{name}.jsonl")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def test_records_are_the_same_in_another_order_and_spelling(tmp_path: Path) -> None:
    ours = archive(tmp_path / "ours", OURS)
    turned = [dict(reversed(record.items())) for record in reversed(ENTITIES)]
    theirs = archive(tmp_path / "theirs", {"facts": FACTS, "entities": turned, "episodes": []}, directory="./demo/")
    assert same_records(ours, theirs)


@pytest.mark.parametrize(
    "other",
    [
        {"entities": ENTITIES},
        {"entities": ENTITIES, "facts": [*FACTS, *FACTS]},
        {"entities": [ENTITIES[0], {"id": "b", "name": "C"}], "facts": FACTS},
        {"entities": [ENTITIES[0], ENTITIES[0]], "facts": FACTS},
        {"nodes": ENTITIES, "facts": FACTS},
    ],
    ids=["missing file", "twice", "another value", "another record", "another file"],
)
def test_any_difference_in_the_records_is_noticed(tmp_path: Path, other: dict[str, list[dict[str, Any]]]) -> None:
    ours = archive(tmp_path / "ours", OURS)
    assert not same_records(ours, archive(tmp_path / "theirs", other))


def test_the_floor_compresses_all_lines_of_the_record_files(tmp_path: Path) -> None:
    unpack_records(archive(tmp_path / "ours", OURS), tmp_path / "unpacked")
    lines = {path.name: path.read_text().splitlines() for path in (tmp_path / "unpacked").iterdir()}
    assert {name: len(some) for name, some in lines.items()} == {"entities.jsonl": 2, "facts.jsonl": 1}


def test_a_file_digest_tells_files_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(gzip.compress(b"same", mtime=1))
    second.write_bytes(gzip.compress(b"same", mtime=2))
    assert file_digest(first) == file_digest(first) != file_digest(second)


# Time and memory

HOLDS_MEMORY = "import time; held = bytearray(60 << 20); time.sleep(1)"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_is_that_of_all_processes_at_once(tmp_path: Path) -> None:
    both = (
        "import subprocess, sys, time; held = bytearray(60 << 20); "
        f"subprocess.run([sys.executable, '-c', {HOLDS_MEMORY!r}])"
    )
    alone = measure([sys.executable, "-c", HOLDS_MEMORY], environ={}, directory=tmp_path)
    together = measure([sys.executable, "-c", both], environ={}, directory=tmp_path)
    assert 60 << 20 < alone.peak_bytes < 110 << 20
    assert 120 << 20 < together.peak_bytes < 220 << 20


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"exit code 1:\n.*no luck"):
        measure([sys.executable, "-c", "raise SystemExit('no luck')"], environ={}, directory=tmp_path)


def cost(seconds: float, mebibytes: int = 100) -> Measurement:
    return Measurement(seconds=seconds, cpu_seconds=2 * seconds, peak_bytes=mebibytes << 20)


def test_of_several_runs_the_times_are_medians_and_the_memory_is_the_largest() -> None:
    runs = [cost(3, 100), cost(1, 400), cost(2, 200)]
    assert median_of(runs) == Measurement(seconds=2, cpu_seconds=4, peak_bytes=400 << 20)


# What a cut repeats


def test_repeated_bytes_are_those_of_nodes_in_more_than_one_part() -> None:
    empty, records = np.zeros(4, np.int64), np.array([1, 10, 100, 1000])
    sources, targets = np.array([0, 1, 2], np.int32), np.array([1, 2, 3], np.int32)
    facts = np.ones(3, np.int64)
    chain = GraphSizes(
        documents=empty, entities=empty, raw_nodes=records, facts=facts, sources=sources, targets=targets
    )
    assert repeated_bytes(chain, np.array([0, 0, 0])) == 0
    assert repeated_bytes(chain, np.array([0, 0, 1])) == 100
    assert repeated_bytes(chain, np.array([0, 1, 2])) == 110


def test_a_made_up_graph_has_the_shape_of_the_synthetic_one() -> None:
    sizes = made_up(1000, within=0.5)
    graph = SyntheticGraph(1000)
    assert len(sizes.raw_nodes) == graph.num_nodes
    assert len(sizes.facts) == len(sizes.sources) == graph.num_edges == len(list(graph.edges()))
    assert max(sizes.sources.max(), sizes.targets.max()) < graph.num_nodes == len(list(graph.nodes()))


# Tables and goals


def result(num_nodes: int = 200_000, *, ours: float = 4, cognee: float | None = 84, memory: int = 400) -> ExportResult:
    return ExportResult(
        num_nodes=num_nodes,
        ours=cost(ours, memory),
        cognee=None if cognee is None else cost(cognee, 2000),
        floor=cost(3),
        archive_bytes=110,
        cognee_archive_bytes=None if cognee is None else 100,
        same_records=None if cognee is None else True,
        same_bytes=True,
    )


def met(*results: ExportResult) -> dict[str, bool]:
    return {goal.what: goal.met for goal in findings(results, rounds=1).goals}


def test_the_goals_of_an_export_are_met_where_they_are() -> None:
    assert met(result()) == {
        "faster than Cognee, 200,000 nodes": True,
        "over the floor, 200,000 nodes": True,
        "archive over Cognee's, 200,000 nodes": True,
        "memory, 200,000 nodes": True,
    }


@pytest.mark.parametrize(
    ("missed", "what"),
    [
        (result(ours=4, cognee=79), "faster than Cognee, 200,000 nodes"),
        (result(ours=6.1, cognee=1000), "over the floor, 200,000 nodes"),
        (result(memory=513), "memory, 200,000 nodes"),
        (result(10_000, ours=1, cognee=14.9), "faster than Cognee, 10,000 nodes"),
    ],
)
def test_a_goal_that_is_missed_is_shown_as_missed(missed: ExportResult, what: str) -> None:
    assert [name for name, good in met(missed).items() if not good] == [what]
    assert "**no**" in section(findings([missed], rounds=1), conditions="")


def test_where_cognee_was_not_run_nothing_is_said_of_it() -> None:
    assert met(result(1_000_000, cognee=None)) == {"memory, 1,000,000 nodes": True}
    (row,) = re.findall(r"^\| 1,000,000 \|.* s \|.*$", findings([result(1_000_000, cognee=None)], rounds=1).text, re.M)
    assert row.split(" | ")[3:5] == ["-", "-"]


def test_the_ratio_in_the_table_is_cognees_time_over_ours() -> None:
    assert "| 4.00 s | 84.0 s | **21.0x** | 3.00 s | 1.33 |" in findings([result()], rounds=1).text


def test_figures_have_three_digits() -> None:
    assert [seconds(value) for value in (0.123, 9.99, 12.34, 123.4)] == ["0.12 s", "9.99 s", "12.3 s", "123 s"]
    assert mebibytes(1 << 30) == "1,024 MiB"


def test_columns_of_figures_are_aligned_to_the_right() -> None:
    assert table(("<who", "time"), [("ours", "1 s")]) == "| who | time |\n| --- | ---: |\n| ours | 1 s |"


def test_the_servers_own_time_is_taken_from_all_pushes() -> None:
    from bench import push

    kinds = ("`cognee-cli push`", "`cognee-dagster push`", "`cognee_dagster.push()`", "`import cognee`")
    runs = dict(zip((*kinds, "the upload alone"), map(cost, (16.0, 3.0, 1.0, 9.0, 1.0)), strict=True))
    text = push.findings(runs, rounds=3, same=True).text
    assert "| `cognee-cli push` | 16.0 s | **1.0x** | 15.0 s | 1.0x |" in text
    assert "| `cognee-dagster push` | 3.00 s | **5.3x** | 2.00 s | 7.5x |" in text
    assert "| `cognee_dagster.push()` | 1.00 s | **16.0x** | 0.00 s | - |" in text


def part(number: int, *, records: int) -> Archive:
    return Archive(
        path=Path(f"{number}.cogx.tar.gz"),
        dataset_name="large",
        num_nodes=100,
        num_edges=300,
        digest="d",
        content_sha256="c",
        sha256="s",
        size_bytes=5 << 20,
        record_counts={"entity": records - 20, "raw_node": 20, "fact": 300},
        member_bytes={"entities.jsonl": 2 << 20, "nodes.jsonl": 1 << 20, "facts.jsonl": 30 << 20},
    )


def test_a_cut_graph_counts_what_is_repeated_and_whether_all_arrived() -> None:
    from bench import shards

    archives = [part(1, records=100), part(2, records=130)]
    arrived = shards.findings(archives, writing=cost(9), pushing=cost(5), complete=True)
    assert "230 node records for 200 nodes: 15% are repeated" in arrived.text
    assert "| 2 of 2 | 5 MiB | 30 MiB | 3 MiB | 300 |" in arrived.text
    assert [goal.met for goal in arrived.goals] == [True]
    lost = shards.findings(archives, writing=cost(9), pushing=cost(5), complete=False)
    assert [(goal.wanted, goal.measured, goal.met) for goal in lost.goals] == [
        ("200 nodes, 600 edges", "not all", False)
    ]


def test_a_graph_has_arrived_whole_when_nothing_is_missing_and_nothing_else_is_there() -> None:
    from bench.shards import arrived_whole

    graph = SyntheticGraph(1000)
    remote = Graph()
    remote.nodes = {node_id: Node(name=None, type="Entity", properties={}) for node_id, *_ in graph.nodes()}
    remote.edges = {(source, str(name), target): {} for source, target, name, _ in graph.edges()}
    assert arrived_whole(graph, remote)
    edge, node = next(iter(remote.edges)), next(iter(remote.nodes))
    for other in (
        Graph(remote.nodes, {triple: {} for triple in remote.edges if triple != edge}),
        Graph(remote.nodes, {**remote.edges, ("a", "is", "b"): {}}),
        Graph(
            {("other" if node_id == node else node_id): found for node_id, found in remote.nodes.items()}, remote.edges
        ),
    ):
        assert not arrived_whole(graph, other)


# The page

PAGE = "# Title\n\nProse.\n\n<!-- bench: push -->\nold\n<!-- end of push -->\n\nMore \\1 prose.\n"


def test_a_section_goes_between_its_marks_and_nowhere_else() -> None:
    once = replaced(PAGE, "push", "new \\1")
    assert once == PAGE.replace("old", "\nnew \\1\n")
    assert replaced(once, "push", "new \\1") == once


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no place for the part 'export': put <!-- bench: export -->"):
        replaced(PAGE, "export", "")


def test_pictures_go_beside_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    write(page, "push", "![it](it.svg)", Findings(text="", pictures={"it.svg": "<svg/>"}))
    assert "![it](it.svg)" in page.read_text(encoding="utf-8")
    assert (tmp_path / "it.svg").read_text(encoding="utf-8") == "<svg/>"


def test_a_section_has_the_goals_and_the_conditions() -> None:
    goal = Goal(what="speed", wanted="20x", measured="21x", met=True)
    text = section(Findings(text="A table.\n", goals=(goal,)), conditions="*today*")
    assert text.startswith("A table.\n\n| goal |")
    assert text.endswith("| speed | 20x | 21x | yes |\n\n*today*")
    assert not set(marks("push")) & set(text.splitlines())


# The picture


def elements(picture: str, kind: str) -> list[ET.Element]:
    return list(ET.fromstring(picture).iter(f"{SVG}{kind}"))


def panel(*series: Series) -> Panel:
    ticks = [(10.0**power, str(10**power)) for power in range(6)]
    return Panel(title="t", x_name="x", series=series, x_ticks=ticks[1:4], y_ticks=ticks)


def test_equal_ratios_are_equal_distances() -> None:
    (line,) = elements(
        draw([panel(Series(name="n", kind="ours", points=[(10, 20), (100, 200), (1000, 2000)]))], description="d"),
        "polyline",
    )
    (x1, y1), (x2, y2), (x3, y3) = (
        [float(value) for value in point.split(",")] for point in line.get("points", "").split()
    )
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert y1 > y3


def test_names_of_lines_that_end_together_do_not_cover_each_other() -> None:
    together = [Series(name=name, kind="ours", points=[(10, 20), (1000, 2000)]) for name in ("one", "two", "three")]
    texts = elements(draw([panel(*together)], description="d"), "text")
    heights = sorted(float(text.get("y", "")) for text in texts if text.text in {"one", "two", "three"})
    assert min(second - first for first, second in pairwise(heights)) >= 12


def test_only_marks_around_the_values_are_drawn() -> None:
    texts = elements(
        draw([panel(Series(name="n", kind="ours", points=[(10, 20), (1000, 200)]))], description="d"), "text"
    )
    beside = [text.text for text in texts if text.get("text-anchor") == "end"]
    assert beside == ["10", "100", "1000"]


def test_the_picture_of_the_exports_has_all_lines_and_the_limit_and_fits_dark_pages() -> None:
    drawn = picture([result(10_000, ours=1, cognee=20), result(), result(1_000_000, ours=30, cognee=None)])
    names = [text.text for text in elements(drawn, "text") if "name" in text.get("class", "").split()]
    assert sorted(filter(None, names)) == ["512 MiB", "Cognee", "Cognee", "floor", "this package", "this package"]
    assert "prefers-color-scheme: dark" in drawn


# The command


def test_parts_and_options_are_shown_without_importing_what_they_need() -> None:
    program = (
        "import sys, bench.__main__; print(sorted({'cognee', 'ladybug', 'dagster', 'pyarrow'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    shown = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


# What a mirror costs


def sync_costs(**seconds_of: float) -> dict[str, sync.Cost]:
    names = (sync.FULL, sync.FIRST, sync.NOTHING, sync.CHANGED, sync.TENTH, sync.REWRITTEN, sync.REMOVED, sync.ADDED)
    return {
        name: sync.Cost(server_seconds=seconds_of.get(str(number), 1.0), seconds=1.0, body_bytes=0, requests=2)
        for number, name in enumerate(names)
    } | {sync.FULL: sync.Cost(server_seconds=10.0, seconds=20.0, body_bytes=1 << 20, requests=3)}


def test_a_mirrors_costs_are_shares_of_a_full_push_and_held_against_the_goals() -> None:
    found = sync.findings({5_000: sync_costs(), 20_000: sync_costs(**{"6": 2.0})})
    assert f"| {sync.REMOVED} | 2.00 s | 20.0% | 0 KiB | 0.0% | 2 | 1.00 s |" in found.text
    assert [goal.met for goal in found.goals] == [True, True, True, True, True, True, False, True]
    assert ET.fromstring(found.pictures[sync.PICTURE]).tag == f"{SVG}svg"


def test_an_edited_graph_loses_a_document_whole_and_gets_it_back() -> None:
    graph = EditedGraph.of(1_000)
    nodes, edges = dict(graph.node_rows), dict(graph.edge_rows)
    bring_back = graph.remove_document()
    gone = nodes.keys() - graph.node_rows.keys()
    assert sorted(nodes[one][2] or "" for one in gone) == ["DocumentChunk", "TextDocument", "TextSummary"]
    assert all(not gone & {source, target} for source, _, target in graph.edge_rows)
    bring_back()
    assert (graph.node_rows, graph.edge_rows) == (nodes, edges)
    graph.describe_anew(0.01)
    assert sum(nodes[one] != row for one, row in graph.node_rows.items()) == 10


def test_a_plan_is_held_against_an_export() -> None:
    runs = {
        name: Measurement(seconds=1.0, cpu_seconds=cpu, peak_bytes=peak << 20)
        for name, cpu, peak in (
            ("read, write and cut", 10.0, 900),
            ("plan the first push", 19.0, 500),
            ("plan a push of the unchanged graph", 21.0, 100),
        )
    }
    found = plan.findings(runs, num_nodes=1_000, kept_bytes=3_900 * 24)
    assert [goal.met for goal in found.goals] == [True, False, True]
    assert [goal.measured for goal in found.goals] == ["500 MiB", "2.1x", "24.0 bytes"]


def test_the_time_of_a_sessions_processes_counts() -> None:
    with subprocess.Popen(["true"], start_new_session=True) as child:
        child.wait()
    assert processor_seconds(child.pid) == 0.0
    begun = processor_seconds(os.getsid(0))
    sum(range(3_000_000))
    assert processor_seconds(os.getsid(0)) > begun
