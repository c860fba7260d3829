"""The limits of one exchange, kept at the connection's own reads and writes."""

import socket
import threading
from typing import Any

import httpcore
import pytest

from cognee_dagster.remote import exchange_limits
from cognee_dagster.remote.exchange_limits import Exchange, LimitedNetwork
from cognee_dagster.remote.transport import Timeouts
from tests.unit.down_remote import DownRemote, VirtualTime
from tests.unit.scripted_server import Call, ScriptedServer, refused_port


def hold(call: Call) -> None:
    call.wait_for_hang_up()


@pytest.mark.parametrize(("number", "tried"), [(1, [10.0]), (2, [5.0, 5.0]), (100, [2.0] * 5)])
def test_all_addresses_of_a_host_together_have_the_time_for_connecting(
    number: int, tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = DownRemote(VirtualTime(), None, addresses=number)
    remote.install(monkeypatch)
    spent: list[float] = []
    monkeypatch.setattr(remote.clock, "sleep", spent.append)
    monkeypatch.setattr(remote.clock, "monotonic", lambda: sum(spent))
    with Exchange(seconds=100, max_bytes=100), pytest.raises(httpcore.ConnectTimeout):
        LimitedNetwork().connect_tcp("many.example.com", 80, timeout=10.0)
    assert spent == pytest.approx(tried)


def test_no_address_has_more_than_the_time_of_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = DownRemote(VirtualTime(), None, addresses=100)
    remote.install(monkeypatch)
    with Exchange(seconds=3.0, max_bytes=100), pytest.raises(httpcore.TimeoutException):
        LimitedNetwork().connect_tcp("many.example.com", 80, timeout=10.0)
    assert remote.clock.passed == pytest.approx(3.0)


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = socket.getaddrinfo
    with ScriptedServer(hold) as server, refused_port():
        rows: list[Any] = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *_, **options: rows if host == "two.example" else ask(host, *_, **options),
        )
        LimitedNetwork().connect_tcp("two.example", server.port, timeout=5).close()


@pytest.mark.parametrize("host", ["a..example.com", "x" * 64 + ".example.com", "nowhere.invalid"])
def test_a_name_without_an_address_is_a_failed_connection(host: str) -> None:
    with pytest.raises(httpcore.ConnectError):
        LimitedNetwork().connect_tcp(host, 80, timeout=5)


def test_limits_are_those_of_the_exchange_that_uses_the_connection_now() -> None:
    def speak(call: Call) -> None:
        call.send(b"x" * 30)
        call.wait_for_hang_up()

    with ScriptedServer(speak) as server:
        with Exchange(seconds=5, max_bytes=10):
            stream = LimitedNetwork().connect_tcp("127.0.0.1", server.port, timeout=5)
            assert stream.read(10) == b"x" * 10
            with pytest.raises(httpcore.ReadError, match="more than 10 bytes"):
                stream.read(10)
        with Exchange(seconds=5, max_bytes=100):
            assert stream.read(10) == b"x" * 10
        with Exchange(seconds=0.1, max_bytes=100) as exchange:
            with pytest.raises(httpcore.ReadTimeout):
                stream.read(10, timeout=20)
            assert exchange.out_of_time
        stream.close()


@pytest.mark.parametrize(
    ("read", "answer", "graph_read"), [(1.0, 120.0, 300.0), (60.0, 120.0, 300.0), (600.0, 1200.0, 600.0)]
)
def test_who_allows_longer_pauses_gets_longer_answers(read: float, answer: float, graph_read: float) -> None:
    limits = Timeouts.of(connect=5.0, read=read)
    assert (limits.connect, limits.read, limits.answer, limits.graph_read) == (5.0, read, answer, graph_read)


def test_an_exchange_in_another_thread_has_its_own_limits() -> None:
    seen: list[bytes] = []

    def speak(call: Call) -> None:
        call.send(b"x" * 30)
        call.wait_for_hang_up()

    with ScriptedServer(speak) as server, Exchange(seconds=0, max_bytes=0):

        def read() -> None:
            stream = LimitedNetwork().connect_tcp("127.0.0.1", server.port, timeout=5)
            seen.append(stream.read(10))
            stream.close()

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(10)
    assert seen == [b"x" * 10]


GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "is_limited"),
    [
        ([], False),
        ([b"H"], True),
        ([b"HTTP/1.1 200 OK\r\n"], True),
        ([b"HTTP/1.1 103 Early Hints\r\n\r\n"], True),
        ([GO_ON], False),
        ([GO_ON[:9], GO_ON[9:]], False),
        ([GO_ON, GO_ON + b"HTTP/1.1 1"], True),
        ([GO_ON] * 11, True),
    ],
    ids=["nothing", "a byte", "a head", "an interim one", "leave", "leave in pieces", "leave and a head", "a drip"],
)
def test_an_answers_time_begins_with_its_first_byte_which_leave_to_go_on_is_not(
    received: list[bytes], is_limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualTime()
    monkeypatch.setattr(exchange_limits, "time", clock)
    exchange = Exchange(seconds=None, answer_within=120.0, max_bytes=1000)
    for data in received:
        clock.sleep(50)
        exchange.count(data)
    clock.sleep(120)
    assert exchange.out_of_time is is_limited
    if is_limited and len(received) < 3:
        clock.sleep(-1)
        assert not exchange.out_of_time
    exchange.is_secured()  # all of that was a proxy's
    assert not exchange.out_of_time
