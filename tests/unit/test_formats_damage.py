"""Whatever is wrong with a graph's file, it is told as one of our errors, which names the file and says what to do."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cogx.write.packing import pack_directory
from cognee_dagster.errors import ArchiveError, CogneeDagsterError, GraphFileError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.testing import FakeRemote
from tests.archives_of_others import pack, unpack
from tests.asset_chain import NO_RETRY, Chain, failure_of
from tests.command_line import call

CORPUS = Path(__file__).parents[1] / "corpus"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
NODES = [{"id": "a", "name": "Ann", "category": "x"}, {"id": "b", "name": "Bo", "category": "y"}]
EDGES = [{"source": "a", "target": "b", "relation": "knows"}]


def small_graph() -> Any:
    graph = nx.DiGraph()
    for node in NODES:
        graph.add_node(node["id"], name=node["name"], category=node["category"])
    graph.add_edge("a", "b", relation="knows", weight=1.5)
    return graph


def write_apoc(path: Path) -> None:
    lines = (CORPUS / "apoc" / "handbook.jsonl").read_text().splitlines(keepends=True)
    nodes = [line for line in lines if '"type": "node"' in line]
    path.write_text("".join(nodes))


def write_tables(folder: Path, *, suffix: str) -> None:
    folder.mkdir()
    for name, rows in (("nodes", NODES), ("edges", EDGES)):
        if suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
        else:
            lines: list[Any] = [list(rows[0]), *(list(row.values()) for row in rows)]
            text = "\n".join(map(",".join, lines))
            (folder / f"{name}{suffix}").write_bytes(COMPRESS.get(suffix[4:], bytes)(text.encode()))


def copied(producer: str) -> Callable[[Path], Any]:
    return lambda folder: shutil.copytree(CORPUS / producer, folder)


# What a graph is called, and who writes it there: a file, or a folder of which any file may be damaged.
WRITERS: dict[str, Callable[[Path], Any]] = {
    "g.graphml": lambda path: nx.write_graphml(small_graph(), path),
    "g.gexf": lambda path: nx.write_gexf(small_graph(), path),
    "g.json": lambda path: path.write_text(json.dumps(nx.node_link_data(small_graph()))),
    "g.jsonl": write_apoc,
    "csv": lambda folder: write_tables(folder, suffix=".csv"),
    "csv.gz": lambda folder: write_tables(folder, suffix=".csv.gz"),
    "parquet": lambda folder: write_tables(folder, suffix=".parquet"),
    "graphrag": copied("graphrag"),
    "lightrag": copied("lightrag"),
    "nano-graphrag": copied("nano-graphrag"),
    "cogx": lambda folder: unpack(folder, "cognee"),
    **{f"g.cogx.tar.{kind}": partial(pack, system="cognee", compression=kind) for kind in ("gz", "bz2", "xz")},
}
# Each format of one file compressed, too.
PLACES = [
    *WRITERS,
    *(f"{name}{suffix}" for name in ("g.graphml", "g.gexf", "g.json", "g.jsonl") for suffix in COMPRESS),
]
# Where a library has no better words than these, nothing else may stand around them.
NOT_FOR_PEOPLE = ("Traceback", "object at 0x", "holds something that cannot be read", "cognee-graph-")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every place with a whole graph."""
    directory = tmp_path_factory.mktemp("whole")
    for name, write in WRITERS.items():
        write(directory / name)
    for name in PLACES:
        if name not in WRITERS:
            plain = directory / name.rpartition(".")[0]
            (directory / name).write_bytes(COMPRESS[plain.with_name(name).suffix](plain.read_bytes()))
    return {name: directory / name for name in PLACES}


def read_all(place: Path) -> None:
    reader = open_graph_file(place)
    for batches in (reader.nodes(), reader.edges()):
        for _ in batches:
            pass


@pytest.mark.parametrize("name", PLACES)
def test_what_is_whole_is_read(whole: dict[str, Path], name: str) -> None:
    """Or else all of the rest could be true of nothing."""
    read_all(whole[name])


