"""exchange-timeout: an exchange is over in time, whoever is late, and leaves nothing behind."""

import select
import socket

import pytest

from origin import Gate, aged, answer, cacheable, held
from server import settings
from test_slices import SLICE, Thing, check
from wire import compose

def limited(origin, start, time):
    return start(config=f"limits {{ exchange-timeout {time} }}\n" + settings(origin).replace("ram 64M", "ram 32M"))


@pytest.fixture
def larder(origin, start):
    return limited(origin, start, "100ms")


@pytest.fixture
def patient(origin, start):
    """With time for what is not late, on any machine."""
    return limited(origin, start, "600ms")


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open()


def over(stats, **counts):
    """Nothing is under way any more, and so much was counted."""
    seen = {name: stats["proxy." + name] for name in ("exchange_timeouts", "timeouts", "refused", "errors", "stood_in")}
    return stats["proxy.requests_active"] == 0 and seen == dict.fromkeys(seen, 0) | counts


def test_the_origin_is_late_for_all(origin, larder, gate):
    """504, and the connection stays. The fetch goes on for who comes next, and what it brings is stored."""
    origin.on("/a", held(gate, cacheable()))
    with larder.client() as client:
        seen = client.get("/a")
        assert seen.status == 504 and b"(exchange-timeout)" in seen.body and seen.get("Connection") is None
        larder.wait(lambda s: over(s, exchange_timeouts=1, errors=1))
        gate.open()
        larder.wait_stored()
        assert client.get("/a").get("Cache-Status").startswith("larder;hit")
    assert len(origin.asked()) == 1


def test_the_origin_is_late_for_one(origin, larder, gate):
    """What nobody else may use is given up."""
    origin.on("/a", held(gate, answer(200)))
    seen = larder.ask("POST", "/a", body=b"x")
    assert seen.status == 504 and b"(exchange-timeout)" in seen.body
    larder.wait(lambda s: over(s, exchange_timeouts=1, errors=1) and s["origin.connections"] == 0)


def test_followers_are_late_as_well(origin, larder, gate):
    origin.on("/a", held(gate, cacheable()))
    clients = [larder.client() for _ in range(4)]
    for client in clients:
        client.send(compose("GET", "/a"))
    for client in clients:
        assert client.reader.answer().status == 504
        client.close()
    larder.wait(lambda s: over(s, exchange_timeouts=4, errors=4))
    gate.open()
    larder.wait_stored()
    assert len(origin.asked()) == 1


def test_something_stale_stands_in(origin, patient, gate):
    larder = patient
    origin.on("/a", aged("max-age=60, stale-if-error=600"))
    larder.store("/a")
    origin.on("/a", held(gate, cacheable(b"new")))
    seen = larder.get("/a")
    assert (seen.status, seen.body) == (200, b"old") and seen.get("Cache-Status").endswith("detail=stale-if-error")
    larder.wait(lambda s: over(s, exchange_timeouts=1, stood_in=1))
    gate.open()
    larder.wait(lambda s: s["origin.connections"] == s["origin.connections_unused"])


@pytest.mark.parametrize("framing, part", [("Content-Length: 10", b"x"), ("Transfer-Encoding: chunked", b"5\r\nx")])
def test_the_client_is_late_with_its_body(origin, larder, framing, part):
    """408, and the origin never sees the whole request."""
    origin.on("/a", answer(200))
    with larder.client() as client:
        client.send(f"POST /a HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n".encode() + part)
        seen = client.reader.answer()
        assert seen.status == 408 and b"(exchange-timeout)" in seen.body and seen.get("Connection") == "close"
    stats = larder.wait(lambda s: s["proxy.connections"] == 0 and s["origin.connections"] == 0)
    assert over(stats, exchange_timeouts=1, refused=1) and stats["refused.exchange-timeout"] == 1
    assert not origin.asked()


@pytest.mark.parametrize("fields", [[("Content-Length", "10")], [("Transfer-Encoding", "chunked")]])
@pytest.mark.parametrize("control", ["max-age=60", "no-store"])
def test_an_answer_that_does_not_end_is_broken_off(origin, larder, gate, fields, control):
    def begun(exchange):
        exchange.head(200, [("Cache-Control", control), *fields])
        exchange.send(b"x" if "Content-Length" in fields[0] else b"1\r\nx\r\n")
        gate.hold()
        exchange.close()

    origin.on("/a", begun)
    seen = larder.get("/a")
    assert seen.status == 200 and not seen.whole
    larder.wait(lambda s: over(s, exchange_timeouts=1, timeouts=1) and s["proxy.connections"] == 0)
    gate.open()
    larder.wait(lambda s: s["origin.connections"] == 0)  # neither was whole
    assert larder.stats()["store.objects"] == 0


def test_a_slice_that_does_not_come(origin, patient, gate):
    """What is stored says how long the whole is, but until its first slice is sure nothing goes out."""
    larder = patient
    size = 4 * SLICE
    origin.on("/a", Thing(size))
    larder.get("/a", ("Range", f"bytes={2 * SLICE}-{3 * SLICE - 1}"))
    larder.wait_stored(2)
    origin.on("/a", held(gate, Thing(size)))
    with larder.client() as client:
        seen = client.get("/a")
        assert seen.status == 504 and b"(exchange-timeout)" in seen.body
        larder.wait(lambda s: over(s, exchange_timeouts=1, errors=1))
        gate.open()
        larder.wait(lambda s: s["origin.connections"] == s["origin.connections_unused"])
        check(client.get("/a"), "v1", size)


def test_a_client_that_does_not_read_is_broken_off(origin, larder):
    origin.on("/a", cacheable(b"x" * (24 << 20)))
    with larder.client() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(compose("GET", "/a"))
        end = select.poll()
        end.register(client.sock, 0)  # only the reset
        assert end.poll(60000)
    larder.wait(lambda s: over(s, exchange_timeouts=1, timeouts=1) and s["proxy.connections"] == 0)


def test_each_request_has_its_time(origin, patient, gate):
    """Those in time are not counted, and neither is what a connection was idle for; of several the late one alone is late."""
    origin.on("/a", cacheable())
    origin.on("/late", held(gate, cacheable()))
    larder = patient
    with larder.client() as idle, larder.client() as client:
        assert idle.get("/a").status == 200
        client.send(compose("GET", "/a") + compose("GET", "/late") + compose("GET", "/a"))
        assert [client.reader.answer().status for _ in range(3)] == [200, 504, 200]
        assert idle.get("/a").status == 200  # after more than the time of one
    larder.wait(lambda s: over(s, exchange_timeouts=1, errors=1))


def test_not_for_tunnels(origin, patient, gate):
    larder = patient
    def echo(exchange):
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while data := exchange.sock.recv(65536):
            exchange.send(data)
        exchange.close()

    origin.on("/ws", echo)
    origin.on("/late", held(gate, cacheable()))
    with larder.client() as client:
        client.send(compose("GET", "/ws", [("Connection", "Upgrade"), ("Upgrade", "websocket")]))
        assert client.reader.head().status == 101
        assert larder.get("/late").status == 504  # and so the time of the other has passed as well
        client.send(b"hello")
        assert client.reader.exactly(5) == b"hello"
    larder.wait(lambda s: over(s, exchange_timeouts=1, errors=1))
