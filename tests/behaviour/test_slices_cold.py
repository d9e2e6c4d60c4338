"""Slices whose pages are not in memory are read by threads of the store, and slow readers of slices hold nothing up: as in
test_cold.py for whole objects.

A store of 64 MB has slices of 512 KiB here, one of 16 MB on two workers such of 256 KiB.
"""

import glob
import os

import pytest

from test_cold import SlowReader, churn, drop_pages, shards, store  # noqa: F401
from test_slices import Chunked, Thing, body, check, piece
from wire import compose

SLICE = 512 * 1024


def worker_faults(larder):
    """Pages for which a worker had to wait for the disk: /proc/PID/task/TID/stat, field 12."""
    faults = 0
    for name in glob.glob(f"/proc/{larder.process.pid}/task/*/stat"):
        with open(name) as file:
            head, _, fields = file.read().rpartition(")")
        if "(larder-w" in head:
            faults += int(fields.split()[9])
    return faults


def stored_before(origin, start, store, *things):  # noqa: F811
    """A larder that finds in its store what an earlier run has put there, and has not looked at it."""
    first = start("--cache", store, "64M")
    records = 0
    for i, thing in enumerate(things):
        origin.on(f"/{i}", thing)
        first.store(f"/{i}", appends=-(-thing.size // SLICE) + 1)
        records += -(-thing.size // SLICE) + 1
    assert first.stats()["store.appends"] == records and first.stop() == 0
    larder = start("--cache", store, "64M")
    larder.wait(lambda s: s["store.recovered"] == records)
    drop_pages(store)
    return larder


def test_cold_slices_are_read_by_threads(origin, start, store):  # noqa: F811
    count, size = 20, 20 * SLICE - 77
    larder = stored_before(origin, start, store, Thing(size), Thing(3 * SLICE))
    check(larder.get("/1"), "v1", 3 * SLICE)  # the program's own pages are in memory now
    before, read, asked = worker_faults(larder), larder.stats()["store.cold_reads"], len(origin.asked())
    seen = larder.get("/0")
    check(seen, "v1", size)
    assert seen.get("Cache-Status").startswith("larder;hit") and len(origin.asked()) == asked
    assert larder.stats()["store.cold_reads"] - read == count + 1
    # Each slice has 128 cold pages; what a worker waits for here could only be a page of the program's own.
    assert worker_faults(larder) - before < count / 4


def test_a_slice_that_went_cold_is_read_once(origin, start, store):  # noqa: F811
    """What a run has written itself, and nobody has read from the store: the kernel says that it is not in memory."""
    size = 12 * SLICE
    larder = start("--cache", store, "64M", workers=1)
    origin.on("/0", Thing(size))
    larder.store("/0", appends=13)
    drop_pages(store)
    known, before = larder.stats()["store.cold_reads"], worker_faults(larder)
    check(larder.get("/0"), "v1", size)
    reads = larder.stats()["store.cold_reads"]
    assert known + 10 <= reads <= known + 13  # a slice or two may have been mapped while they came
    assert worker_faults(larder) - before < 12
    check(larder.get("/0"), "v1", size)
    assert larder.stats()["store.cold_reads"] == reads and len(origin.asked()) == 1


def test_many_readers_of_cold_slices_share_their_reads(origin, start, store):  # noqa: F811
    size = 6 * SLICE
    larder = stored_before(origin, start, store, Thing(size))
    clients = [larder.client() for _ in range(30)]
    for client in clients:
        client.send(compose("GET", "/0"))
    for client in clients:
        check(client.reader.answer(), "v1", size)
        client.close()
    # Of each worker; who comes later finds the pages in memory, but for sums that the other worker has not seen proved.
    assert larder.stats()["store.cold_reads"] <= 2 * 7
    assert len(origin.asked()) == 1


def test_ranges_of_cold_slices(origin, start, store):  # noqa: F811
    size = 8 * SLICE
    larder = stored_before(origin, start, store, Thing(size))
    seen = larder.get("/0", ("Range", f"bytes={5 * SLICE + 7}-{6 * SLICE + 3}"))
    assert seen.status == 206 and seen.body == piece("v1", 5 * SLICE + 7, 6 * SLICE + 3)
    assert larder.stats()["store.cold_reads"] == 3  # the head and two slices
    assert larder.get("/0", ("Range", "bytes=-5")).body == piece("v1", size - 5, size - 1)
    seen = larder.get("/0", ("Range", f"bytes=5-9,{2 * SLICE - 3}-{2 * SLICE + 3}"))
    assert seen.status == 206 and piece("v1", 5, 9) in seen.body
    assert piece("v1", 2 * SLICE - 3, 2 * SLICE + 3) in seen.body
    assert larder.ask("HEAD", "/0").get("Content-Length") == str(size)
    assert larder.stats()["store.cold_reads"] == 3 + 1 + 3 and len(origin.asked()) == 1


def test_cold_slices_are_not_missing_ones(origin, start, store):  # noqa: F811
    """Slices 2 and 3 are stored and cold: what is before and behind them is asked for, they are not."""
    size = 6 * SLICE + 9
    first = start("--cache", store, "64M")
    origin.on("/a", Thing(size))
    first.store("/a", ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"), appends=3)
    assert first.stop() == 0
    larder = start("--cache", store, "64M")
    larder.wait(lambda s: s["store.recovered"] == 3)
    drop_pages(store)
    check(larder.get("/a"), "v1", size)
    assert [r.get("Range") for r in origin.asked()][1:] == [f"bytes=0-{2 * SLICE - 1}", f"bytes={4 * SLICE}-{size - 1}"]
    assert larder.stats()["store.cold_reads"] == 3


@pytest.mark.parametrize("kind", [Thing, Chunked])
def test_cold_slices_that_cannot_be_asked_for_again(origin, start, store, kind):  # noqa: F811
    """Whether they are all there is said by the index: none is read for that."""
    size = 9 * SLICE
    larder = stored_before(origin, start, store, kind(size, fields=[("X-None", "1")]))
    seen = larder.get("/0", ("Range", "bytes=3-7"))
    assert seen.status == 206 and seen.body == piece("v1", 3, 7)
    assert larder.stats()["store.cold_reads"] == 2
    check(larder.get("/0"), "v1", size)
    assert larder.stats()["store.cold_reads"] == 10 and len(origin.asked()) == 1


def test_a_client_that_leaves_while_its_slice_is_read(origin, start, store):  # noqa: F811
    size = 8 * SLICE
    larder = stored_before(origin, start, store, Thing(size))
    for i in range(8):
        client = larder.client()
        client.send(compose("GET", "/0", [("Range", f"bytes={i * SLICE}-")]))
        client.close()
    check(larder.get("/0"), "v1", size)
    larder.wait(lambda s: s["proxy.requests_active"] == 0)
    assert len(origin.asked()) == 1


def test_a_file_that_is_cut_under_cold_slices(origin, start, store):  # noqa: F811
    """What cannot be read is missing, and fetched."""
    size = 8 * SLICE
    larder = stored_before(origin, start, store, Thing(size), Thing(2 * SLICE))
    check(larder.get("/1"), "v1", 2 * SLICE)
    for _ in range(2):
        for name in shards(store):
            os.truncate(name, 0)
        check(larder.get("/0"), "v1", size)
    assert larder.process.poll() is None and len(origin.asked()) > 2
    larder.wait(lambda s: s["store.damaged"] > 0)


# ── slow readers ──


def are_few_pinned(stats):
    """Up to a twentieth of the segments may wait for leases."""
    return stats["store.segments_pinned"] * 20 <= stats["store.segments"]


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_slow_readers_of_slices_hold_nothing_up(origin, start, store, kind):  # noqa: F811
    """Each holds one slice, of which it is given a copy when that must go. What it comes to later is stored, or fetched anew."""
    objects, readers, size = 8, 160, 700_000
    # A slice that lies in the last segment of its log stays there, and so do its readers: 20 for each such slice.
    most = readers // 2
    place = ("--cache", store, "32M") if kind == "disk" else ()
    larder = start(*place, ram="32M")
    for i in range(objects):
        origin.on(f"/{i}", Thing(size, f"v{i}"))
        larder.store(f"/{i}", appends=3)
    slow = [SlowReader(larder, f"/{i % objects}") for i in range(readers)]
    for reader in slow:
        while reader.length is None:
            reader.read(100)
    stats = larder.stats()
    assert stats["proxy.requests_active"] == readers
    for i in range(3000):
        churn(origin, larder, f"/churn-{i}", 150_000)
        slow[i % readers].read(1 if i % 3 else 30_000)  # some of them go on to another slice meanwhile
        stats = larder.stats()
        if stats["store.leases_moved"] >= most and are_few_pinned(stats):
            break
    assert stats["store.leases_moved"] >= most and are_few_pinned(stats)
    assert stats["store.evicted"] > 0
    assert all([churn(origin, larder, f"/after-{i}", 150_000) for i in range(240)])  # more than it holds
    assert are_few_pinned(larder.stats())
    for i, reader in enumerate(slow):
        assert reader.drain() == body(f"v{i % objects}", size), i
    larder.wait(lambda s: s["proxy.requests_active"] == 0)
