"""Records whose pages are not in memory: threads of the store read them, workers never wait for the disk.

The pages of a shard's file are dropped from outside (fsync, then POSIX_FADV_DONTNEED); that spares those that a process
has mapped and touched, so what is to be cold is dropped before its first hit, or after a restart.
"""

import glob
import hashlib
import os
import random
import socket
import zlib

import pytest

from origin import cacheable
from wire import Reader, compose

HOUR = 3600


def shards(store):
    return sorted(glob.glob(os.path.join(store, "shard-*.dat")))


def drop_pages(store):
    for name in shards(store):
        fd = os.open(name, os.O_RDWR)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def major_faults(larder):
    """Of all threads: /proc/PID/task/TID/stat, field 12; the command's name may have spaces."""
    sum_of_all = 0
    for name in glob.glob(f"/proc/{larder.process.pid}/task/*/stat"):
        with open(name) as file:
            sum_of_all += int(file.read().rpartition(")")[2].split()[9])
    return sum_of_all


def body_of(number, size):
    return random.Random(number).randbytes(size)


@pytest.fixture
def store(tmp_path):
    path = str(tmp_path / "store")
    probe = str(tmp_path / "probe")
    if os.statvfs(tmp_path).f_blocks == 0:
        pytest.skip("no disk")
    with open(probe, "wb") as file:
        file.write(b"x")
    return path


def fill(origin, larder, count, size):
    for i in range(count):
        origin.on(f"/{i}", cacheable(body_of(i, size), seconds=HOUR))
        assert larder.get(f"/{i}").body == body_of(i, size)
    larder.wait_stored(count)


def test_what_is_cold_after_a_start_is_read_by_threads(origin, start, store):
    count, size = 60, 40_000
    first = start("--cache", store, "64M")
    fill(origin, first, count, size)
    assert first.stop() == 0
    larder = start("--cache", store, "64M")
    larder.wait(lambda s: s["store.recovered"] == count)
    drop_pages(store)
    before, asked = major_faults(larder), len(origin.asked())
    for i in range(count):
        answer = larder.get(f"/{i}")
        assert answer.body == body_of(i, size) and answer.get("Cache-Status").startswith("larder;hit")
    assert len(origin.asked()) == asked
    stats = larder.stats()
    assert stats["store.cold_reads"] == count
    assert stats["store.cold_bytes"] >= count * size
    # Each of them has ten cold pages; a few faults may be the program's own (its text, paged in).
    assert major_faults(larder) - before < count / 2
    assert stats["proxy.major_faults"] < count / 2


def test_a_cold_record_is_read_once(origin, start, store):
    larder = start("--cache", store, "64M", workers=1)
    fill(origin, larder, 8, 100_000)
    drop_pages(store)
    for i in range(8):
        assert larder.get(f"/{i}").body == body_of(i, 100_000)
    reads = larder.stats()["store.cold_reads"]
    assert reads == 8
    for i in range(8):
        assert larder.get(f"/{i}").body == body_of(i, 100_000)
    assert larder.stats()["store.cold_reads"] == reads
    assert len(origin.asked()) == 8


def test_many_clients_of_one_cold_record_share_its_read(origin, start, store):
    larder = start("--cache", store, "64M", workers=1)
    fill(origin, larder, 1, 200_000)
    drop_pages(store)
    clients = [larder.client() for _ in range(40)]
    for client in clients:
        client.send(compose("GET", "/0"))
    for client in clients:
        assert client.reader.answer().body == body_of(0, 200_000)
        client.close()
    assert larder.stats()["store.cold_reads"] == 1
    assert len(origin.asked()) == 1


def test_conditions_ranges_and_heads_of_cold_records(origin, start, store):
    larder = start("--cache", store, "64M")
    body = body_of(1, 50_000)
    for name in ("range", "head", "condition"):
        origin.on(f"/{name}", cacheable(body, ("ETag", '"1"'), seconds=HOUR))
        larder.get(f"/{name}")
    larder.wait_stored(3)
    drop_pages(store)
    part = larder.get("/range", ("Range", "bytes=1000-1999"))
    assert part.status == 206 and part.body == body[1000:2000]
    assert larder.ask("HEAD", "/head").get("Content-Length") == "50000"
    assert larder.get("/condition", ("If-None-Match", '"1"')).status == 304
    assert larder.stats()["store.cold_reads"] == 3
    assert len(origin.asked()) == 3


def test_a_cold_variant_is_found_behind_its_cold_marker(origin, start, store):
    def by_language(x):
        text = (x.request.get("Accept-Language") or "none").encode()
        x.answer(200, [("Cache-Control", f"max-age={HOUR}"), ("Vary", "Accept-Language")], text * 5000)

    first = start("--cache", store, "64M", workers=1)
    origin.on("/v", by_language)
    for i, language in enumerate(("de", "fr")):
        first.get("/v", ("Accept-Language", language))
        first.wait_stored(i + 1)
    assert first.stop() == 0
    larder = start("--cache", store, "64M", workers=1)
    larder.wait(lambda s: s["store.recovered"] >= 3)
    drop_pages(store)
    for language in ("de", "fr"):
        assert larder.get("/v", ("Accept-Language", language)).body == language.encode() * 5000
    assert len(origin.asked()) == 2
    assert larder.stats()["store.cold_reads"] >= 3


