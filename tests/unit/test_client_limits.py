"""No remote can hang, fill or blind us: one deadline and one byte limit for a whole exchange, whatever it sends.

Each case asks in a process of its own, whose peak memory is measured. No time is: what drips goes on for as long as the
client listens, so that an exchange without a deadline does not end before the test gives its process up.
"""

import gzip
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, repeat
from typing import Any

import pytest

from tests.unit.scripted_server import Call, Script, ScriptedServer, answer

SECONDS = 1.5  # for a whole exchange that has no other end
PATIENT = 60.0  # for one that ends by something else than its time, on a busy machine, too
GIVEN_UP = 90  # seconds, after which a client that still listens fails its test
PEAK_MIB = 256
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BLOCK = b"x" * 65536
GRAPH = HEAD + b'\r\n{"nodes":['


def flood(head: bytes, parts: Iterator[bytes]) -> Script:
    """As fast as the client reads, until it hangs up."""

    def script(call: Call) -> None:
        call.receive()
        call.send(head)
        for part in parts:
            if call.server.ended.is_set():
                return
            call.send(part)

    return script


def drip(head: bytes, parts: Iterator[bytes]) -> Script:
    """A little at a time, often enough for any limit on the time between two."""

    def script(call: Call) -> None:
        call.receive()
        call.send(head)
        for part in parts:
            if call.server.ended.wait(0.05):
                return
            call.send(part)

    return script


def chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield b"%x\r\n%b\r\n" % (len(part), part)


def zeros_packed(layers: int) -> bytes:
    """What unpacks to 1 GiB of zeros, so many times packed."""
    packer = zlib.compressobj(9, wbits=-15)
    mebibyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = b"\x1f\x8b\x08\0\0\0\0\0\0\0" + mebibyte * 1024
    for _ in range(layers - 1):
        data = gzip.compress(data, 9)
    return data


def encoded(encoding: str, body: bytes) -> Script:
    return answer(200, body=body, headers={"Content-Encoding": encoding})


@dataclass(frozen=True)
class Case:
    name: str
    script: Callable[[], Script]
    words: str
    ask: str = "datasets"


ANY_END = "when listing its datasets"
TOO_LONG = "answers with more than"
LATE = f"is still sending its answer after {SECONDS:.0f} s"
FOREIGN = "which nobody asked for"
TOO_MUCH = "values"

