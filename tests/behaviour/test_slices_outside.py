"""Ranges that begin behind the end of what nothing was known of: 416 with the length, from the origin's word or from our own (RFC 9110
§15.5.17)."""

import threading

import pytest

from origin import Gate, held
from test_slices import SLICE, Thing, check, piece, small  # noqa: F401


class Strict(Thing):
    """Says 416 where a range begins behind the end."""

    def __call__(self, exchange):
        asked = exchange.request.get("Range")
        if asked and int(asked.removeprefix("bytes=").split("-")[0]) >= self.size:
            exchange.answer(416, [("Content-Range", f"bytes */{self.size}")], b"no\n")
        else:
            super().__call__(exchange)


@pytest.mark.parametrize("size, first, asked", [
    (1000, 3000, "bytes=0-"),                                      # in the first slice: we know by the length
    (1000, 2 * SLICE + 5, f"bytes={2 * SLICE}-"),                  # the origin says so
    (6 * SLICE + 9, 6 * SLICE + 100, f"bytes={6 * SLICE}-"),       # in the last slice
    (6 * SLICE + 9, 7 * SLICE + 100, f"bytes={7 * SLICE}-"),
])
def test_a_cold_body_that_is_shorter(origin, small, size, first, asked):  # noqa: F811
    origin.on("/a", Strict(size))
    for _ in range(2):
        seen = small.get("/a", ("Range", f"bytes={first}-"))
        assert (seen.status, seen.get("Content-Range")) == (416, f"bytes */{size}")
    assert origin.asked()[0].get("Range") == asked
    check(small.get("/a"), "v1", size)


def test_who_follows_into_a_shorter_body(origin, small):  # noqa: F811
    """Both ask for the same slice; one of them for what is there."""
    gate = Gate()
    origin.on("/a", held(gate, Strict(1000)))
    seen = {}
    askers = [threading.Thread(target=lambda at=at: seen.update({at: small.get("/a", ("Range", f"bytes={at}-"))}))
              for at in (3000, 500)]
    for asker in askers:
        asker.start()
        small.wait(lambda s: s["proxy.misses"] == 1)
    small.wait(lambda s: s["proxy.followers"] == 1)
    gate.open()
    for asker in askers:
        asker.join()
    assert (seen[3000].status, seen[3000].get("Content-Range")) == (416, "bytes */1000")
    assert seen[500].status == 206 and seen[500].body == piece("v1", 500, 999)
    small.wait_stored()
    check(small.get("/a"), "v1", 1000)
    assert len(origin.asked()) == 1


def test_an_origin_that_ignores_range(origin, small):  # noqa: F811
    origin.on("/a", Thing(1000, ranges=False))
    seen = small.get("/a", ("Range", "bytes=3000-"))
    assert (seen.status, seen.get("Content-Range")) == (416, "bytes */1000")
    small.wait_stored()
    check(small.get("/a"), "v1", 1000)
    assert len(origin.asked()) == 1
