"""A folder with a graph in several files is read whole, its texts as chunks, or refused with the file and line."""

import bz2
import gzip
import json
import lzma
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from cognee_dagster.cogx.read.reader import read_archive
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.folders import is_read_from_folders
from cognee_dagster.sources.networkx.graphs import from_networkx
from cognee_dagster.sources.remote_files import fetched
from tests.archives_of_others import pack, unpack
from tests.graph_files import Found
from tests.s3_server import s3_with
from tests.unit.test_corpus import ARRIVES, CORPUS


def write(folder: Path, **files: str) -> Path:
    """Files by name; the last underscore of a name is its dot."""
    for name, content in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(content)
    return folder


def write_parquet(folder: Path, **tables: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


class TestNodeAndEdgeTables:
    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_csv_as_gephi_writes_it(self, tmp_path: Path, separator: str) -> None:
        nodes = "Id,Label,category\n1,Ann,person\n2,Bo,\n"
        edges = "Source,Target,Type,Id,Label,Weight\n1,2,Directed,0,knows,2.5\n"
        write(tmp_path, nodes_csv=nodes.replace(",", separator), edges_csv=edges.replace(",", separator))
        found = Found(open_graph_file(tmp_path))
        assert set(found.triples) == {("Ann", "is_a", "person"), ("Ann", "knows", "Bo")}
        assert found.edge_texts()["Ann", "knows", "Bo"] == "Ann knows Bo.\nWeight: 2.5"

    def test_csv_with_neo4js_headers(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            nodes_csv="id:ID(P),name,age:int,tags:string[],:LABEL\n1,Ann,3,a;b,Person;Baker\n2,Bo,,,Person\n",
            relationships_csv=":START_ID(P),:END_ID(P),:TYPE,since:int\n1,2,KNOWS,2020\n",
        )
        found = Found(open_graph_file(tmp_path))
        assert found.reader.profile == "apoc"
        assert ("Ann", "KNOWS", "Bo") in found.triples
        assert ("Ann", "is_a", "Baker") in found.triples
        assert found.node("P:1")["properties"] == {"description": "age: 3\ntags: a, b"}

    def test_parquet(self, tmp_path: Path) -> None:
        write_parquet(
            tmp_path,
            nodes=[{"id": 1, "name": "Ann", "category": "person"}, {"id": 2, "name": "Bo", "category": None}],
            edges=[{"source": 1, "target": 2, "relation": "knows"}],
        )
        assert ("Ann", "knows", "Bo") in Found(open_graph_file(tmp_path)).triples

    def test_values_that_contain_separators_and_line_breaks(self, tmp_path: Path) -> None:
        write(tmp_path, nodes_csv='id,name\n1,"Ann, the\nbaker"\n', edges_csv="source,target\n1,1\n")
        assert Found(open_graph_file(tmp_path)).names == ["Ann, the\nbaker"]

    def test_compressed_csv(self, tmp_path: Path) -> None:
        (tmp_path / "nodes.csv.gz").write_bytes(gzip.compress(b"id,name\n1,Ann\n"))
        write(tmp_path, edges_csv="source,target\n1,1\n")
        assert Found(open_graph_file(tmp_path)).names == ["Ann"]

    @pytest.mark.parametrize(
        ("nodes", "edges", "reason"),
        [
            ("id\n1,2\n", "source,target\n", r"2 cells in line 2 of nodes.csv, for 1 column"),
            ("name\nAnn\n", "source,target\n", r"nodes.csv in which no column.*an id.*has: name"),
            ("id\n1\n", "a,b\n", r"edges.csv in which no column.*both ends.*has: a, b"),
            ("id\n1\n", "source,target\n1,9\n", r"'1' -> '9' \(edges.csv, line 2\) has a link to node '9'"),
            ("id,name\n1,Ann\n1,Bo\n", "source,target\n", r"nodes.csv, line 2, nodes.csv, line 3"),
            ("id:ID,age:int\n1,x\n", "source,target\n", r"nodes.csv, line 2: attribute 'age' is declared as int"),
            ("id,id\n1,2\n", "source,target\n", "two columns called 'id'"),
            ("id,name\n,Ann\n", "source,target\n", r"without an id \(nodes.csv, line 2\)"),
            ("id\n1\n", "source,target\n1,\n", r"without a target \(edges.csv, line 2\)"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, tmp_path: Path, nodes: str, edges: str, reason: str) -> None:
        write(tmp_path, nodes_csv=nodes, edges_csv=edges)
        with pytest.raises(GraphFileError, match=reason) as caught:
            open_graph_file(tmp_path)
        assert str(caught.value).startswith(f"The graph folder {tmp_path}")

    def test_a_parquet_file_may_not_have_two_columns_of_one_name_either(self, tmp_path: Path) -> None:
        columns = [pa.array(["1"]), pa.array(["Ann"]), pa.array(["Bo"])]
        pq.write_table(pa.Table.from_arrays(columns, names=["id", "name", "name"]), tmp_path / "nodes.parquet")
        pq.write_table(pa.table({"source": ["1"], "target": ["1"]}), tmp_path / "edges.parquet")
        with pytest.raises(GraphFileError, match=r"nodes\.parquet with two columns called 'name'. Rename one"):
            open_graph_file(tmp_path)

    def test_a_table_that_is_missing_or_there_twice_is_named(self, tmp_path: Path) -> None:
        write(tmp_path, nodes_csv="id\n1\n")
        with pytest.raises(GraphFileError, match=r"add edges\.csv"):
            open_graph_file(tmp_path)
        write(tmp_path, edges_csv="source,target\n", links_csv="source,target\n")
        with pytest.raises(GraphFileError, match=r"both edges\.csv and links\.csv"):
            open_graph_file(tmp_path)


GRAPHRAG: dict[str, list[dict[str, Any]]] = {
    "entities": [
        {
            "id": "e1", "human_readable_id": 0, "title": "MIRA", "type": "PERSON", "description": "A baker.",
            "text_unit_ids": ["t1"], "degree": 1,
        },
        {
            "id": "e2", "human_readable_id": 1, "title": "LYON", "type": "GEO", "description": "A town.",
            "text_unit_ids": ["t1", "t2"], "degree": 1,
        },
    ],
    "relationships": [
        {"id": "r1", "source": "MIRA", "target": "LYON", "description": "Mira bakes in Lyon.", "weight": 7.0}
    ],
    "text_units": [
        {"id": "t1", "text": "Mira bakes in Lyon.", "n_tokens": 5, "document_ids": ["d1"]},
        {"id": "t2", "text": "Lyon is a town.", "n_tokens": 6, "document_ids": ["d1"]},
    ],
    "documents": [{"id": "d1", "title": "mira.txt", "text": "…"}],
}  # fmt: skip


@pytest.mark.parametrize("below", ["", "output"])
def test_graphrags_output_arrives_with_types_texts_and_descriptions(tmp_path: Path, below: str) -> None:
    write_parquet(tmp_path / below, **GRAPHRAG)
    found = Found(open_graph_file(tmp_path))
    assert found.reader.profile == "graphrag"
    assert found.edge_texts()["MIRA", "related_to", "LYON"] == "Mira bakes in Lyon.\nweight: 7.0"
    assert {(s, r) for s, r, _ in found.triples if r == "is_a"} == {("MIRA", "is_a"), ("LYON", "is_a")}
    chunk = found.node("text:t1")
    assert (chunk["type"], chunk["properties"]["text"]) == ("DocumentChunk", "Mira bakes in Lyon.")
    assert chunk["properties"]["document_name"] == "mira.txt"
    assert chunk["properties"]["metadata"] == {"index_fields": ["text"]}
    contains = [row for row in found.edges if row["relationship"] == "contains"]
    assert len(contains) == 3
    assert found.node("MIRA")["properties"] == {"description": "A baker.\ndegree: 1\nhuman_readable_id: 0"}


def test_graphrags_texts_are_documents_of_the_archive(tmp_path: Path) -> None:
    write_parquet(tmp_path / "g", **GRAPHRAG)
    archive = write_archive(open_graph_file(tmp_path / "g"), tmp_path / "g.cogx.tar.gz")
    assert archive.record_counts == {"document": 2, "entity": 2, "raw_node": 4, "fact": 6}


def test_lightrags_working_directory_arrives_with_its_texts(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node("MIRA", entity_id="MIRA", entity_type="person", description="A baker.", source_id="c1<SEP>c2")
    graph.add_node("LYON", entity_id="LYON", entity_type="geo", description="A town.", source_id="gone")
    graph.add_edge("MIRA", "LYON", weight=1.0, description="She bakes there.", source_id="c1", keywords="craft")
    nx.write_graphml(graph, tmp_path / "graph_chunk_entity_relation.graphml")
    texts = {
        "c1": {"content": "Mira bakes in Lyon.", "tokens": 5, "chunk_order_index": 0, "file_path": "mira.txt"},
        "c2": {"content": "Mira rests.", "tokens": 3, "chunk_order_index": 1, "full_doc_id": "doc-1"},
    }
    (tmp_path / "kv_store_text_chunks.json").write_text(json.dumps(texts))
    found = Found(open_graph_file(tmp_path))
    assert found.reader.profile == "lightrag"
    assert [row["relationship"] for row in found.edges].count("contains") == 2
    assert found.node("text:c1")["properties"]["document_name"] == "mira.txt"
    assert found.node("MIRA")["properties"] == {"description": "A baker."}
    assert found.node("LYON")["properties"] == {"description": "A town.\nsource_id: gone"}
    assert found.edge_texts()["MIRA", "related_to", "LYON"] == "She bakes there.\nkeywords: craft\nweight: 1.0"


APOC = [
    {"type": "node", "id": "0", "labels": ["Person"], "properties": {"name": "Ann", "born": 1970}},
    {"type": "node", "id": "1", "properties": {"name": "Bo"}},
    {"type": "relationship", "id": "0", "label": "KNOWS", "start": {"id": "0"}, "end": {"id": "1"}, "properties": {}},
]


@pytest.mark.parametrize("name", ["g.jsonl", "g.json", "g.ndjson", "g.jsonl.gz", "g.jsonl.bz2", "g.jsonl.xz"])
def test_apocs_json_lines(tmp_path: Path, name: str) -> None:
    content = "\n".join(map(json.dumps, APOC)).encode()
    packers: dict[str, Any] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    (tmp_path / name).write_bytes(packers.get(name.rpartition(".")[2], bytes)(content))
    found = Found(open_graph_file(tmp_path / name))
    assert found.reader.profile == "apoc"
    assert set(found.triples) == {("Ann", "is_a", "Person"), ("Ann", "KNOWS", "Bo")}
    assert found.node("0")["properties"] == {"description": "born: 1970"}


@pytest.mark.parametrize("name", ["g.jsonl.zst", "g.cogx.tar.zst"])
def test_what_python_does_not_unpack_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(GraphFileError, match=r"compressed as \.zst, .*Compress it as \.gz"):
        open_graph_file(tmp_path / name)


def test_apocs_json_object(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(json.dumps({"nodes": APOC[:2], "rels": APOC[2:]}))
    found = Found(open_graph_file(tmp_path / "g.json"))
    assert set(found.triples) == {("Ann", "is_a", "Person"), ("Ann", "KNOWS", "Bo")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 1 that is not JSON"),
        ("[]", "line 1 that is not a JSON object"),
        ('{"type": "x"}', "line 1 whose type is 'x'"),
        ('{"type": "node"}', r"without 'id' \(line 1\)"),
        ('{"type": "relationship", "start": {"id": 1}}', r"without 'end' \(line 1\)"),
        ('{"type": "node", "id": 1, "properties": 1}', r"not an object \(line 1\)"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "g.jsonl").write_text(line)
    with pytest.raises(GraphFileError, match=reason):
        open_graph_file(tmp_path / "g.jsonl")


def test_a_folder_without_a_graph_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"holds no graph of a known kind\. .*entities\.parquet"):
        open_graph_file(tmp_path)


@pytest.mark.parametrize("inside", ["", "export"])
def test_the_directory_of_an_archive_is_the_graph_that_it_holds(tmp_path: Path, inside: str) -> None:
    unpack(tmp_path / "x" / inside, "cognee")
    reader = open_graph_file(tmp_path / "x")
    again = write_archive(reader, tmp_path / "again.cogx.tar.gz")
    direct = read_archive(pack(tmp_path / "x.tar.gz", "cognee"))
    assert (reader.origin.dataset_name, again.digest) == ("x", summarize(direct).digest)


def test_a_manifest_of_something_else_makes_no_archive(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(GraphFileError, match=r"holds no graph of a known kind\. .*manifest\.json of a COGX archive"):
        open_graph_file(tmp_path)


class TestElsewhere:
    """A graph file may be a URL."""

    def test_a_url_is_fetched(self) -> None:
        with fsspec.open("memory://graphs/people.json", "w") as file:
            file.write('{"nodes": [{"id": "a", "name": "Ann"}], "links": []}')
        reader = open_graph_file("memory://graphs/people.json")
        assert reader.origin.dataset_name == "people"
        assert Found(reader).names == ["Ann"]

    def test_a_file_url_is_a_path(self, tmp_path: Path) -> None:
        archive = write_archive(from_networkx(nx.path_graph(3), dataset_name="g"), tmp_path / "g.cogx.tar.gz")
        assert len(Found(open_graph_file(archive.path.as_uri())).nodes) == 3

    @pytest.mark.parametrize("url", ["memory://graphs/none.json", "nosuch://x/g.json"])
    def test_what_cannot_be_fetched_is_named(self, url: str) -> None:
        with pytest.raises(GraphFileError, match=f"The file {url} cannot be fetched"):
            open_graph_file(url)

    def test_a_relative_path_says_where_it_was_looked_for(self) -> None:
        with pytest.raises(GraphFileError, match=rf"no file or folder nowhere/g\.graphml \(looked in {Path.cwd()}\)"):
            open_graph_file("nowhere/g.graphml")


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of a stand-in for S3 on loopback."""
    with s3_with("graphs"):
        yield "s3://graphs"


class TestFoldersElsewhere:
    """A folder with a graph may be a URL, too."""

    @pytest.fixture(params=["memory", "file", "s3"])
    def base(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        """Where files can be put: in fsspec's memory, in a directory, or on S3."""
        if request.param == "memory":
            return f"memory://{tmp_path.name}"
        return tmp_path.as_uri() if request.param == "file" else str(request.getfixturevalue("s3"))

    @pytest.mark.parametrize("place", ARRIVES)
    def test_every_format_is_read_wherever_it_is(self, base: str, place: str) -> None:
        filesystem, root = fsspec.core.url_to_fs(base)
        local = CORPUS / place
        for path in [local] if local.is_file() else sorted(local.iterdir()):
            to = f"{root}/{path.relative_to(CORPUS)}"
            filesystem.makedirs(to.rpartition("/")[0], exist_ok=True)
            filesystem.pipe_file(to, path.read_bytes())
        assert Found(open_graph_file(f"{base}/{place}")).edges == Found(open_graph_file(local)).edges

    @pytest.mark.parametrize("name", ["x", "x.cogx.tar.gz", "x.cogx.tar.xz"])
    def test_an_archive_is_read_wherever_it_is_packed_or_not(self, base: str, tmp_path: Path, name: str) -> None:
        local = tmp_path / "here" / name
        local.parent.mkdir()
        _ = unpack(local, "cognee") if name == "x" else pack(local, "cognee", compression=name[-2:])
        filesystem, root = fsspec.core.url_to_fs(base)
        for path in [local] if local.is_file() else sorted(local.iterdir()):
            to = f"{root}/archives/{path.relative_to(local.parent)}"
            filesystem.makedirs(to.rpartition("/")[0], exist_ok=True)
            filesystem.pipe_file(to, path.read_bytes())
        assert summarize(open_graph_file(f"{base}/archives/{name}")).digest == summarize(open_graph_file(local)).digest

    def test_what_no_reader_asks_for_is_not_fetched(self, tmp_path: Path) -> None:
        files = MemoryFileSystem()
        for name in ("nodes.csv", "edges.csv", "vectors.bin", "deep/down/nodes.csv"):
            files.pipe_file(f"/{tmp_path.name}/{name}", b"id,source,target\n")
        fetched(f"memory://{tmp_path.name}", to=tmp_path / "here", wanted=is_read_from_folders)
        assert {path.name for path in (tmp_path / "here").rglob("*") if path.is_file()} == {"nodes.csv", "edges.csv"}

    def test_an_error_names_the_url(self, tmp_path: Path) -> None:
        MemoryFileSystem().pipe_file(f"/{tmp_path.name}/nodes.csv", b"id\n")
        with pytest.raises(GraphFileError, match=rf"memory://{tmp_path.name} holds one table only"):
            open_graph_file(f"memory://{tmp_path.name}")


SCALE = """
import sys
from pathlib import Path
from tests.peak_memory import peak_mebibytes
from cognee_dagster.sources.files import open_graph_file
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
with (folder / "nodes.csv").open("w") as file:
    file.write("id,name,category,about\\n")
    file.writelines(f"n{i},Name {i},c{i % 7},something about number {i}\\n" for i in range(rows))
with (folder / "edges.csv").open("w") as file:
    file.write("source,target,relation\\n")
    file.writelines(f"n{i},n{(i * 7) % rows},knows\\n" for i in range(rows))
reader = open_graph_file(folder)
assert sum(batch.num_rows for batch in reader.nodes()) == rows + 7
assert sum(batch.num_rows for batch in reader.edges()) == 2 * rows
print(peak_mebibytes())
"""


def test_tables_are_read_in_bounded_memory(tmp_path: Path) -> None:
    """What a node costs is an id and a name; a million of them stay below 512 MiB."""
    mebibytes = []
    for rows in (50_000, 250_000):
        (folder := tmp_path / str(rows)).mkdir()
        run = subprocess.run(
            [sys.executable, "-c", SCALE, str(folder), str(rows)], capture_output=True, text=True, check=True
        )
        mebibytes.append(int(run.stdout))
    assert mebibytes[1] + (mebibytes[1] - mebibytes[0]) / 200_000 * 750_000 < 512
