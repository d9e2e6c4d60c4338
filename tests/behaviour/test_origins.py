"""Origins that are away, slow or broken; connections that are kept."""

import socket

import pytest

from origin import Gate, answer, raw


def test_refused(start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen = start(origin=f"127.0.0.1:{port}").get("/a")
    assert seen.status == 502 and b"refused the connection" in seen.body


def test_unresolved_name_does_not_prevent_the_start(start):
    larder = start(origin="no-such-name.invalid:80")
    seen = larder.get("/a")
    assert seen.status == 502 and b"does not resolve" in seen.body


def test_names_resolve(origin, start):
    larder = start(origin=f"localhost:{origin.port}")
    origin.on("/a", answer(body=b"x"))
    while (seen := larder.get("/a")).status == 502:
        assert b"does not resolve" in seen.body  # not yet
    assert seen.body == b"x"


TIMEOUTS = """
    admin ADMIN
    ram 16M
    site * {
        listen 127.0.0.1:0
        origin %s
        timeout %s
    }
"""


def test_no_connection(start):
    """A server whose backlog is full takes no connection, and does not refuse one either."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:  # the first fills the backlog
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        larder = start(config=TIMEOUTS % (f"127.0.0.1:{full.getsockname()[1]}", "connect 50ms"))
        seen = larder.get("/a")
        assert seen.status == 504 and b"connecting to the origin took too long" in seen.body
        for sock in waiting:
            sock.close()


def test_no_first_byte(origin, start):
    larder = start(config=TIMEOUTS % (origin.address, "first-byte 50ms idle 50ms"))
    gate = Gate()
    origin.on("/a", lambda x: gate.hold())
    seen = larder.get("/a")
    gate.open()
    assert seen.status == 504 and b"did not answer in time" in seen.body
    assert larder.stats()["origin.timeouts"] == 1


def test_stops_in_the_body(origin, start):
    larder = start(config=TIMEOUTS % (origin.address, "first-byte 1h idle 50ms"))
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [("Content-Length", "10")])
        exchange.send(b"12345")
        gate.hold()

    origin.on("/a", handler)
    seen = larder.get("/a")
    gate.open()
    assert seen.status == 200 and not seen.whole


def test_connections_are_reused(origin, start):
    larder = start(workers=1)
    origin.on("/a", answer(body=b"x"))
    for _ in range(5):
        larder.get("/a")
    assert origin.connections == 1 and larder.stats()["origin.reuses"] == 4


def test_a_closed_kept_connection_is_retried(origin, start):
    """The origin closes just as the request is sent: an idempotent request goes again, on a new connection."""
    larder = start(workers=1)
    origin.on("/a", answer(body=b"x"))
    larder.get("/a")
    dropped = []

    def once(exchange):
        if not dropped:
            dropped.append(1)
            exchange.close()
        else:
            exchange.answer(200, body=b"again")

    origin.on("/b", once)
    assert larder.get("/b").body == b"again"
    assert larder.stats()["origin.retries"] == 1


def test_a_post_is_never_sent_twice(origin, start):
    larder = start(workers=1)
    origin.on("/a", answer(body=b"x"))
    origin.on("/b", lambda x: x.close())
    larder.get("/a")
    assert larder.ask("POST", "/b", body=b"pay").status == 502
    assert len(origin.asked("/b")) == 1


def test_a_quietly_closed_connection_is_not_used(origin, start):
    larder = start(workers=1)
    origin.on("/a", answer(body=b"x"))
    larder.get("/a")
    origin.drop_connections()
    larder.wait(lambda s: s["origin.connections"] == 0)
    assert larder.ask("POST", "/a", body=b"pay").status == 200


def test_bytes_after_an_answer_are_never_the_next_one(origin, start):
    larder = start(workers=1)
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    origin.on("/a", lambda x: x.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx" + poison))
    origin.on("/b", answer(body=b"right"))
    for _ in range(5):
        assert larder.get("/a").body == b"x"
        assert larder.get("/b").body == b"right"


@pytest.mark.parametrize("bytes_", [
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: unheard-of\r\n\r\nx",   # what lies in it cannot be known
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",   # nobody asked for it
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    b"",
], ids=lambda value: repr(value)[:60])
def test_broken_answers_are_502(origin, larder, bytes_):
    def handler(exchange):
        exchange.send(bytes_)
        exchange.close()

    origin.on("/a", handler)
    assert larder.get("/a").status == 502
    assert larder.stats()["store.appends"] == 0


def test_an_answer_before_the_request_has_ended(origin, larder):
    @raw
    def handler(exchange):
        exchange.answer(413, body=b"too much")
        exchange.close()

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(b"POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\nbegin")
        seen = client.reader.answer()
        assert seen.status == 413 and seen.body == b"too much"


def test_two_larders_in_a_row(origin, start):
    """One in front of the other, as a CDN and a shield."""
    inner = start()
    outer = start(origin=f"127.0.0.1:{inner.port}")
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60")], body=b"x"))
    seen = outer.get("/a")
    assert seen.body == b"x" and seen.all("Via") == ["1.1 larder", "1.1 larder"]
    assert origin.asked()[0].all("Via") == ["1.1 larder", "1.1 larder"]
