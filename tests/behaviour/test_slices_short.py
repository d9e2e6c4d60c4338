"""Ranges that have no whole slice, of a long body of which nothing is known: they pass, and what they say of the whole is kept."""

import threading

import pytest

from origin import Gate, held
from test_slices import SLICE, Thing, check, piece, small  # noqa: F401

SIZE = 5 * SLICE + 77
LAST = f"bytes={5 * SLICE}-{SIZE - 1}"


def asked(origin):
    return [r.get("Range") for r in origin.asked()]


@pytest.mark.parametrize("spec, first, last, slices", [
    ("bytes=5-9", 5, 9, f"bytes=0-{SLICE - 1}"),
    ("bytes=-50", SIZE - 50, SIZE - 1, LAST),
    (f"bytes=-{2 * SLICE}", SIZE - 2 * SLICE, SIZE - 1, f"bytes={3 * SLICE}-{SIZE - 1}"),
])
def test_the_next_one_is_asked_for_in_slices_and_stored(origin, small, spec, first, last, slices):  # noqa: F811
    origin.on("/a", Thing(SIZE))
    for appends in (1, 2, 2):
        seen = small.get("/a", ("Range", spec))
        assert (seen.status, seen.get("Content-Range")) == (206, f"bytes {first}-{last}/{SIZE}")
        assert seen.whole and seen.body == piece("v1", first, last)
        small.wait(lambda s: s["store.appends"] >= appends and s["cache.slices_in_memory"] == 0)
    assert asked(origin) == [spec, slices]
    check(small.get("/a"), "v1", SIZE)


def test_the_whole_after_a_short_range(origin, small):  # noqa: F811
    origin.on("/a", Thing(SIZE))
    small.store("/a", ("Range", "bytes=-50"))
    head = small.ask("HEAD", "/a")
    assert head.status == 200 and head.get("Content-Length") == str(SIZE)
    for _ in range(2):
        check(small.get("/a"), "v1", SIZE)
        small.wait(lambda s: s["cache.slices_in_memory"] == 0)
    assert asked(origin) == ["bytes=-50", f"bytes=0-{SIZE - 1}"]


def test_variants_have_heads_of_their_own(origin, small):  # noqa: F811
    def handler(exchange):
        name = exchange.request.get("X-Kind")
        Thing(SIZE, name, [("ETag", f'"{name}"'), ("Vary", "X-Kind")])(exchange)

    origin.on("/a", handler)
    for kind in ("one", "two"):
        small.store("/a", ("X-Kind", kind), ("Range", "bytes=5-9"), appends=2)
    for kind in ("one", "two"):
        seen = small.get("/a", ("X-Kind", kind), ("Range", "bytes=-50"))
        assert seen.body == piece(kind, SIZE - 50, SIZE - 1)
    assert asked(origin) == ["bytes=5-9", "bytes=5-9", LAST, LAST]


@pytest.mark.parametrize("fields", [[("ETag", 'W/"v1"')], [("X-None", "1")]])
def test_nothing_is_kept_without_a_strong_validator(origin, small, fields):  # noqa: F811
    origin.on("/a", Thing(SIZE, fields=fields))
    for _ in range(2):
        assert small.get("/a", ("Range", "bytes=-50")).body == piece("v1", SIZE - 50, SIZE - 1)
    assert asked(origin) == ["bytes=-50"] * 2 and small.stats()["store.appends"] == 0


def ask_and_hold(origin, small, thing):  # noqa: F811
    """A short range is asked for, and the origin holds its answer."""
    gate = Gate()
    origin.on("/a", held(gate, thing))
    seen = []
    asker = threading.Thread(target=lambda: seen.append(small.get("/a", ("Range", "bytes=5-9"))))
    asker.start()
    gate.wait()
    origin.on("/a", thing)

    def finish():
        gate.open()
        asker.join()
        assert seen[0].status == 206 and seen[0].body == piece("v1", 5, 9)

    return finish


def test_a_head_alone_takes_no_place_of_what_is_stored(origin, small):  # noqa: F811
    finish = ask_and_hold(origin, small, Thing(SIZE))
    check(small.store("/a", appends=7), "v1", SIZE)
    finish()
    small.wait(lambda s: s["proxy.stored"] == 2)
    small.api("GET", "/v1/store/info")  # asks each store thread: what landed before has been decided
    before = len(origin.asked())
    check(small.get("/a"), "v1", SIZE)
    assert len(origin.asked()) == before


def test_a_purge_is_for_a_head_alone_too(origin, small):  # noqa: F811
    finish = ask_and_hold(origin, small, Thing(SIZE))
    small.purge("/a")
    finish()
    assert small.get("/a", ("Range", "bytes=5-9")).body == piece("v1", 5, 9)
    assert asked(origin)[-1] == "bytes=5-9"