@st.composite
def damage(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Cut off, some bits flipped, something put in or left out, or something else altogether."""
    kind = draw(st.sampled_from(["cut", "flipped", "inserted", "removed", "other"]))
    where = draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=3))
    extra = draw(st.binary(min_size=1, max_size=40))

    def damaged(content: bytes) -> bytes:
        at = int(where[0] * len(content))
        if kind == "cut":
            return content[:at]
        if kind == "flipped":
            changed = bytearray(content)
            for place in where:
                changed[int(place * len(content))] ^= 1 << extra[0] % 8
            return bytes(changed)
        if kind == "inserted":
            return content[:at] + extra + content[at:]
        return content[:at] + content[at + len(extra) :] if kind == "removed" else extra

    return damaged


@pytest.mark.parametrize("name", PLACES)
@settings(max_examples=25)
@given(damage=damage(), which=st.integers(0, 9))
def test_damage_of_any_kind_anywhere_is_an_error_of_ours_that_names_the_place(
    whole: dict[str, Path], name: str, damage: Callable[[bytes], bytes], which: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / name
        (shutil.copytree if whole[name].is_dir() else shutil.copyfile)(whole[name], place)
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        victim = files[which % len(files)]
        victim.write_bytes(damage(victim.read_bytes()))
        try:
            read_all(place)  # a bit of a text may be another bit
        except (GraphFileError, ArchiveError) as error:
            said = str(error)
            assert str(place) in said
            assert not [words for words in NOT_FOR_PEOPLE if words in said], said


DEEP = "[" * 100_000
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
UTF_16 = "id,name\na,Ann\n".encode("utf-16")


def parquet_of_bytes(name: bytes) -> bytes:
    """A table whose strings are none, as a flipped bit makes them."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["a"], "name": pa.array([name]).view(pa.string())}), sink)
    return sink.getvalue()


def written(folder: Path, **files: bytes | str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


# A file and what is in it, or a folder's files; what is said, and what is advised.
DAMAGED: dict[str, tuple[dict[str, bytes | str], str, str]] = {
    "JSON that is nested too deep": ({"g__json": DEEP}, r"g\.json is not JSON: it is nested too deep", "Write"),
    "a node that is nested too deep": (
        {"g__json": '{"nodes": [{"id": "a", "x": %s}], "links": []}' % (DEEP[:5000] + "]" * 5000)},
        "nested",
        "Write|Change",
    ),
    "a line that is nested too deep": ({"g__jsonl": DEEP}, "line 1 .* it is nested too deep", "Write"),
    "a pickle": ({"g__json": pickle.dumps(small_graph())}, r"g\.json is not JSON: .* not UTF-8 at byte 0", "Write"),
    "an empty .json": ({"g__json": ""}, r"g\.json is empty", "Write"),
    "an empty .jsonl": ({"g__jsonl": ""}, r"g\.jsonl is empty", "Write"),
    "an empty .graphml": ({"g__graphml": ""}, "not XML: no element found", "Write"),
    "an empty .gexf": ({"g__gexf": ""}, "not XML: no element found", "Write"),
    "GEXF that is something else": ({"g__gexf": "<html/>"}, "outermost element is <html>", "not <gexf>"),
    "entities in GraphML": ({"g__graphml": BOMB + "<graphml/>"}, "declares the XML entity 'a'", "Save it without"),
    "entities in GEXF": ({"g__gexf": BOMB + "<gexf/>"}, "declares the XML entity 'a'", "Save it without"),
    "a gzip that is cut off": (
        {"g__json__gz": gzip.compress(b'{"nodes": []}' * 99)[:-9]}, r"no \.gz file, or .*: it is cut off", "Write",
    ),
    "a bzip2 that is none": ({"g__json__bz2": "{}"}, r"g\.json\.bz2 is no \.bz2 file", "Write"),
    "an xz that is none": ({"g__json__xz": "{}"}, r"g\.json\.xz is no \.xz file", "Write"),
    "a table that is no Parquet": (
        {"nodes__parquet": "id\na\n", "edges__csv": "source,target\n"}, r"nodes\.parquet that is no Parquet", "Write",
    ),
    "an empty Parquet": ({"nodes__parquet": "", "edges__csv": "a\n"}, r"nodes\.parquet that is no Parquet", "Write"),
    "Parquet with texts that are none": (
        {"nodes__parquet": parquet_of_bytes(b"\xf3 "), "edges__csv": "source,target\n"},
        r"nodes\.parquet that is no Parquet file, or a damaged one: .* can't decode", "Write",
    ),
    "a table in UTF-16": ({"nodes__csv": UTF_16, "edges__csv": "source,target\n"}, r"nodes\.csv .* not UTF-8", "Save"),
    "a row in Latin-1": (
        {"nodes__csv": "id,name\na,Ann\n", "edges__csv": b"source,target,note\na,a,\xe9\n"},
        r"edges\.csv that is not UTF-8", "Save",
    ),
    "an empty table": ({"nodes__csv": "", "edges__csv": "source,target\n"}, r"nodes\.csv in which no", "Call them"),
    "nodes without edges": ({"nodes__csv": "id\na\n"}, r"one table only, nodes\.csv", r"add edges\.csv"),
    "edges without nodes": ({"links__csv": "source,target\n"}, r"one table only, links\.csv", r"add nodes\.csv"),
    "half of GraphRAG's": (
        {"entities__parquet": (CORPUS / "graphrag" / "entities.parquet").read_bytes()},
        r"one table only, entities\.parquet", r"add relationships\.csv or relationships\.parquet",
    ),
    "LightRAG's texts alone": ({"kv_store_text_chunks__json": "{}"}, "but not .*graph_chunk_entity", "Copy it"),
    "an archive without its manifest": (
        {"entities__jsonl": "{}\n", "manifest__json": "{"}, r"entities\.jsonl, but not a manifest", "Export it",
    ),
    "a pickled graph": ({"g__gpickle": "x"}, "runs whatever is in it", "nx.write_graphml"),
    "a compressed pickled graph": ({"g__pkl__gz": "x"}, "runs whatever is in it", "return it from an asset"),
    "a script for Neo4j": ({"g__cypher": "MERGE (n)"}, "script for a database", "Export the graph with Cognee"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_wrong_is_said_and_what_to_do(tmp_path: Path, what: str) -> None:
    files, reason, advice = DAMAGED[what]
    folder = written(tmp_path, **files)
    place = next(folder.iterdir()) if len(files) == 1 and "g__" in next(iter(files)) else folder
    with pytest.raises(GraphFileError, match=reason) as caught:
        read_all(place)
    assert str(caught.value).startswith(f"The graph {'folder' if place.is_dir() else 'file'} {place}")
    with pytest.raises(GraphFileError, match=advice):
        read_all(place)


@pytest.fixture
def damaged_places(tmp_path: Path) -> list[Path]:
    """One for each kind of reader."""
    written(tmp_path, g__json=DEEP, g__jsonl__gz=b"no gzip", g__gexf="<x")
    (tables := tmp_path / "tables").mkdir()
    written(tables, nodes__parquet="x", edges__csv="source,target\n")
    archive = unpack(tmp_path / "archive", "cognee")
    (archive / "facts.jsonl").write_text("{\n")
    pack_directory(archive, tmp_path / "g.cogx.tar.gz")
    files = [tmp_path / name for name in ("g.json", "g.jsonl.gz", "g.gexf", "g.cogx.tar.gz")]
    return [*files, tables, archive]


def test_every_command_says_it_and_none_shows_a_traceback(tmp_path: Path, damaged_places: list[Path]) -> None:
    with FakeRemote() as remote:
        for place in damaged_places:
            commands = [["inspect", str(place)], ["export", str(place), str(tmp_path / "out.cogx.tar.gz")]]
            commands.append(["push", str(place), "--url", remote.url, "--api-key", remote.api_key])
            for command in commands:
                result = call(*command)
                assert result.exit_code in (ExitCode.FAILED, ExitCode.INVALID_ARCHIVE), command
                said = " ".join(result.stderr.split())
                assert "Error: " in said, said
                assert str(place) in said.partition("Error: ")[2], said
                assert "defect" not in said, said
        assert remote.uploads == []
    result = call("validate", str(tmp_path / "g.cogx.tar.gz"))
    assert (result.exit_code, "facts.jsonl, line 1" in result.stdout) == (ExitCode.INVALID_ARCHIVE, True)


def test_the_graphs_step_fails_with_it(tmp_path: Path, damaged_places: list[Path]) -> None:
    with FakeRemote() as remote:
        for number, place in enumerate(damaged_places):
            chain = Chain(remote=remote, directory=tmp_path / f"{number}", options={"retry_policy": NO_RETRY})
            chain.options["graph"] = place
            said, _ = failure_of(chain.run("cognified_graph"), "cognified_graph")
            assert str(place) in said


def test_what_goes_wrong_while_a_graph_is_read_is_told_of_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a parser has not been seen to raise yet."""
    nx.write_graphml(small_graph(), tmp_path / "g.graphml")
    reader = open_graph_file(tmp_path / "g.graphml")

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("id")

    monkeypatch.setattr("cognee_dagster.sources.formats.graphml.xml_events", broken)
    with pytest.raises(CogneeDagsterError, match=r"g\.graphml holds something that cannot be read \(KeyError: 'id'\)"):
        list(reader.nodes())