def test_what_is_stale_and_cold_is_validated(origin, start, store):
    def changing(x):
        if x.request.get("If-None-Match") == '"1"':
            return x.answer(304, [("Cache-Control", f"max-age={HOUR}"), ("ETag", '"1"')])
        x.answer(200, [("Cache-Control", "max-age=0"), ("ETag", '"1"')], body_of(5, 30_000))

    larder = start("--cache", store, "64M")
    origin.on("/s", changing)
    larder.get("/s")
    larder.wait_stored()
    drop_pages(store)
    assert larder.get("/s").body == body_of(5, 30_000)
    assert [r.get("If-None-Match") for r in origin.asked("/s")] == [None, '"1"']
    assert larder.stats()["store.cold_reads"] >= 1


def test_a_client_that_leaves_while_its_record_is_read(origin, start, store):
    larder = start("--cache", store, "64M")
    fill(origin, larder, 30, 100_000)
    drop_pages(store)
    for i in range(30):
        client = larder.client()
        client.send(compose("GET", f"/{i}"))
        client.close()
    for i in range(30):
        assert larder.get(f"/{i}").body == body_of(i, 100_000)
    larder.wait(lambda s: s["proxy.requests_active"] == 0)


# ── the file is cut under us ──


def test_a_file_that_is_cut_costs_hits_and_nothing_else(origin, start, store):
    first = start("--cache", store, "64M")
    fill(origin, first, 20, 30_000)
    assert first.stop() == 0
    larder = start("--cache", store, "64M")
    larder.wait(lambda s: s["store.recovered"] == 20)
    for i in range(10):  # these are known to be in memory
        assert larder.get(f"/{i}").get("Cache-Status").startswith("larder;hit")
    for name in shards(store):
        os.truncate(name, 0)
    for i in range(20):
        answer = larder.get(f"/{i}")
        assert answer.body == body_of(i, 30_000)
        assert answer.get("Cache-Status").startswith("larder;fwd=uri-miss")
    assert larder.process.poll() is None
    larder.wait(lambda s: s["store.damaged"] > 0)


def test_a_file_that_is_cut_while_a_body_is_sent(origin, start, store):
    larder = start("--cache", store, "64M")
    body = body_of(3, 900_000)
    origin.on("/big", cacheable(body, seconds=HOUR))
    origin.on("/other", cacheable(b"other"))
    larder.store("/big")
    slow = SlowReader(larder, "/big")
    slow.read(1000)
    for name in shards(store):
        os.truncate(name, 0)
    got = slow.drain()  # what comes is right; that it ends is all that can be done
    assert len(got) < len(body) and body.startswith(got)
    assert larder.get("/other").body == b"other"
    assert larder.process.poll() is None


# ── slow readers ──


class SlowReader:
    """A client with a small window, whose answer's body is read in small pieces."""

    def __init__(self, larder, target):
        self.sock = socket.socket()
        self.sock.settimeout(60)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # else loopback's buffers take a megabyte
        self.sock.connect(larder.address)
        self.sock.sendall(compose("GET", target, [("Connection", "close")]))
        self.got = b""
        self.length = None

    def read(self, size):
        data = self.sock.recv(size)
        self.got += data
        if self.length is None and b"\r\n\r\n" in self.got:
            head, _, self.got = self.got.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            assert b"larder;hit" in head, head
            self.length = True
        return data

    def drain(self):
        try:
            while self.read(65536):
                pass
        except ConnectionResetError:
            pass
        self.sock.close()
        return self.got


def churn(origin, larder, name, size):
    """Stores one more object, and says whether the store took it."""
    before = larder.stats()
    origin.on(name, cacheable(body_of(zlib.crc32(name.encode()), size), seconds=HOUR))
    larder.get(name)
    after = larder.wait(
        lambda s: s["store.appends"] + s["store.append_failed"] > before["store.appends"] + before["store.append_failed"]
    )
    return after["store.appends"] > before["store.appends"]


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_slow_readers_hold_nothing_up(origin, start, store, kind):
    objects, readers, size = 25, 200, 200_000
    place = ("--cache", store, "32M") if kind == "disk" else ()
    larder = start(*place, ram="32M")
    fill(origin, larder, objects, size)
    sums = [hashlib.sha256(body_of(i, size)).digest() for i in range(objects)]
    slow = [SlowReader(larder, f"/{i % objects}") for i in range(readers)]
    for reader in slow:
        while reader.length is None:
            reader.read(100)
    # Their segments are emptied one after the other, and cannot be used again until copies are made.
    for i in range(3000):
        churn(origin, larder, f"/churn-{i}", 150_000)
        slow[i % readers].read(1)
        stats = larder.stats()
        if stats["store.leases_moved"] >= stats["proxy.requests_active"]:
            break
    # An answer that the kernel's buffers took whole is over, and holds nothing; nearly all are longer than those.
    assert stats["store.leases_moved"] >= stats["proxy.requests_active"] > readers / 2
    assert stats["store.evicted"] > 0
    assert all([churn(origin, larder, f"/after-{i}", 150_000) for i in range(240)])  # more than it holds
    assert larder.stats()["store.segments_pinned"] == 0
    for i, reader in enumerate(slow):
        reader.read(1)
        assert hashlib.sha256(reader.drain()).digest() == sums[i % objects]
    larder.wait(lambda s: s["proxy.requests_active"] == 0)
