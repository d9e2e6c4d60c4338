"""Bodies longer than a slice: stored slice by slice, read from where each slice is, never mixed.

A store of 8 MB has slices of 256 KiB. A body is a function of its version and of the position, so that a byte of another place or
of another version shows.
"""

import functools
import random
import socket
import threading

import pytest

from origin import Gate

SLICE = 256 * 1024


PERIOD = 65521  # prime: what stands in the wrong slice is not what should stand there


@functools.lru_cache
def pattern(name):
    return random.Random(name).randbytes(PERIOD)


def piece(name, first, last):
    """Bytes `first` to `last` of the body of that name."""
    at, size = first % PERIOD, last + 1 - first
    return (pattern(name) * ((at + size) // PERIOD + 1))[at:at + size]


def body(name, size):
    return piece(name, 0, size - 1)


class Thing:
    """A representation that the origin serves, whole and in ranges."""

    def __init__(self, size, name="v1", fields=(), ranges=True):
        self.size = size
        self.name = name
        self.fields = list(fields) or [("ETag", f'"{name}"')]
        self.ranges = ranges
        self.gates = {}  # position: where the origin holds before it sends on
        self.cuts = {}   # position: where the connection breaks

    def __call__(self, exchange):
        fields = [("Cache-Control", "max-age=60"), *self.fields]
        first, last, status = 0, self.size - 1, 200
        asked = exchange.request.get("Range")
        condition = exchange.request.get("If-Range")
        if asked and self.ranges and condition in (None, f'"{self.name}"'):
            first, last = self.bounds(asked)
            fields.append(("Content-Range", f"bytes {first}-{last}/{self.size}"))
            status = 206
        exchange.head(status, [*fields, ("Content-Length", str(last - first + 1))])
        if exchange.request.method != "HEAD":
            self.send(exchange, first, last)

    def bounds(self, asked):
        first, last = asked.removeprefix("bytes=").split("-")
        if first == "":
            return self.size - int(last), self.size - 1
        return int(first), min(int(last), self.size - 1) if last else self.size - 1

    def send(self, exchange, first, last):
        while first <= last:
            stops = [at for at in [*self.gates, *self.cuts] if at > first]
            end = min([last + 1, first + 65536, *stops])
            exchange.send(piece(self.name, first, end - 1))
            first = end
            if first in self.gates:
                self.gates[first].hold()
            if first in self.cuts:
                exchange.close()
                return


class Chunked(Thing):
    """The same, of a length that is not told."""

    def __call__(self, exchange):
        if exchange.request.get("Range") and self.ranges:
            super().__call__(exchange)
            return
        exchange.head(200, [("Cache-Control", "max-age=60"), *self.fields, ("Transfer-Encoding", "chunked")])
        outer, exchange.send = exchange.send, exchange.chunk

        def chunk(data):
            outer(b"%x\r\n%s\r\n" % (len(data), data))

        exchange.send = chunk
        self.send(exchange, 0, self.size - 1)
        exchange.send = outer
        if exchange.keep:
            exchange.end_chunks()


@pytest.fixture
def small(start):
    return start(ram="32M")


def check(seen, name, size):
    assert seen.status == 200 and seen.whole and len(seen.body) == size
    assert seen.body == body(name, size)


def test_a_long_body_is_stored_in_slices_and_read_back(origin, small):
    size = 10 * SLICE + 77
    origin.on("/a", Thing(size))
    check(small.get("/a"), "v1", size)
    small.wait_stored(12)
    seen = small.get("/a")
    check(seen, "v1", size)
    assert "hit" in seen.get("Cache-Status") and len(origin.asked()) == 1
    assert small.stats()["proxy.hits"] == 1


@pytest.mark.parametrize("slices", [2, 3])
def test_lengths_around_a_whole_number_of_slices(origin, small, slices):
    for more in (-1, 0, 1):
        size = slices * SLICE + more
        origin.on(f"/{more}", Thing(size))
        for _ in range(2):
            check(small.get(f"/{more}"), "v1", size)
    assert len(origin.asked()) == 3


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_unknown_length(origin, small, more):
    size = 4 * SLICE + more
    origin.on("/a", Chunked(size))
    seen = small.get("/a")
    assert seen.get("Transfer-Encoding") == "chunked"
    check(seen, "v1", size)
    small.wait(lambda s: s["proxy.stored"] == 1 and s["store.objects"] >= 5)
    seen = small.get("/a")
    check(seen, "v1", size)
    assert seen.get("Content-Length") == str(size) and len(origin.asked()) == 1


# ── ranges ──


def cold_range(origin, small, spec, size=40 * SLICE):
    origin.on("/a", Thing(size))
    seen = small.get("/a", ("Range", spec))
    assert seen.status == 206 and seen.whole
    return seen, origin.asked()[0].get("Range")


def test_a_seek_into_a_cold_body_asks_from_its_slice_on(origin, small):
    size, at = 40 * SLICE, 30 * SLICE + 1000
    thing = Thing(size)
    thing.gates[31 * SLICE] = gate = Gate()
    origin.on("/a", thing)
    with small.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes=%d-\r\n\r\n" % at)
        head = client.reader.head()
        gate.wait()
        assert head.status == 206 and head.get("Content-Range") == f"bytes {at}-{size - 1}/{size}"
        first = client.reader.exactly(31 * SLICE - at)  # although the origin has sent no more than a slice
        gate.open()
        rest = client.reader.exactly(size - 31 * SLICE)
    assert first + rest == piece("v1", at, size - 1)
    assert [r.get("Range") for r in origin.asked()] == [f"bytes={30 * SLICE}-"]
    small.wait_stored(11)
    seen = small.get("/a", ("Range", f"bytes={at}-"))
    assert seen.body == piece("v1", at, size - 1) and len(origin.asked()) == 1


def test_a_bounded_range_is_asked_for_in_whole_slices(origin, small):
    seen, asked = cold_range(origin, small, f"bytes={SLICE + 5}-{2 * SLICE + 10}")
    assert seen.body == piece("v1", SLICE + 5, 2 * SLICE + 10)
    assert asked == f"bytes={SLICE}-{3 * SLICE - 1}"


def test_a_long_range_of_a_short_body_stores_the_whole(origin, small):
    seen, asked = cold_range(origin, small, "bytes=5-", size=1000)
    assert seen.get("Content-Range") == "bytes 5-999/1000" and seen.body == piece("v1", 5, 999)
    assert asked == "bytes=0-"
    small.wait_stored()
    check(small.get("/a"), "v1", 1000)
    assert len(origin.asked()) == 1


def test_ranges_of_what_is_stored(origin, small):
    size = 5 * SLICE + 100
    origin.on("/a", Thing(size))
    small.get("/a")
    small.wait_stored(7)
    for first, last in ((0, 0), (SLICE - 1, SLICE), (10, 3 * SLICE), (size - 5, size - 1), (2 * SLICE, 3 * SLICE - 1)):
        seen = small.get("/a", ("Range", f"bytes={first}-{last}"))
        assert seen.status == 206 and seen.body == piece("v1", first, last)
        assert seen.get("Content-Range") == f"bytes {first}-{last}/{size}"
    assert small.get("/a", ("Range", f"bytes={size}-")).status == 416
    head = small.ask("HEAD", "/a")
    assert head.status == 200 and head.get("Content-Length") == str(size)
    assert small.get("/a", ("If-None-Match", '"v1"')).status == 304
    check(small.get("/a", ("Range", "bytes=5-9"), ("If-Range", '"other"')), "v1", size)
    assert len(origin.asked()) == 1


def test_several_ranges(origin, small):
    size = 5 * SLICE
    origin.on("/a", Thing(size))
    small.get("/a")
    small.wait_stored(6)
    wanted = [(5, 9), (SLICE - 3, 2 * SLICE + 3), (size - 4, size - 1)]
    seen = small.get("/a", ("Range", "bytes=" + ",".join(f"{a}-{b}" for a, b in wanted)))
    assert seen.status == 206 and seen.whole
    boundary = seen.get("Content-Type").split("boundary=")[1].strip('"').encode()
    parts = seen.body.split(b"--" + boundary)
    assert len(parts) == 5 and parts[4].startswith(b"--")
    for (first, last), part in zip(wanted, parts[1:4]):
        head, data = part.split(b"\r\n\r\n", 1)
        assert f"bytes {first}-{last}/{size}".encode() in head
        assert data[:-2] == piece("v1", first, last)


# ── missing slices ──


def fetched(origin, small, thing, size):
    """What is stored of a body that is longer than the store: some of it."""
    origin.on("/a", thing)
    check(small.get("/a"), "v1", size)
    small.wait_stored(size // SLICE + 1)


def test_missing_slices_are_asked_for_alone(origin, small):
    """Only slices 2 and 3 are stored; what is before and behind them is fetched, they are not."""
    size = 6 * SLICE + 9
    origin.on("/a", Thing(size))
    small.get("/a", ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"))
    small.wait_stored(3)
    check(small.get("/a"), "v1", size)
    asked = [(r.get("Range"), r.get("If-Range")) for r in origin.asked()]
    assert asked[1:] == [(f"bytes=0-{2 * SLICE - 1}", '"v1"'), (f"bytes={4 * SLICE}-{size - 1}", '"v1"')]
    small.wait_stored(8)
    check(small.get("/a"), "v1", size)
    assert len(origin.asked()) == 3 and small.stats()["proxy.slice_fetches"] == 2


def test_a_body_longer_than_the_store(origin, small):
    size = 64 << 20
    origin.on("/a", Thing(size))
    for _ in range(2):
        check(small.get("/a"), "v1", size)
    stats = small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert stats["store.evicted"] > 0 and stats["proxy.passes"] == 0


@pytest.mark.parametrize("first_wanted", [0, 2 * SLICE])
def test_a_changed_body_is_never_mixed(origin, small, first_wanted):
    """Slices of v1 are stored, the origin has v2 by now. Before anything went out the answer is v2; afterwards it is cut."""
    size = 6 * SLICE
    origin.on("/a", Thing(size))
    small.get("/a", ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"))
    small.wait_stored(3)
    origin.on("/a", Thing(size, "v2"))
    with small.client() as client:
        seen = client.get("/a", *([("Range", f"bytes={first_wanted}-")] if first_wanted else []))
    if first_wanted:
        assert not seen.whole and seen.body == piece("v1", 2 * SLICE, 4 * SLICE - 1)[:len(seen.body)]
    else:
        check(seen, "v2", size)
    check(small.get("/a"), "v2", size)


def test_what_has_no_validator_is_fetched_anew_as_a_whole(origin, small):
    size = 160 * SLICE  # more than the store holds
    thing = Thing(size, fields=[("X-None", "1")])
    origin.on("/a", thing)
    for _ in range(2):
        check(small.get("/a"), "v1", size)
    assert all(r.get("Range") is None for r in origin.asked()) and len(origin.asked()) == 2


def test_an_origin_without_ranges_is_followed_to_the_place(origin, small):
    size, at = 6 * SLICE, 4 * SLICE + 5
    origin.on("/a", Thing(size, ranges=False))
    seen = small.get("/a", ("Range", f"bytes={at}-"))
    assert seen.status == 206 and seen.body == piece("v1", at, size - 1) and len(origin.asked()) == 1


# ── many readers ──


def read_all(clients, method="GET"):
    answers = [None] * len(clients)

    def read(i):
        answers[i] = clients[i].reader.answer(method)

    threads = [threading.Thread(target=read, args=(i,)) for i in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    return answers


@pytest.mark.parametrize("kind", [Thing, Chunked])
def test_one_fetch_for_many_readers(origin, small, kind):
    size = 8 * SLICE + 5
    thing = kind(size)
    thing.gates[65536] = gate = Gate()
    thing.gates[5 * SLICE + 65536] = middle = Gate()
    origin.on("/a", thing)
    clients = [small.client() for _ in range(50)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    small.wait(lambda s: s["proxy.requests"] == 50)
    gate.open()
    late = []

    def come_late():
        middle.wait()
        late.append(small.client())
        late[0].send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        small.wait(lambda s: s["proxy.requests"] == 51)
        middle.open()

    coming = threading.Thread(target=come_late)
    coming.start()
    for seen in read_all(clients):
        check(seen, "v1", size)
    coming.join()
    check(read_all(late)[0], "v1", size)
    assert len(origin.asked()) == 1


def test_a_hundred_seek_to_the_same_place(origin, small):
    size, at = 40 * SLICE, 20 * SLICE
    thing = Thing(size)
    thing.gates[at + 65536] = gate = Gate()
    origin.on("/a", thing)
    clients = [small.client() for _ in range(100)]
    for i, client in enumerate(clients):
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes=%d-%d\r\n\r\n" % (at + i, at + SLICE + i))
    small.wait(lambda s: s["proxy.requests"] == 100)
    gate.open()
    for i, seen in enumerate(read_all(clients)):
        assert seen.status == 206 and seen.body == piece("v1", at + i, at + SLICE + i)
    assert len(origin.asked()) == 1


def test_a_hundred_want_the_same_missing_slice(origin, small):
    size = 40 * SLICE
    thing = Thing(size)
    origin.on("/a", thing)
    small.get("/a", ("Range", f"bytes=0-{SLICE - 1}"))
    small.wait_stored(2)
    thing.gates[20 * SLICE + 65536] = gate = Gate()
    clients = [small.client() for _ in range(100)]
    for i, client in enumerate(clients):
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes=%d-%d\r\n\r\n" % (20 * SLICE + i, 20 * SLICE + 2 * i))
    small.wait(lambda s: s["proxy.requests"] == 101)
    gate.open()
    for i, seen in enumerate(read_all(clients)):
        assert seen.status == 206 and seen.body == piece("v1", 20 * SLICE + i, 20 * SLICE + 2 * i)
    assert [r.get("Range") for r in origin.asked()][1:] == [f"bytes={20 * SLICE}-{21 * SLICE - 1}"]


def test_a_slow_client_holds_few_slices(origin, small):
    """The fetch waits for it: what the kernel's buffers do not take is not fetched."""
    size = 400 * SLICE
    origin.on("/a", Thing(size))
    client = small.client()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    assert client.reader.head().status == 200
    stats = small.wait(lambda s: s["store.appends"] > 2)
    assert stats["cache.slices_in_memory"] <= 8
    other = small.get("/a", ("Range", f"bytes=0-{3 * SLICE}"))
    assert other.body == piece("v1", 0, 3 * SLICE)
    client.close()
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)


# ── who leaves, what breaks ──


def test_the_first_client_leaves_and_others_go_on(origin, small):
    size = 8 * SLICE
    thing = Thing(size)
    thing.gates[SLICE + 65536] = gate = Gate()
    origin.on("/a", thing)
    leader = small.client()
    leader.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    assert leader.reader.head().status == 200 and leader.reader.exactly(SLICE)
    gate.wait()
    follower = small.client()
    follower.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    assert follower.reader.head().status == 200
    got = follower.reader.exactly(SLICE + 65536)  # it has come to where the origin holds
    leader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    leader.close()
    small.wait(lambda s: s["proxy.client_gone"] == 1)
    gate.open()
    assert got + follower.reader.exactly(size - len(got)) == body("v1", size)
    follower.close()
    assert len(origin.asked()) == 1


def test_nobody_is_left_and_the_slice_is_still_stored(origin, small):
    size = 40 * SLICE
    thing = Thing(size)
    thing.gates[SLICE + 65536] = gate = Gate()
    origin.on("/a", thing)
    with small.client() as leader:
        leader.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        assert leader.reader.head().status == 200 and leader.reader.exactly(SLICE)
        gate.wait()
        leader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    small.wait(lambda s: s["proxy.client_gone"] == 1)
    gate.open()
    small.wait(lambda s: s["store.objects"] == 3 and s["cache.slices_in_memory"] == 0)
    small.wait(lambda s: s["origin.connections"] == 0)  # the rest was not fetched
    check(small.get("/a"), "v1", size)
    assert [r.get("Range") for r in origin.asked()] == [None, f"bytes={2 * SLICE}-{size - 1}"]


@pytest.mark.parametrize("kind", [Thing, Chunked])
def test_an_origin_that_dies_is_seen_and_whole_slices_stay(origin, small, kind):
    size = 8 * SLICE
    thing = kind(size)
    thing.cuts[3 * SLICE + 65536] = True
    origin.on("/a", thing)
    seen = small.get("/a")
    assert not seen.whole and seen.body == piece("v1", 0, 3 * SLICE + 65535)[:len(seen.body)]
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    thing.cuts.clear()
    check(small.get("/a"), "v1", size)
    assert origin.asked()[1].get("Range") == (f"bytes={3 * SLICE}-{size - 1}" if kind is Thing else None)


def test_head_of_a_long_body(origin, small):
    size = 8 * SLICE
    origin.on("/a", Thing(size))
    for _ in range(2):
        seen = small.ask("HEAD", "/a")
        assert seen.status == 200 and seen.get("Content-Length") == str(size)
    check(small.get("/a"), "v1", size)


def test_purge_takes_the_whole(origin, small):
    size = 5 * SLICE
    origin.on("/a", Thing(size))
    small.get("/a")
    small.wait_stored(6)
    assert small.purge("/a") == 1
    origin.on("/a", Thing(size, "v2"))
    check(small.get("/a"), "v2", size)


def test_purge_while_it_arrives(origin, small):
    size = 5 * SLICE
    thing = Thing(size)
    thing.gates[SLICE + 65536] = gate = Gate()
    origin.on("/a", thing)
    leader = small.client()
    leader.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait()
    small.wait(lambda s: s["store.appends"] >= 2)  # a slice is still on its way
    small.purge("/a")
    origin.on("/a", Thing(size, "v2"))
    check(small.get("/a"), "v2", size)
    gate.open()
    check(leader.reader.answer(), "v1", size)
    leader.close()
    check(small.get("/a"), "v2", size)
    assert len(origin.asked()) == 2


def test_revalidation_keeps_the_slices(origin, small):
    size = 5 * SLICE
    thing = Thing(size)

    def handler(exchange):
        if exchange.request.get("If-None-Match") == '"v1"':
            exchange.answer(304, [("ETag", '"v1"'), ("Cache-Control", "max-age=60")])
        else:
            exchange.head(200, [("ETag", '"v1"'), ("Cache-Control", "no-cache"), ("Content-Length", str(size))])
            thing.send(exchange, 0, size - 1)

    origin.on("/a", handler)
    check(small.get("/a"), "v1", size)
    small.wait_stored(6)
    check(small.get("/a"), "v1", size)
    small.wait_stored(7)  # the head with its new lifetime
    check(small.get("/a"), "v1", size)
    assert len(origin.asked()) == 2


def test_variants_are_sliced_each_for_itself(origin, small):
    size = 3 * SLICE

    def handler(exchange):
        name = exchange.request.get("X-Kind")
        Thing(size, name, [("ETag", f'"{name}"'), ("Vary", "X-Kind")])(exchange)

    origin.on("/a", handler)
    for _ in range(2):
        for name in ("one", "two"):
            seen = small.get("/a", ("X-Kind", name))
            check(seen, name, size)
            small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert len(origin.asked()) == 2