CASES = [
    Case("a gzip bomb", lambda: encoded("gzip", zeros_packed(1)), TOO_LONG),
    Case("a gzip bomb for a graph", lambda: encoded("gzip", zeros_packed(1)), "unpack to more than", "graph"),
    Case("a bomb in a bomb", lambda: encoded("gzip, gzip", zeros_packed(2)), FOREIGN),
    Case("deflate", lambda: encoded("deflate", zlib.compress(bytes(2**27))), FOREIGN),
    Case("brotli", lambda: encoded("br", BLOCK), FOREIGN),
    Case("zstd", lambda: encoded("zstd", BLOCK), FOREIGN),
    Case(
        "gzip with an endless name",
        lambda: flood(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\0", repeat(BLOCK)),
        TOO_LONG,
    ),
    Case("an endless body", lambda: flood(HEAD + b"\r\n[", repeat(BLOCK)), TOO_LONG),
    Case(
        "an endless body in chunks",
        lambda: flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunked(repeat(BLOCK))),
        TOO_LONG,
    ),
    Case("a flood of interim answers", lambda: flood(b"", repeat(b"HTTP/1.1 103 Early\r\n\r\n" * 1000)), ANY_END),
    Case("interim answers that drip", lambda: drip(b"", repeat(b"HTTP/1.1 103 Early\r\n\r\n")), LATE),
    Case("headers that drip", lambda: drip(HEAD, (b"x-%d: y\r\n" % number for number in count())), LATE),
    Case("a status line that drips", lambda: drip(b"HTTP/1.1 200 ", repeat(b"O")), LATE),
    Case("a body that drips", lambda: drip(HEAD + b"\r\n[", repeat(b" ")), LATE),
    Case(
        "trailers that drip",
        lambda: drip(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n", (b"x-%d: y\r\n" % n for n in count())
        ),
        LATE,
    ),
    Case(
        "gzip that drips",
        lambda: drip(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\0", repeat(b"n")),
        LATE,
    ),
    Case("lists in a list", lambda: answer(200, body=b"[" + b"[]," * (5 * 2**20) + b"[]]"), TOO_MUCH),
    Case("numbers in a list", lambda: answer(200, body=b"[" + b"1," * (7 * 2**20) + b"1]"), TOO_MUCH),
    Case("the shortest rows", lambda: answer(200, body=b"[" + b'{"id":"a"},' * 240_000 + b'{"id":"a"}]'), "", "runs"),
    Case("one long string", lambda: answer(200, body=('["' + "\U0001f600" + "a" * 16_000_000 + '"]').encode()), ""),
    Case("depth", lambda: answer(200, body=b"[" * 400_000), "not JSON"),
    Case("a graph without rows", lambda: flood(GRAPH, repeat(b"[]," * 20_000)), "no rows of a graph", "graph"),
    Case("a graph of one string", lambda: flood(GRAPH + b'{"id":"', repeat(BLOCK)), "no rows of a graph", "graph"),
    Case("a graph in a depth", lambda: flood(GRAPH, repeat(b'{"id":' * 10_000)), "no rows of a graph", "graph"),
    Case("a graph of nothing", lambda: flood(GRAPH, repeat((b'{"x":"' + b"y" * 200 + b'"},') * 300)), "", "graph"),
    Case("a long refusal", lambda: flood(b"HTTP/1.1 500 No\r\n\r\n", repeat(BLOCK)), "The server failed"),
]

# An import may be silent for as long as it takes; what it sends after that has a time and a size like any answer.
OF_AN_UPLOAD = (
    "a gzip bomb",
    "gzip with an endless name",
    "an endless body",
    "an endless body in chunks",
    "a flood of interim answers",
    "interim answers that drip",
    "headers that drip",
    "a status line that drips",
    "a body that drips",
    "trailers that drip",
    "gzip that drips",
    "lists in a list",
    "depth",
    "a long refusal",
)
CASES += [
    replace(
        case,
        name=f"{case.name}, to an upload",
        ask="upload",
        words="when importing" if case.words == ANY_END else case.words,
    )
    for case in CASES
    if case.name in OF_AN_UPLOAD
]
CASES.append(
    Case(
        "leave to go on that drips, to an upload",
        lambda: drip(b"", repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
        LATE,
        "upload",
    )
)


def asked(url: str, ask: str, *, seconds: float = SECONDS, proxy: str = "") -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.unit.limited_client", url, ask, str(seconds)]
    variables = {**os.environ, "HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=GIVEN_UP, check=False, env=variables)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_a_remote_sends_ends_in_time_and_in_little_memory(case: Case) -> None:
    with ScriptedServer(case.script()) as server:
        result = asked(server.url, case.ask, seconds=SECONDS if case.words == LATE else PATIENT)
    assert case.words in result["words"]
    assert result["peak_mib"] < PEAK_MIB


def test_a_large_graph_is_read_in_less_than_half_of_that_memory_and_of_its_own_size() -> None:
    """100,000 nodes and 300,000 edges as Cognee sends them, 100 MiB of JSON."""
    said = b'"description":"' + b"What is said of it. " * 15 + b'","version":1,"metadata":{"index_fields":["name"]}'
    node = b'{"id":"11111111-2222-5333-8444-%012x","label":"Entity %d","type":"Entity","properties":{' + said + b"}}"
    ends = b'"source":"11111111-2222-5333-8444-%012x","target":"11111111-2222-5333-8444-%012x"'

    def script(call: Call) -> None:
        call.receive()
        call.send(GRAPH + b",".join(node % (number, number) for number in range(100_000)) + b'],"edges":[')
        edges = ((number % 100_000, number * 7 % 100_000) for number in range(300_000))
        call.send(b",".join(b"{" + ends % both + b',"label":"knows"}' for both in edges) + b"]}")

    with ScriptedServer(script) as server:
        result = asked(server.url, "graph", seconds=60)
    assert (result["ended"], result["words"]) == ("value", "")
    assert result["peak_mib"] < 180


def test_a_tls_handshake_that_drips_ends_in_time() -> None:
    def script(call: Call) -> None:
        call.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while not call.server.ended.wait(0.05):
            call.send(b"\x03")

    with ScriptedServer(script) as server:
        result = asked(server.url.replace("http:", "https:"), "datasets")
    assert result["ended"] == "RemoteUnreachableError"


def test_a_proxy_that_drips_ends_in_time() -> None:
    with ScriptedServer(drip(b"HTTP/1.1 200 OK\r\n", (b"x-%d: y\r\n" % number for number in count()))) as proxy:
        result = asked("https://cognee.invalid", "datasets", proxy=proxy.url)
        assert proxy.requests[0].line.startswith("CONNECT ")
    assert LATE in result["words"]


def test_a_listing_of_documents_without_end_ends_within_its_time() -> None:
    def page(call: Call) -> None:
        offset = int(call.receive().path.rpartition("offset=")[2])
        rows = [{"id": f"id-{number}", "name": "x" * 100} for number in range(offset, offset + 1000)]
        with suppress(OSError):
            call.send(answer(200, rows))

    with ScriptedServer(page) as server:
        result = asked(server.url, "documents", seconds=4.0)
    assert "lists documents without end" in result["words"]
    assert result["peak_mib"] < PEAK_MIB


def test_a_listing_of_documents_with_endless_names_ends_in_little_memory() -> None:
    """Whoever compares or removes documents holds all of them: 200,000 with names of 15,000 letters took 3 GB."""

    def page(call: Call) -> None:
        offset = int(call.receive().path.rpartition("offset=")[2])
        rows = [{"id": f"id-{number}", "name": "x" * 15_000} for number in range(offset, offset + 1000)]
        with suppress(OSError):
            call.send(answer(200, rows))

    with ScriptedServer(page) as server:
        result = asked(server.url, "documents that are held", seconds=PATIENT)
    assert "lists documents without end (3,000" in result["words"]
    assert result["peak_mib"] < PEAK_MIB
