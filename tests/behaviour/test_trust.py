"""Who is believed about clients: PROXY headers and X-Forwarded-*, from trusted networks and from nobody else."""

import json
import socket

import pytest

from origin import cacheable
from wire import Client, compose, turned_away

V2 = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n"
BINARY = V2 + b"\x21\x11\0\x0c" + socket.inet_aton("203.0.113.7") + socket.inet_aton("198.51.100.1") + b"\xdc\x04\1\xbb"
SIX = V2 + b"\x21\x21\0\x28" + socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + b"\0\1\0\2" + b"\x04\0\1x"


def config(origin, listen="proxy-protocol", trust="127.0.0.1", limits="", site=""):
    return f"""
        admin ADMIN
        workers 2
        ram 16M
        trust {trust}
        listen 127.0.0.1:0 {listen}
        limits {{ {limits} }}
        site * {{
            origin {origin.address}
            ttl 0s
            {site}
        }}
    """


def forwarded(origin):
    return origin.asked()[-1].all("X-Forwarded-For")


@pytest.mark.parametrize("header,address", [
    (LINE, "203.0.113.7"),
    (b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "203.0.113.7"),
    (BINARY, "203.0.113.7"),
    (SIX, "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (V2 + b"\x20\0\0\0", "127.0.0.1"),
    (V2 + b"\x21\x31\0\xd8" + b"/" * 216, "127.0.0.1"),
])
def test_the_client_is_whom_the_header_names(origin, start, header, address):
    larder = start(config=config(origin))
    with larder.client() as client:
        client.send(header + compose("GET", "/a") + compose("GET", "/b"))
        assert [client.reader.answer().status for _ in range(2)] == [404, 404]
        assert client.get("/c").status == 404  # for the whole connection, and once only
    assert [r.all("X-Forwarded-For") for r in origin.asked()] == [[address]] * 3
    stats = larder.stats()
    assert stats["proxy.proxy_headers"] == 1 and stats["proxy.proxy_refused"] == 0


@pytest.mark.parametrize("header", [LINE, SIX])
def test_a_header_in_two_pieces(origin, start, header):
    larder = start(config=config(origin))
    for cut in range(1, len(header) + 3):
        with larder.client() as client:
            whole = header + compose("GET", "/a")
            client.send(whole[:cut])
            client.send(whole[cut:])
            assert client.reader.answer().status == 404
    assert larder.stats()["proxy.proxy_headers"] == len(header) + 2
    assert len({r.get("X-Forwarded-For") for r in origin.asked()}) == 1


@pytest.mark.parametrize("header", [
    b"",
    b"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\n",
    b"PROXY TCP4 203.0.113.7 198.51.100.1 56324\r\n",
    b"PROXY TCP4 ::1 ::1 1 2\r\n",
    b"PROXY UNKNOWN" + b" " * 100,
    V2 + b"\x21\x12\0\x0c" + bytes(12),
    V2 + b"\x21\x11\0\x0b" + bytes(11),
    V2 + b"\x21\x11\xff\xff",
])
def test_what_is_no_header_ends_the_connection(origin, start, header):
    larder = start(config=config(origin))
    with larder.client() as client:
        client.send(header + compose("GET", "/a"))
        assert client.is_closed()
    assert larder.stats()["proxy.proxy_refused"] == 1 and origin.asked() == []
    larder.stop()
    assert any("PROXY protocol: connection from 127.0.0.1 refused" in line for line in larder.log)


def test_a_second_header_is_no_request(origin, start):
    larder = start(config=config(origin))
    with larder.client() as client:
        client.send(LINE + LINE + compose("GET", "/a"))
        assert client.reader.answer().status == 400
    assert origin.asked() == []


def test_who_is_not_trusted_is_refused(origin, start):
    larder = start(config=config(origin, trust="127.0.0.1"))
    assert turned_away(larder.address, source=("127.0.0.2", 0))
    stats = larder.wait(lambda s: s["proxy.connections"] == 0)
    assert stats["proxy.proxy_refused"] == 1 and stats["proxy.requests"] == 0
    larder.stop()
    assert any("connection from 127.0.0.2 refused: it is not trusted" in line for line in larder.log)


@pytest.mark.parametrize("begun", [b"", LINE[:20], SIX[:30]])
def test_a_header_that_never_comes(origin, start, begun):
    larder = start(config=config(origin, limits="head-timeout 50ms"))
    with larder.client() as client:
        client.send(begun)
        assert client.is_closed()  # without an answer
    stats = larder.stats()
    assert stats["proxy.timeouts"] == 1 and stats["proxy.requests"] == 0


def test_without_the_word_a_header_is_no_request(origin, start):
    larder = start(config=config(origin, listen=""))
    with larder.client() as client:
        client.send(LINE + compose("GET", "/a"))
        assert client.reader.answer().status == 400
    assert origin.asked() == []


def test_the_access_log_names_the_client_of_the_header(origin, start, tmp_path):
    path = tmp_path / "access.json"
    larder = start(config=f"log {path}\n" + config(origin))
    with larder.client() as client:
        client.send(LINE + compose("GET", "/a"))
        client.reader.answer()
    larder.stop()
    assert [json.loads(line)["client"] for line in path.read_text().splitlines()] == ["203.0.113.7"]


def test_rates_and_lists_see_the_client_of_the_header(origin, start):
    larder = start(config=config(origin, site="rate 1/d per client\ndeny from 203.0.113.7"))

    def ask(address):
        with larder.client() as client:
            client.send(f"PROXY TCP4 {address} 198.51.100.1 1 2\r\n".encode() + compose("GET", "/a"))
            return client.reader.answer().status

    assert [ask(a) for a in ("203.0.113.7", "203.0.113.8", "203.0.113.8", "203.0.113.9")] == [403, 404, 429, 404]


def test_who_is_behind_a_header_is_not_trusted(origin, start):
    larder = start(config=config(origin))
    with larder.client() as client:
        client.send(LINE + compose("GET", "/a", [("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=10.0.0.1")]))
        client.reader.answer()
    assert forwarded(origin) == ["203.0.113.7"] and origin.asked()[-1].get("Forwarded") is None


FIELDS = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "10.0.0.9"), ("X-Forwarded-Proto", "https"),
          ("X-Forwarded-Host", "shop.test"), ("Forwarded", "for=203.0.113.7"), ("X-Original-URL", "/other")]


