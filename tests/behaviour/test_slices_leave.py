"""Who leads a fetch of slices leaves, and somebody reads behind it what has landed in the store.

What cannot be asked for in pieces is only whole for that reader while the fetch goes on.
"""

import socket

import pytest

from origin import Gate
from test_slices import Chunked, Thing, piece

MIB = 1 << 20
SIZE = 24 * MIB


def leave(client):
    """Breaks the connection with RST."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


def begin(larder):
    client = larder.client()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    head = client.reader.head()
    assert head.status == 200
    return client, head


def read_chunked(client, size):
    """At least so many bytes of a chunked body, in whole chunks."""
    got = bytearray()
    while len(got) < size:
        length = int(client.reader.line(), 16)
        if length == 0:
            break
        got += client.reader.exactly(length)
        assert client.reader.exactly(2) == b"\r\n"
    return bytes(got)


@pytest.mark.parametrize("kind", ["of unknown length", "without a validator"])
def test_the_leader_leaves_and_who_reads_from_the_store_gets_all(origin, start, kind):
    """The follower is many slices behind the fetch: what it reads is stored, and what it will read only comes if the fetch goes on."""
    larder = start(ram="64M")
    known = kind != "of unknown length"
    thing = Thing(SIZE, fields=[("X-None", "1")], ranges=False) if known else Chunked(SIZE, ranges=False)
    thing.gates[20 * MIB + 65536] = gate = Gate()
    origin.on("/a", thing)

    def read(client, size):
        return client.reader.exactly(size) if known else read_chunked(client, size)

    leader, _ = begin(larder)
    assert read(leader, 20 * MIB)
    gate.wait()
    larder.wait(lambda s: s["store.appends"] >= 8)
    follower, _ = begin(larder)
    got = read(follower, 3 * MIB)
    leave(leader)
    larder.wait(lambda s: s["proxy.client_gone"] == 1)
    gate.open()
    got += read(follower, SIZE - len(got))
    assert got == piece(thing.name, 0, SIZE - 1)
    follower.close()
    assert len(origin.asked()) == 1
