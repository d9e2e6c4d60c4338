"""Limits of what clients may do: what is refused, how it is counted, and that all goes on when there is nothing more to be had."""

import resource
import select
import socket

import pytest

from origin import answer, cacheable
from server import settings
from wire import compose, turned_away


def limited(start, origin, *limits, workers=1):
    return start(config=settings(origin).replace("workers 2", f"workers {workers}\nlimits {{\n" + "\n".join(limits) + "\n}"))


def is_served(client):
    return client.get("/a").status == 200


@pytest.mark.parametrize("bytes_, reason", [
    (b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "bad-host"),
    (b"GET /a HTTP/1.1\r\n\r\n", "no-host"),
    (b"GET /a HTTP/1.1\r\nHost: test\r\nA : b\r\n\r\n", "bad-field-name"),
    (b"GET /a HTTP/1.1\r\nHost: test\r\nContent-Length: x\r\n\r\n", "bad-content-length"),
    (b"POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "bad-chunk"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", "target-too-long"),
    (b"GET /a HTTP/1.1\r\nHost: test\r\nA: " + b"a" * 20000 + b"\r\n\r\n", "head-too-long"),
    (b"GET /a HTTP/1.1\r\nHost: test\r\n" + b"A: b\r\n" * 200 + b"\r\n", "too-many-fields"),
])
def test_each_refusal_is_counted_by_its_reason(origin, larder, bytes_, reason):
    with larder.client() as client:
        client.send(bytes_)
        assert f"({reason})".encode() in client.reader.answer().body
    stats = larder.stats()
    assert stats[f"refused.{reason}"] == 1 == stats["proxy.refused"]
    assert sum(value for name, value in stats.items() if name.startswith("refused.")) == 1


def test_connections_of_one_client(origin, start):
    origin.on("/a", cacheable())
    larder = limited(start, origin, "connections-per-client 3", workers=2)
    clients = [larder.client() for _ in range(3)]
    assert all(is_served(client) for client in clients)
    assert turned_away(larder.address)
    assert larder.stats()["proxy.turned_away"] == 1
    clients.pop().close()
    larder.wait(lambda s: s["proxy.connections"] == 2)
    with larder.client() as client:
        assert is_served(client)
    for client in clients:
        assert is_served(client)
        client.close()


def test_connections_in_all_idle_ones_make_room(origin, start):
    origin.on("/a", cacheable())
    larder = limited(start, origin, "connections 3")
    first, second, third = (larder.client() for _ in range(3))
    assert is_served(first) and is_served(second) and is_served(third)
    assert is_served(first)  # so the second is idle for longest
    with larder.client() as fourth:
        assert is_served(fourth)
        assert second.is_closed()
        assert is_served(first) and is_served(third)
    stats = larder.stats()
    assert stats["proxy.shed"] == 1 and stats["proxy.turned_away"] == 0


def test_connections_in_all_busy_ones_do_not(origin, start):
    from origin import Gate
    gate = Gate()

    def late(x):
        gate.hold()
        x.answer(200, [], b"late")

    origin.on("/late", late)
    larder = limited(start, origin, "connections 2")
    busy = [larder.client() for _ in range(2)]
    for client in busy:
        client.send(compose("GET", "/late"))
    larder.wait(lambda s: s["proxy.requests_active"] == 2)
    assert turned_away(larder.address)
    gate.open()
    assert [client.reader.answer().body for client in busy] == [b"late", b"late"]
    assert larder.stats()["proxy.turned_away"] == 1 and larder.stats()["proxy.shed"] == 0


def test_requests_of_one_connection(origin, start):
    origin.on("/a", cacheable())
    larder = limited(start, origin, "requests-per-connection 3")
    with larder.client() as client:
        seen = [client.get("/a").get("Connection") for _ in range(3)]
        assert seen == [None, None, "close"] and client.is_closed()