def test_fields_of_who_is_trusted_go_on(origin, start):
    larder = start(config=config(origin, listen=""))
    larder.ask("GET", "/a", FIELDS)
    asked = origin.asked()[-1]
    assert forwarded(origin) == ["203.0.113.7, 10.0.0.9, 127.0.0.1"]
    assert asked.all("X-Forwarded-Proto") == ["https"] and asked.all("X-Forwarded-Host") == ["shop.test"]
    assert asked.all("Forwarded") == ["for=203.0.113.7"] and asked.all("X-Original-URL") == []


def test_fields_of_others_are_dropped(origin, start):
    larder = start(config=config(origin, listen=""))
    with Client(larder.address, source=("127.0.0.2", 0)) as client:
        client.ask("GET", "/a", FIELDS)
    asked = origin.asked()[-1]
    assert forwarded(origin) == ["127.0.0.2"] and asked.all("X-Forwarded-Proto") == ["http"]
    assert asked.all("X-Forwarded-Host") == ["test"] and asked.all("Forwarded") == []


def test_rates_see_the_last_client_who_is_not_trusted(origin, start):
    origin.on("/a", cacheable(b"x"))
    larder = start(config=config(origin, listen="", trust="127.0.0.1 10.0.0.0/8", site="rate 1/d per client"))
    with larder.client() as client:
        def ask(*lines):
            return client.ask("GET", "/a", [("X-Forwarded-For", line) for line in lines]).status
        assert ask("203.0.113.1, 10.0.0.1") == 200
        assert ask("203.0.113.1", "10.0.0.2") == 429
        assert ask("203.0.113.2, 203.0.113.1") == 429  # what he says of others may be made up
        assert ask("203.0.113.2") == 200
        assert ask("10.0.0.1, 10.0.0.2") == 200  # all trusted: the first of them
        assert ask("203.0.113.3, unknown") == 200  # hidden: it is the peer
        assert ask() == 429
    assert larder.stats()["proxy.rate_limited"] == 3
