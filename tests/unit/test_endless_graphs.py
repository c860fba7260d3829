"""However much a remote sends as rows of a graph, what takes them in stays small: each case in a process of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cognee_dagster.cogx.write.writer import write_archive
from tests.cogx_graphs import ID_A, MemoryReader
from tests.unit.scripted_server import Call, Script, ScriptedServer
from tests.unit.test_client_limits import GRAPH, PEAK_MIB, asked

NODES, EDGES = 500_000, 400_000
ID = b"11111111-2222-5333-8444-%012x"
ROW = b'{"id":"' + ID + b'","label":"Nobody %d","type":"Entity","properties":{"description":"Never sent."}}'
EDGE = b'{"source":"' + ID + b'","target":"' + ID + b'","label":"knows"}'


def batches(row: bytes, number: int, fields: int) -> Iterator[bytes]:
    for begin in range(0, number, 10_000):
        yield b",".join(row % ((each,) * fields) for each in range(begin, begin + 10_000))


def graph(nodes: Iterable[bytes], edges: Iterable[bytes] = ()) -> Script:
    def script(call: Call) -> None:
        call.receive()
        call.send(GRAPH)
        for number, part in enumerate(nodes):
            call.send(b"," * bool(number) + part)
        call.send(b'],"edges":[')
        for number, part in enumerate(edges):
            call.send(b"," * bool(number) + part)
        call.send(b"]}")

    return script


def very_many() -> Script:
    return graph(batches(ROW, NODES, 2), batches(EDGE, EDGES, 2))


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = MemoryReader([(ID_A, "Ada", "Robot", None)], [(ID_A, ID_A, "knows", None)])
    monkeypatch.setenv("ARCHIVE", str(write_archive(reader, tmp_path / "a.cogx.tar.gz").path))


def test_rows_that_were_never_sent_are_counted_and_not_held() -> None:
    with ScriptedServer(very_many()) as server:
        result = asked(server.url, "comparison", seconds=200)
    assert result["ended"] == "value", result["words"]
    assert result["value"]["sizes"] == [NODES, EDGES]
    assert [remark.partition(", such as")[0] for remark in result["value"]["remarks"]] == [
        f"{NODES:,} nodes are on the remote only",
        f"{EDGES:,} edges are on the remote only",
    ]
    assert [problem.partition(", such as")[0] for problem in result["value"]["problems"]] == [
        "1 node is missing on the remote",
        "1 edge is missing on the remote",
    ]
    assert result["peak_mib"] < PEAK_MIB


def test_the_size_of_a_graph_takes_no_memory() -> None:
    with ScriptedServer(very_many()) as server:
        result = asked(server.url, "size", seconds=200)
    assert (result["ended"], result["value"]) == ("value", [NODES, EDGES])
    assert result["peak_mib"] < PEAK_MIB / 2


def test_a_graph_that_is_to_be_held_whole_is_refused_before_it_takes_too_much() -> None:
    with ScriptedServer(very_many()) as server:
        result = asked(server.url, "graph", seconds=200)
    assert "a graph that takes more than 134,217,728 bytes of memory" in result["words"]
    assert result["peak_mib"] < PEAK_MIB


HOSTILE = {
    "very many values": (b'"!":[' + b"[]," * 4_000_000 + b"[]]", "(more values than were sent)"),
    "a long name of a property": (b'"%b":2' % (b"!" * 12_000_000), f"({'!' * 300})"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_node_that_was_sent_is_compared_in_little_memory_whatever_the_remote_makes_of_it(name: str) -> None:
    value, words = HOSTILE[name]
    row = b'{"id":"%b","label":"","type":"Robot","properties":{%b}}' % (ID_A.encode(), value)
    with ScriptedServer(graph([row, *batches(ROW, 120_000, 2)])) as server:
        result = asked(server.url, "comparison", seconds=200)
    assert result["ended"] == "value", result["words"]
    assert words in result["value"]["remarks"][0]
    assert result["peak_mib"] < PEAK_MIB
