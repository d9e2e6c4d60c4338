"""HTTP/1.1 and 1.0 on both sides: framing, fields, connections."""

import base64
import hashlib
import socket

import pytest

from origin import Gate, answer, cacheable, raw
from wire import Client, compose


def test_keep_alive_and_pipelining(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "no-store")], x.request.target.encode()))
    with larder.client() as client:
        client.send(b"".join(compose("GET", f"/a?{i}") for i in range(100)))
        for i in range(100):
            assert client.reader.answer().body == f"/a?{i}".encode()
    assert larder.stats()["proxy.connections_accepted"] == 1


def test_requests_in_single_bytes(origin, larder):
    origin.on("/a", answer(body=b"x"))
    with larder.client() as client:
        for byte in compose("GET", "/a") * 2:
            client.send(bytes([byte]))
        assert client.reader.answer().body == client.reader.answer().body == b"x"


@pytest.mark.parametrize("sent, answers", [(compose("GET", "/a"), 1), (b"GET /a HTTP", 0)], ids=["whole", "cut"])
def test_an_end_that_comes_with_the_last_bytes(origin, larder, sent, answers):
    """The end of a client is seen also when it arrives together with bytes: nothing waits for a time limit."""
    origin.on("/a", cacheable(b"hello"))
    for _ in range(20):
        with larder.client() as client:
            client.send(sent)
            client.sock.shutdown(socket.SHUT_WR)
            for _ in range(answers):
                assert client.reader.answer().body == b"hello"
            assert client.is_closed()
    assert larder.stats()["proxy.timeouts"] == 0


def test_http_10(origin, larder):
    origin.on("/a", cacheable(b"hello"))
    with larder.client() as client:
        first = client.get("/a", version="HTTP/1.0")
        assert first.body == b"hello" and client.is_closed()
    with larder.client() as client:
        kept = client.get("/a", ("Connection", "keep-alive"), version="HTTP/1.0")
        assert kept.get("Connection") == "keep-alive"
        assert client.get("/a").body == b"hello"


def test_connection_close_is_obeyed(origin, larder):
    origin.on("/a", cacheable(b"hello"))
    with larder.client() as client:
        seen = client.get("/a", ("Connection", "close"))
        assert seen.get("Connection") == "close" and client.is_closed()


@pytest.mark.parametrize("send", [
    lambda x: (x.head(200, [("Content-Length", "5")]), x.send(b"hello")),
    lambda x: (x.head(200, [("Transfer-Encoding", "chunked")]), x.chunk(b"hel"), x.chunk(b"lo"), x.end_chunks()),
    lambda x: (x.head(200, [("Transfer-Encoding", "chunked")]),
               x.send(b"5;name=value\r\nhello\r\n0\r\nX-Trailer: dropped\r\n\r\n")),
    lambda x: (x.head(200, []), x.send(b"hello"), x.close()),
    lambda x: (x.send(b"HTTP/1.0 200 OK\r\n\r\nhello"), x.close()),
])
def test_bodies_of_the_origin(origin, larder, send):
    origin.on("/a", send)
    with larder.client() as client:
        for _ in range(2):
            seen = client.get("/a")
            assert seen.whole and seen.body == b"hello" and not seen.trailers


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_body(origin, larder, status):
    origin.on("/a", answer(fields=[("Cache-Control", "no-store")]))
    larder.get("/a")  # from here on the client's own conditions go to the origin
    origin.on("/a", lambda x: x.head(status, [("ETag", '"1"')]))
    with larder.client() as client:
        assert client.get("/a", ("If-None-Match", '"1"')).status == status
        assert client.get("/a", ("If-None-Match", '"1"')).status == status


