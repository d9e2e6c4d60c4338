"""Long bodies under many readers at once, of all kinds, while the store turns over: every byte is right, or the answer is seen to be cut."""

import os
import random
import socket
import threading

import pytest

from test_slices import PERIOD, SLICE, Chunked, Thing, pattern, piece, small  # noqa: F401

# Bytes of the body that is longer than its store; ten gigabytes in the long form (./dev slices).
LONG = int(os.environ.get("LARDER_LONG_BODY", 64 << 20))


def follow(client, name, first, size, pace=lambda at: None):
    """Reads a body of known length and compares each byte with what should stand there; says how many came."""
    twice = memoryview(pattern(name) * 34)
    buffer = memoryview(bytearray(32 * PERIOD))
    at = len(client.reader.held)
    assert client.reader.held == piece(name, first, first + at - 1)
    while at < size:
        pace(at)
        try:
            got = client.sock.recv_into(buffer[:size - at])
        except ConnectionResetError:
            return at
        if got == 0:
            return at
        start = (first + at) % PERIOD
        assert buffer[:got] == twice[start:start + got], f"wrong bytes in {first + at} to {first + at + got}"
        at += got
    return at


def ask(larder, first=None, last=None):
    client = larder.client()
    span = f"Range: bytes={first}-{last}\r\n" if first is not None else ""
    client.send(f"GET /a HTTP/1.1\r\nHost: test\r\n{span}\r\n".encode())
    return client


def test_a_body_much_longer_than_the_store(origin, small):  # noqa: F811
    origin.on("/a", Thing(LONG))
    for _ in range(2):
        with ask(small) as client:
            head = client.reader.head()
            assert head.status == 200 and head.get("Content-Length") == str(LONG)
            assert follow(client, "v1", 0, LONG) == LONG
    at = LONG - 3 * SLICE - 5
    with ask(small, at, LONG - 1) as client:
        assert client.reader.head().status == 206
        assert follow(client, "v1", at, LONG - at) == LONG - at
    stats = small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert stats["store.evicted"] > 0 and stats["proxy.cut"] == 0


@pytest.mark.parametrize("kind", [Thing, Chunked])
def test_fast_and_slow_readers_share_one_fetch(origin, start, kind):
    """The store has room for the body: whoever is slow reads from there. Slow ones read a little, then wait for a fast one."""
    larder = start(ram="64M")
    size = 16 << 20
    thing = kind(size)
    origin.on("/a", thing)
    go = threading.Event()
    failed = []

    def read(i):
        try:
            with ask(larder) as client:
                head = client.reader.head()
                if i % 2:
                    go.wait(60)
                if kind is Chunked and head.get("Content-Length") is None:
                    client.reader.body(head, "GET")
                    assert head.whole and head.body == piece("v1", 0, size - 1)
                else:
                    assert follow(client, "v1", 0, size) == size
            if i % 2 == 0:
                go.set()
        except BaseException as error:  # an assertion in a thread is the test's
            failed.append(error)
            raise

    threads = [threading.Thread(target=read, args=(i,)) for i in range(8 if kind is Chunked else 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(origin.asked()) == 1
    larder.wait(lambda s: s["cache.slices_in_memory"] == 0)


@pytest.mark.parametrize("seed", range(3))
def test_all_kinds_of_readers_over_a_store_that_turns_over(origin, small, seed):  # noqa: F811
    """Whole and in ranges, slow and fast, some leave: 8 MB of store, 16 MB of body, so slices vanish under their feet."""
    size = 16 << 20
    origin.on("/a", Thing(size))
    failed = []

    def read(dice):
        for _ in range(2):
            first = dice.randrange(size) if dice.random() < 0.7 else 0
            last = min(size - 1, first + dice.choice([10, SLICE, 5 * SLICE, size]))
            leaves = first + dice.randrange(last - first + 1) if dice.random() < 0.3 else None
            with ask(small, first, last) as client:
                if dice.random() < 0.3:
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                assert client.reader.head().status == 206
                size_wanted = (last if leaves is None else leaves) - first + 1
                assert follow(client, "v1", first, size_wanted) >= size_wanted  # more may have come with the head
                if leaves is not None:
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def run(i):
        try:
            read(random.Random(1000 * seed + i))
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=run, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    stats = small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert stats["proxy.cut"] == 0


def test_a_store_that_takes_nothing_costs_no_answer(origin, small):  # noqa: F811
    """Slow readers hold every segment: what is fetched then finds no place, and is answered all the same."""
    size = 28 * SLICE
    origin.on("/a", Thing(size))
    small.get("/a")
    small.wait_stored(29)
    holding = []
    for number in range(28):
        client = ask(small, number * SLICE, size - 1)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert client.reader.head().status == 206
        holding.append(client)
    origin.on("/b", Thing(size, "v2"))
    for _ in range(2):
        seen = small.get("/b")
        assert seen.whole and seen.body == piece("v2", 0, size - 1)
    for client in holding:
        client.close()
