"""Slices of variants: what a fetch of missing slices learns of one variant is said of that one, and of no other."""

import pytest

from origin import Gate
from test_slices import SLICE, Thing, check, piece, small  # noqa: F401

SIZE = 6 * SLICE


class Variants:
    """A URL with a variant for each X-Kind; `names` says what each of them is by now."""

    def __init__(self, origin):
        self.names = {}
        self.gates = {}
        origin.on("/a", self)

    def __call__(self, exchange):
        kind = exchange.request.get("X-Kind")
        if exchange.request.get("Range") and kind in self.gates:
            self.gates[kind].hold()
        name = self.names.get(kind, kind)
        Thing(SIZE, name, [("ETag", f'"{name}"'), ("Vary", "X-Kind")])(exchange)


def part(small, kind):  # noqa: F811
    """Slices 2 and 3 of a variant are stored."""
    small.store("/a", ("X-Kind", kind), ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"), appends=4)


@pytest.mark.parametrize("begun", [False, True])
def test_a_variant_that_has_changed_takes_no_other_with_it(origin, small, begun):  # noqa: F811
    variants = Variants(origin)
    for kind in ("one", "two"):
        part(small, kind)
    variants.names["one"] = "new"
    if begun:  # the answer is broken off
        with small.client() as client:
            seen = client.get("/a", ("X-Kind", "one"), ("Range", f"bytes={3 * SLICE}-{5 * SLICE - 1}"))
        assert not seen.whole
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    check(small.get("/a", ("X-Kind", "one")), "new", SIZE)
    before = len(origin.asked())
    seen = small.get("/a", ("X-Kind", "two"), ("Range", f"bytes={2 * SLICE}-{4 * SLICE - 1}"))
    assert seen.body == piece("two", 2 * SLICE, 4 * SLICE - 1) and len(origin.asked()) == before


def test_a_variant_that_was_replaced_meanwhile_stays(origin, small):  # noqa: F811
    """A reader of the old one asks for what is missing; until the origin answers that it has changed, the new one is stored."""
    variants = Variants(origin)
    part(small, "one")
    variants.gates["one"] = gate = Gate()
    reader = small.client()
    reader.send(b"GET /a HTTP/1.1\r\nHost: test\r\nX-Kind: one\r\nRange: bytes=%d-%d\r\n\r\n" % (2 * SLICE, SIZE - 1))
    head = reader.reader.head()
    assert head.status == 206
    gate.wait()
    variants.names["one"] = "new"
    small.purge("/a")
    before = small.stats()["store.appends"]
    check(small.get("/a", ("X-Kind", "one")), "new", SIZE)
    small.wait(lambda s: s["store.appends"] == before + 8)
    gate.open()
    reader.reader.body(head, "GET")
    assert not head.whole and head.body == piece("one", 2 * SLICE, SIZE - 1)[:len(head.body)]
    reader.close()
    small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    before = len(origin.asked())
    check(small.get("/a", ("X-Kind", "one")), "new", SIZE)
    assert len(origin.asked()) == before
