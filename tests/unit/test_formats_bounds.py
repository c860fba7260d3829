"""Graph files that would fill the memory are refused before they do, with what to write instead."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.formats import json_file, json_scan, tables
from cognee_dagster.sources.formats.apoc_lines import ApocLines

MEBI = 1 << 20


@pytest.fixture
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 64 * MEBI
    finally:
        tracemalloc.stop()


def read(path: Path) -> None:
    reader = open_graph_file(path)
    for batches in (reader.nodes(), reader.edges()):
        for _ in batches:
            pass


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


@pytest.mark.usefixtures("little_memory")
def test_a_document_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"g\.json has more than 201,326,592 bytes, .*JSON lines, CSV or Parquet"):
        read(sparse(tmp_path / "g.json", 8 << 30))


@pytest.mark.usefixtures("little_memory")
def test_a_document_is_measured_unpacked_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MAX_BYTES", 20 * MEBI)
    path = tmp_path / "g.json.gz"
    with gzip.open(path, "wb", 1) as file:
        for part in (b'{"nodes": [{"id": "', *[b"a" * MEBI] * 240):
            file.write(part)
    with pytest.raises(GraphFileError, match=r"g\.json\.gz has more than 20,971,520 bytes unpacked"):
        read(path)


@pytest.mark.usefixtures("little_memory")
def test_a_file_of_zeros_is_refused_at_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"g\.json begins with 65,536 zeros\. Write or copy it again"):
        read(sparse(tmp_path / "g.json", 100 * MEBI))


@pytest.mark.parametrize(
    ("bound", "value", "what"),
    [
        ("MAX_MEMBERS", 1, r"g\.json holds 2 members"),
        ("MAX_ELEMENT_BYTES", 20, 'what begins with \'{"id": "b".* has [0-9]+ bytes'),
        ("MAX_ELEMENT_VALUES", 5, 'what begins with \'{"id": "b".* holds 7 values'),
        ("_MAX_HELD", 1_000, "it holds 2 nodes and 0 links in [0-9]+ bytes"),
    ],
)
def test_a_document_of_which_too_much_would_be_held_is_refused(
    bound: str, value: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '{"nodes": [{"id": "a"}, {"id": "b", "x": [1, 2, 3, ","]}], "links": []}'
    (tmp_path / "g.json").write_text(text)
    read(tmp_path / "g.json")
    monkeypatch.setattr(json_file, bound, value)
    with pytest.raises(GraphFileError, match=f"{what}.* CSV or Parquet"):
        read(tmp_path / "g.json")


def test_of_a_large_document_with_what_only_pythons_parser_reads_no_more_is_made_values_than_of_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"nodes": [{"id": "a", "x": float("nan")}, {"id": "\ud800b\\", "y": 'a "\\' * 9}], "links": [["a", "a"]]}
    (tmp_path / "g.json").write_text(json.dumps(content))
    whole = [batch.to_pylist() for batch in open_graph_file(tmp_path / "g.json").nodes()]
    monkeypatch.setattr(json_file, "MAX_ELEMENT_BYTES", 90)
    assert [batch.to_pylist() for batch in open_graph_file(tmp_path / "g.json").nodes()] == whole
    for damaged, what in (
        (json.dumps(content)[:-2], "cut off"),
        (json.dumps(content) + "]]", "goes on behind its end"),
    ):
        (tmp_path / "g.json").write_text(damaged)
        with pytest.raises(GraphFileError, match=what):
            read(tmp_path / "g.json")


@pytest.mark.parametrize("chunk", [2, 3, 5, 1 << 18])
def test_elements_are_found_wherever_the_text_is_cut(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_scan, "_CHUNK", chunk)
    content = ["a,b", 'say "x, y"', "\\", '\\"', "[", {"a:,": [1, {}]}, [[], [2, 3]], None, "é😀", ""]
    text = memoryview(json.dumps(content, indent=1).encode())
    assert [json.loads(element.tobytes()) for element in json_scan.elements(text)] == content
    assert json_scan.num_elements(text) == len(content)
    by_name = {str(element): element for element in content}
    text = memoryview(json.dumps(by_name).encode())
    found = {json.loads(name.tobytes()): json.loads(value.tobytes()) for name, value in json_scan.members(text)}
    assert found == by_name
    assert list(json_scan.elements(memoryview(b"[ \n ]"))) == []


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("before", ["", "id,name\na,Ann\n"], ids=["header", "row"])
def test_a_line_of_a_table_that_does_not_end_is_told_with_its_number(before: str, tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("source,target\n")
    (tmp_path / "nodes.csv").write_text(before)
    with (tmp_path / "nodes.csv").open("ab") as file:
        file.truncate(3 << 30)
    number = before.count("\n") + 1
    with pytest.raises(GraphFileError, match=rf"line {number} in nodes\.csv of more than 4,194,304 characters"):
        read(tmp_path)


def test_the_longest_line_of_a_table_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "edges.csv").write_text("source,target\n")
    (tmp_path / "nodes.csv").write_text("id,name\n" + "a," + "x" * 90 + "\n" + "b," + "y" * 98)
    monkeypatch.setattr(tables, "MAX_LINE", 101)
    read(tmp_path)
    monkeypatch.setattr(tables, "MAX_LINE", 100)
    with pytest.raises(GraphFileError, match=r"line 3 in nodes\.csv"):
        read(tmp_path)


def test_a_number_of_too_many_digits_is_told_without_advice_for_programmers(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"nodes": [{"id": "a", "x": %s}], "links": []}' % ("9" * 5_000))
    with pytest.raises(GraphFileError, match="a whole number of too many digits") as caught:
        read(tmp_path / "g.json")
    assert "set_int" not in str(caught.value)


def test_an_error_about_a_long_id_is_one_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"nodes": [{"id": "%s"}, {"id": "%s"}], "links": []}' % (("y" * 1_000_000,) * 2))
    with pytest.raises(GraphFileError, match=r"'y+…' \(1,000,000 characters\) and .* would be one node") as caught:
        read(tmp_path / "g.json")
    assert len(str(caught.value)) < 2_000


def test_only_the_middle_of_an_endless_message_is_left_out() -> None:
    said = str(GraphFileError("The verdict. " + "word's " * 100_000 + "Do this."))
    assert said.startswith("The verdict. ")
    assert said.endswith("Do this.")
    assert len(said) < 21_000


@pytest.mark.usefixtures("little_memory")
def test_a_document_on_one_line_is_not_made_into_values_to_see_that_it_is_no_apoc_line(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"nodes": [' + '{"id": "a"},' * 1_500_000 + '{"id": "b"}], "links": 3}')
    assert not ApocLines.fits(tmp_path / "g.json")


def test_batches_of_long_texts_have_fewer_rows(tmp_path: Path) -> None:
    nodes = [{"id": str(number), "text": "x" * MEBI} for number in range(9)]
    (tmp_path / "g.json").write_text(json.dumps({"nodes": nodes, "links": []}))
    sizes = [batch.num_rows for batch in open_graph_file(tmp_path / "g.json").nodes()]
    assert sum(sizes) == 9
    assert max(sizes) <= 4