def chunks_with(extension, trailer):
    """A body "xx" with so many bytes of extensions, in two halves since one line is bounded as well, and of trailers."""
    lines = [b"1" + (b";" + b"a" * (size - 1) if size else b"") + b"\r\nx\r\n" for size in (extension // 2, extension - extension // 2)]
    fields = b"A:" + b"b" * (trailer - 6) + b"\r\n" if trailer else b""
    return lines[0] + lines[1] + b"0\r\n" + fields + b"\r\n"


CHUNKED = b"POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("limit, extension, trailer, reason", [
    ("extension-size 1k", 1024, 0, "extensions-too-long"),
    ("extension-size 0", 0, 0, "extensions-too-long"),
    ("trailer-size 1k", 0, 1024, "trailer-too-long"),
])
def test_what_chunks_may_have_beside_their_data(origin, start, limit, extension, trailer, reason):
    """A request with more is refused; an origin's answer with more is broken off, and never stored."""
    within = chunks_with(extension, trailer)
    beyond = chunks_with(extension, trailer + 1) if trailer else chunks_with(extension + 1, trailer)
    origin.on("/a", answer(200))
    larder = limited(start, origin, limit)
    with larder.client() as client:
        client.send(CHUNKED + within)
        assert client.reader.answer().status == 200
        client.send(CHUNKED + beyond)
        refused = client.reader.answer()
        assert refused.status == 400 and f"({reason})".encode() in refused.body
    assert larder.stats()[f"refused.{reason}"] == 1
    assert len(origin.asked("/a")) == 1  # it never saw the whole of the other

    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
    origin.on("/within", lambda x: x.send(head + within))
    origin.on("/beyond", lambda x: x.send(head + beyond))
    assert larder.get("/within").body == b"xx"
    larder.wait_stored()
    got = larder.get("/beyond")
    assert got.status == 502 or not got.whole
    stats = larder.wait(lambda s: s["origin.refused_answers"] == 1)
    assert stats["store.objects"] == 1


@pytest.mark.parametrize("limit, most", [("ranges 2", 2), ("ranges 1", 1), ("", 16)])
def test_ranges_of_one_request(origin, start, limit, most):
    """With more the field is ignored; what is asked of the origin is the same."""
    origin.on("/a", cacheable(b"x" * 1000))
    larder = limited(start, origin, limit)
    larder.store("/a")
    for count, status in ((most, 206), (most + 1, 200)):
        ranges = ", ".join(f"{i * 10}-{i * 10}" for i in range(count))
        assert larder.get("/a", ("Range", f"bytes={ranges}")).status == status
        assert larder.stats()["proxy.ranges_ignored"] == (status == 200)
    assert len(origin.asked()) == 1


def test_pipelined_requests_have_turns(origin, start):
    """However many come at once, all are answered, in their order."""
    origin.on("/a", cacheable())
    larder = limited(start, origin, "pipelined-requests 4")
    larder.store("/a")
    with larder.client() as client:
        for count, turns in ((4, 0), (10, 2)):
            client.send(compose("GET", "/a") * count)
            assert [client.reader.answer().body for _ in range(count)] == [b"hello"] * count
            assert larder.stats()["proxy.pipeline_turns"] == turns


def test_bodies_that_go_too_slowly(origin, start):
    """One drips, and of an answer a client takes sips: there is always something that moves, so no time limit ends it. Both in one test,
    since rates are looked at over seconds."""
    origin.on("/up", answer(200))
    origin.on("/down", cacheable(b"x" * (24 << 20)))
    larder = limited(start, origin, "body-rate 1M", "send-rate 1G")
    with larder.client() as up, larder.client() as down:
        down.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        down.send(compose("GET", "/down"))
        up.send(b"POST /up HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
        steps = {up.sock.fileno(): lambda: up.send(b"x"), down.sock.fileno(): lambda: down.sock.recv(1 << 17)}
        closed = select.poll()
        closed.register(up.sock, select.POLLIN)  # it gets no answer, only the end
        closed.register(down.sock, 0)            # the reset, whatever there is to read
        for _ in range(120):
            ended = {fd for fd, _ in closed.poll(100)}
            for fd in steps.keys() - ended:
                try:
                    steps[fd]()
                except OSError:
                    ended.add(fd)
            for fd in ended:
                closed.unregister(fd)
                del steps[fd]
            if not steps:
                break
        assert not steps
    stats = larder.wait(lambda s: s["proxy.connections"] == 0)
    assert stats["proxy.too_slow"] == 2 and stats["proxy.requests_active"] == 0
    assert not origin.asked("/up")  # it never saw the whole of it


def test_without_descriptors_idle_connections_make_room(origin, start):
    """Who is idle goes first; who is in an exchange stays; and all is as before when there are descriptors again."""
    origin.on("/a", cacheable())
    larder = start(workers=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    larder.store("/a")
    clients = []
    for _ in range(100):
        clients.append(larder.client())
        assert is_served(clients[-1])
    assert larder.stats()["proxy.shed"] >= 100 - 64
    assert is_served(clients[-1])
    for client in clients:
        client.close()
    larder.wait(lambda s: s["proxy.connections"] == 0)
    with larder.client() as client:
        assert is_served(client)
