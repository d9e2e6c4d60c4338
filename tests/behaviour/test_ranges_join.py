"""A range of what is being fetched as a whole comes from that fetch."""

import threading

import pytest

from origin import Gate
from test_slices import SLICE, Chunked, Thing, check, piece, small  # noqa: F401

SIZE = 100_000


class Asking(threading.Thread):
    def __init__(self, larder, *fields):
        super().__init__()
        self.larder, self.fields = larder, fields
        self.start()

    def run(self):
        self.seen = self.larder.get("/a", *self.fields)

    def end(self):
        self.join()
        return self.seen


def under_way(origin, larder, thing, at=0):
    """Somebody has asked for the whole, and the origin holds: before its head, or before byte `at`."""
    gate = Gate()
    if at:
        thing.gates[at] = gate
        origin.on("/a", thing)
    else:
        def handler(exchange):
            gate.hold()
            thing(exchange)
        origin.on("/a", handler)
    whole = Asking(larder)
    gate.wait()
    if at:
        larder.wait(lambda s: s["origin.bytes_in"] >= at)
    return whole, gate


@pytest.mark.parametrize("at", [0, 1000, 70_000])
def test_ranges_join_the_whole(origin, larder, at):
    whole, gate = under_way(origin, larder, Thing(SIZE), at)
    wanted = {"bytes=0-9": (0, 9), "bytes=50000-60000": (50000, 60000), "bytes=-10": (SIZE - 10, SIZE - 1),
              "bytes=99000-": (99000, SIZE - 1)}
    asking = {spec: Asking(larder, ("Range", spec)) for spec in wanted}
    outside = Asking(larder, ("Range", f"bytes={SIZE}-"))
    larder.wait(lambda s: s["proxy.followers"] == 5)
    gate.open()
    check(whole.end(), "v1", SIZE)
    for spec, (first, last) in wanted.items():
        seen = asking[spec].end()
        assert (seen.status, seen.get("Content-Range")) == (206, f"bytes {first}-{last}/{SIZE}")
        assert seen.whole and seen.body == piece("v1", first, last)
    assert outside.end().status == 416
    assert len(origin.asked()) == 1


def test_what_is_there_already_does_not_wait(origin, larder):
    whole, gate = under_way(origin, larder, Thing(SIZE), 70_000)
    seen = larder.get("/a", ("Range", "bytes=10-60000"))
    assert seen.status == 206 and seen.body == piece("v1", 10, 60000)
    gate.open()
    check(whole.end(), "v1", SIZE)
    assert len(origin.asked()) == 1


@pytest.mark.parametrize("condition, status", [('"v1"', 206), ('"v0"', 200)])
def test_if_range_is_asked_of_what_comes(origin, larder, condition, status):
    whole, gate = under_way(origin, larder, Thing(SIZE))
    part = Asking(larder, ("Range", "bytes=5-9"), ("If-Range", condition))
    larder.wait(lambda s: s["proxy.followers"] == 1)
    gate.open()
    seen = part.end()
    assert seen.status == status and seen.body == (piece("v1", 5, 9) if status == 206 else piece("v1", 0, SIZE - 1))
    check(whole.end(), "v1", SIZE)
    assert len(origin.asked()) == 1


def test_a_whole_of_unknown_length_is_not_waited_for(origin, larder):
    """Who has waited for its head asks for the range, and so does who comes later."""
    thing = Chunked(SIZE)
    thing.gates[70_000] = later = Gate()
    whole, gate = under_way(origin, larder, thing)
    part = Asking(larder, ("Range", "bytes=5-9"))
    larder.wait(lambda s: s["proxy.followers"] == 1)
    origin.on("/a", thing)
    gate.open()
    seen = part.end()
    assert seen.status == 206 and seen.body == piece("v1", 5, 9)
    assert larder.get("/a", ("Range", "bytes=15-19")).body == piece("v1", 15, 19)
    later.open()
    check(whole.end(), "v1", SIZE)
    assert [r.get("Range") for r in origin.asked()] == [None, "bytes=5-9", "bytes=15-19"]


def test_a_long_whole_is_joined_for_its_head(origin, small):  # noqa: F811
    """Its slices are had alone where they have not come."""
    thing = Thing(8 * SLICE)
    thing.gates[SLICE + 1000] = later = Gate()
    whole, gate = under_way(origin, small, thing)
    part = Asking(small, ("Range", f"bytes={6 * SLICE}-{6 * SLICE + 9}"))
    small.wait(lambda s: s["proxy.followers"] == 1)
    origin.on("/a", thing)
    gate.open()
    later.wait()
    seen = part.end()
    assert seen.status == 206 and seen.body == piece("v1", 6 * SLICE, 6 * SLICE + 9)
    later.open()
    check(whole.end(), "v1", 8 * SLICE)
    assert [r.get("Range") for r in origin.asked()][:2] == [None, f"bytes={6 * SLICE}-{7 * SLICE - 1}"]


def test_what_may_not_be_shared_is_asked_for_alone(origin, larder):
    thing = Thing(SIZE)
    fields = [("Cache-Control", "no-store"), ("ETag", '"v1"')]
    gate = Gate()

    def handler(exchange):
        if not exchange.request.get("Range"):
            gate.hold()
            exchange.answer(200, fields, piece("v1", 0, SIZE - 1))
        else:
            thing(exchange)

    origin.on("/a", handler)
    whole = Asking(larder)
    gate.wait()
    part = Asking(larder, ("Range", "bytes=5-9"))
    larder.wait(lambda s: s["proxy.followers"] == 1)
    gate.open()
    assert part.end().body == piece("v1", 5, 9)
    check(whole.end(), "v1", SIZE)
    assert [r.get("Range") for r in origin.asked()] == [None, "bytes=5-9"]