def test_request_bodies_reach_the_origin(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [], x.request.body[::-1]))
    body = bytes(range(256)) * 4000
    with larder.client() as client:
        assert client.ask("POST", "/a", body=body).body == body[::-1]
        client.send(compose("PUT", "/a", [("Transfer-Encoding", "chunked")]))
        for at in range(0, len(body), 10007):
            piece = body[at:at + 10007]
            client.send(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
        client.send(b"0\r\nX-Trailer: gone\r\n\r\n")
        assert client.reader.answer().body == body[::-1]
    first, second = origin.asked("/a")
    assert first.get("Content-Length") == str(len(body)) and second.get("Transfer-Encoding") == "chunked"
    assert not second.trailers


def test_an_upload_streams(origin, larder):
    """The origin has the first part while the client has not sent the second."""
    gate = Gate()

    @raw
    def handler(exchange):
        assert exchange.reader.exactly(5) == b"first"
        gate.hold()
        assert exchange.reader.exactly(6) == b"second"
        exchange.answer(200, body=b"done")

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(compose("POST", "/a", [("Content-Length", "11")]) + b"first")
        gate.wait()
        gate.open()
        client.send(b"second")
        assert client.reader.answer().body == b"done"


def test_a_broken_upload_never_ends(origin, larder):
    """When the client leaves in the middle, the origin sees a cut request."""
    gate, seen = Gate(), []

    @raw
    def handler(exchange):
        gate.hold()
        seen.append(exchange.reader.rest())
        exchange.close()

    origin.on("/a", handler)
    client = larder.client()
    client.send(compose("POST", "/a", [("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n")
    gate.wait()
    client.close()
    gate.open()
    larder.wait(lambda s: s["origin.connections"] == 0)
    assert b"0\r\n\r\n" not in b"".join(seen)


def test_expect_continue(origin, larder):
    @raw
    def handler(exchange):
        assert exchange.request.get("Expect") == "100-continue"
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange.answer(200, body=exchange.reader.exactly(5))

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(compose("POST", "/a", [("Expect", "100-continue"), ("Content-Length", "5")]))
        assert client.reader.head().status == 100
        client.send(b"hello")
        assert client.reader.answer().body == b"hello"


def test_expect_continue_met_by_a_final_answer(origin, larder):
    """Who is refused need not send the body, and is not asked to."""
    @raw
    def handler(exchange):
        exchange.answer(403, body=b"no")
        exchange.close()

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(compose("POST", "/a", [("Expect", "100-continue"), ("Content-Length", "5")]))
        seen = client.reader.answer()
        assert seen.status == 403 and seen.body == b"no" and seen.interim == []


def test_http_10_gets_no_interim_answers(origin, larder):
    """RFC 9110 §15.2: an HTTP/1.0 client does not know them."""
    def handler(exchange):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        exchange.answer(200, body=b"x")

    origin.on("/a", handler)
    with larder.client() as client:
        seen = client.get("/a", version="HTTP/1.0")
        assert seen.status == 200 and seen.body == b"x" and seen.interim == []


def test_early_hints_go_on_at_once(origin, larder):
    gate = Gate()

    def handler(exchange):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        gate.hold()
        exchange.answer(200, [("Cache-Control", "max-age=60")], b"x")

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(compose("GET", "/a"))
        hint = client.reader.head()
        assert hint.status == 103 and hint.get("Link") == "</a.css>"
        gate.open()
        assert client.reader.answer().body == b"x"
        larder.wait_stored()
        assert client.get("/a").interim == []


def test_fields_towards_the_origin(origin, larder):
    origin.on("/a", answer(body=b"x"))
    larder.get("/a", ("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "5"), ("TE", "trailers"),
               ("Proxy-Connection", "x"), ("X-Forwarded-For", "6.6.6.6"), ("X-Original-URL", "/admin"),
               ("Proxy", "evil"), ("Via", "1.0 before"), ("X-Kept", "1"), ("Accept", "a"), ("Accept", "b"))
    seen, = origin.asked()
    for gone in ("Connection", "X-Hop", "Keep-Alive", "TE", "Proxy-Connection", "X-Original-URL", "Proxy"):
        assert seen.get(gone) is None, gone
    assert seen.all("Via") == ["1.0 before", "1.1 larder"]
    assert seen.all("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.all("X-Forwarded-Host") == ["test"] and seen.all("X-Forwarded-Proto") == ["http"]
    assert seen.all("Accept") == ["a", "b"] and seen.get("X-Kept") == "1" and seen.all("Host") == ["test"]


def test_fields_towards_the_client(origin, larder):
    origin.on("/a", answer(fields=[("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "5"), ("X-Kept", "1"),
                                   ("Cache-Control", "max-age=60")], body=b"x"))
    for _ in range(2):
        seen = larder.get("/a")
        larder.wait_stored()
        assert seen.get("Connection") is None and seen.get("X-Hop") is None and seen.get("Keep-Alive") is None
        assert seen.get("X-Kept") == "1" and seen.get("Via") == "1.1 larder" and seen.get("Date")


@pytest.mark.parametrize("request_, status", [
    (b"GET /a HTTP/1.1\nHost: x\n\n", 400),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n", 400),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nName : y\r\n\r\n", 400),
    (b"GET /a HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
    (b"GET /a HTTP/1.1\r\n\r\n", 400),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    (b"GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", 400),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 1\r\n\r\nx", 417),
    (b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 405),
    (b"TRACE /a HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 10000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
], ids=lambda value: repr(value)[:60])
def test_what_is_ambiguous_is_refused(origin, larder, request_, status):
    origin.on("/a", answer(body=b"x"))
    with larder.client() as client:
        client.send(request_ + compose("GET", "/smuggled"))
        seen = client.reader.answer()
        assert seen.status == status and seen.get("Connection") == "close"
        assert client.is_closed()
    assert not [r for r in origin.asked() if r.target == "/smuggled"]
    assert larder.stats()["proxy.refused"] == 1


def test_websocket_style_tunnel(origin, larder):
    @raw
    def handler(exchange):
        assert exchange.request.get("Connection").lower() == "upgrade"
        assert exchange.request.get("Upgrade") == "websocket"
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while data := exchange.sock.recv(65536):
            exchange.send(data)  # echo
        exchange.close()

    origin.on("/ws", handler)
    with larder.client() as client:
        client.send(compose("GET", "/ws", [("Connection", "Upgrade"), ("Upgrade", "websocket")]))
        head = client.reader.head()
        assert head.status == 101 and head.get("Upgrade") == "websocket"
        for size in (1, 1000, 300000):
            data = bytes(i & 255 for i in range(size))
            client.sock.sendall(data)
            assert client.reader.exactly(size) == data
        client.sock.shutdown(socket.SHUT_WR)  # half closed: the echo ends, and so does the tunnel
        assert client.is_closed()
    assert larder.stats()["proxy.tunnels"] == 1


def test_a_reset_after_the_end_of_the_request_is_noticed(origin, larder):
    """Reading the socket no longer tells: it has ended already. And there is nothing to write yet."""
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [("Cache-Control", "no-store"), ("Content-Length", "10")])
        exchange.send(b"first")
        gate.hold()

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(compose("GET", "/a"))
        client.sock.shutdown(socket.SHUT_WR)
        client.reader.head()
        assert client.reader.exactly(5) == b"first"
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    larder.wait(lambda s: s["proxy.requests_active"] == 0 and s["proxy.client_gone"] == 1)
    gate.open()


def masked(text):
    """A text frame as a client must send it (RFC 6455 §5.3)."""
    mask = b"\x01\x02\x03\x04"
    return bytes([0x81, 0x80 | len(text)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text))


def test_websocket_echo(origin, larder):
    """The handshake of RFC 6455 and its first frames, the first of which comes together with the handshake."""
    @raw
    def handler(exchange):
        key = exchange.request.get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        exchange.head(101, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)],
                      "Switching Protocols")
        while True:
            length = exchange.reader.exactly(2)[1] & 0x7f
            mask, data = exchange.reader.exactly(4), exchange.reader.exactly(length)
            exchange.send(bytes([0x81, length]) + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    origin.on("/ws", handler)
    with larder.client() as client:
        client.send(compose("GET", "/ws", [("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"),
                                           ("Sec-WebSocket-Version", "13"),
                                           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]) + masked(b"early"))
        head = client.reader.head()
        assert head.status == 101 and head.get("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert client.reader.exactly(7) == b"\x81\x05early"
        for text in (b"hello", b"x" * 125):
            client.send(masked(text))
            assert client.reader.exactly(2 + len(text)) == bytes([0x81, len(text)]) + text


def test_an_unasked_101_is_refused(origin, larder):
    origin.on("/a", lambda x: x.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
    assert larder.get("/a").status == 502


def test_a_refused_upgrade_is_an_ordinary_answer(origin, larder):
    origin.on("/ws", answer(403, body=b"no"))
    with larder.client() as client:
        seen = client.get("/ws", ("Connection", "Upgrade"), ("Upgrade", "websocket"))
        assert seen.status == 403 and seen.body == b"no"


def test_unknown_host_is_421(origin, start):
    larder = start(config="""
        admin ADMIN
        ram 16M
        site www.example.com *.example.org {
            listen 127.0.0.1:0
            origin %s
        }
    """ % origin.address)
    origin.on("/a", answer(body=b"x"))
    for host, status in (("www.example.com", 200), ("WWW.Example.com:8080", 200), ("a.b.example.org", 200),
                         ("example.org", 421), ("example.com", 421), ("127.0.0.1", 421)):
        assert larder.get("/a", host=host).status == status, host
    assert larder.stats()["proxy.unknown_host"] == 3


def test_cut_upload_length(origin, larder):
    """A client that ends in the middle of a body of known length: the origin never gets the rest from anywhere."""
    origin.on("/a", answer(body=b"x"))
    client = Client(larder.address)
    client.send(compose("POST", "/a", [("Content-Length", "10")]) + b"12345")
    larder.wait(lambda s: s["proxy.requests"] == 1)
    client.close()
    larder.wait(lambda s: s["proxy.connections"] == 0 and s["origin.connections"] == 0)
    assert not origin.asked("/a")
