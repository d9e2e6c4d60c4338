"""An origin that ignores Range although its validator is strong: the whole that it sends is still the representation that is stored."""

import socket

import pytest

from origin import Gate
from test_slices import SLICE, Chunked, Thing, check, piece, small  # noqa: F401
from test_slices_herd import ask, follow

SIZE = 6 * SLICE + 9


def stored_in_the_middle(origin, small, kind=Thing):  # noqa: F811
    """Slices 2 and 3 are stored; from now on the origin answers every request with the whole."""
    thing = kind(SIZE)
    origin.on("/a", thing)
    small.store("/a", ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"), appends=3)
    thing.ranges = False
    return thing


def asked(origin):
    return [r.get("Range") for r in origin.asked()][1:]


@pytest.mark.parametrize("kind", [Thing, Chunked])
def test_what_is_missing_is_taken_from_the_whole(origin, small, kind):  # noqa: F811
    stored_in_the_middle(origin, small, kind)
    check(small.get("/a"), "v1", SIZE)
    assert asked(origin) == [f"bytes=0-{2 * SLICE - 1}", f"bytes={4 * SLICE}-{SIZE - 1}"]
    assert small.stats()["proxy.invalidations"] == 0
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    check(small.get("/a"), "v1", SIZE)
    assert len(asked(origin)) == 2


def test_a_reader_in_the_middle_gets_its_range(origin, small):  # noqa: F811
    stored_in_the_middle(origin, small)
    first, last = 3 * SLICE + 7, 5 * SLICE + 7
    seen = small.get("/a", ("Range", f"bytes={first}-{last}"))
    assert seen.status == 206 and seen.whole and seen.body == piece("v1", first, last)
    assert small.stats()["proxy.cut"] == 0


def test_a_slow_reader_gets_all_though_its_slices_were_evicted(origin, small):  # noqa: F811
    size = 16 << 20
    origin.on("/a", Thing(size, ranges=False))
    slow = ask(small, 0, size - 1)
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    assert slow.reader.head().status == 206
    with ask(small, 0, size - 1) as fast:
        assert fast.reader.head().status == 206
        assert follow(fast, "v1", 0, size) == size
    small.wait(lambda s: s["store.evicted"] > 0)
    assert follow(slow, "v1", 0, size) == size
    slow.close()
    assert small.stats()["proxy.invalidations"] == 0


def test_it_is_not_asked_for_in_vain_again(origin, small):  # noqa: F811
    """Once it is known, what is missing is fetched as the whole, and stored so."""
    stored_in_the_middle(origin, small)
    before = small.stats()["store.appends"]
    seen = small.get("/a", ("Range", f"bytes=0-{SLICE - 1}"))
    assert seen.status == 206 and seen.body == piece("v1", 0, SLICE - 1)
    small.wait(lambda s: s["store.appends"] == before + 2 and s["cache.slices_in_memory"] == 0)  # a slice, and the head
    check(small.get("/a"), "v1", SIZE)
    assert asked(origin) == [f"bytes=0-{SLICE - 1}", None]


def test_another_length_is_another_body(origin, small):  # noqa: F811
    """A tag is kept, though the body is not: what is stored is not continued with it."""
    thing = stored_in_the_middle(origin, small)
    thing.size = SIZE + SLICE
    check(small.get("/a"), "v1", SIZE + SLICE)
    assert asked(origin)[1:] == [None]


def test_nothing_is_skipped_for_nobody(origin, small):  # noqa: F811
    """What stands before the slice that was asked for is not fetched to the end when its client has left."""
    thing = stored_in_the_middle(origin, small)
    gate = thing.gates[SLICE] = Gate()
    before = small.stats()["origin.bytes_in"]
    with ask(small, 5 * SLICE, SIZE - 1):
        gate.wait()
    small.wait(lambda s: s["proxy.requests_active"] == 0)
    gate.open()
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert small.stats()["origin.bytes_in"] - before < 2 * SLICE
    thing.gates.clear()
    check(small.get("/a"), "v1", SIZE)
