"""What a fetch of slices must not do: give a client what it did not ask for, or throw away what is good."""

import pytest

from origin import aged
from test_slices import SLICE, Chunked, Thing, check, small  # noqa: F401

SIZE = 3 << 20
BODY = bytes(i * 7 % 251 for i in range(SIZE))


def ranges(exchange, fields):
    """Answers a Range of the body as an origin does, with these fields."""
    spec = exchange.request.get("Range")
    if spec is None:
        exchange.answer(200, fields, BODY)
        return
    first, _, last = spec[len("bytes="):].partition("-")
    first, last = int(first), min(int(last) if last else SIZE - 1, SIZE - 1)
    exchange.answer(206, [*fields, ("Content-Range", f"bytes {first}-{last}/{SIZE}")], BODY[first:last + 1])


def test_a_range_that_cannot_be_stored_is_what_was_asked_for(origin, larder):
    for control in ("max-age=60", "no-store", "private"):
        path = f"/{control[:4]}"
        origin.on(path, lambda x: ranges(x, [("Cache-Control", control), ("ETag", 'W/"1"')]))
        for spec, begin, end in (("bytes=300001-", 300001, SIZE), ("bytes=700001-2200000", 700001, 2200001)):
            for _ in range(2):
                seen = larder.get(path, ("Range", spec))
                assert seen.status == 206 and seen.body == BODY[begin:end], (control, spec, len(seen.body))
                assert seen.get("Content-Range") == f"bytes {begin}-{end - 1}/{SIZE}"


def stored_without_its_end(origin, start, fields):
    """A body of which the last slices are not stored: the first range was asked for alone."""
    larder = start(ram="32M")
    origin.on("/a", lambda x: ranges(x, fields))
    larder.store("/a", ("Range", f"bytes=0-{(1 << 20) - 1}"))
    return larder


def test_a_clients_own_error_takes_nothing_away(origin, start):
    fields = [("Cache-Control", "max-age=60"), ("ETag", '"1"')]
    larder = stored_without_its_end(origin, start, fields)
    origin.on("/a", lambda x: x.answer(403) if x.request.get("X-Me") else ranges(x, fields))
    larder.get("/a", ("Range", f"bytes={SIZE - 1000}-"), ("X-Me", "1"))
    assert larder.stats()["proxy.invalidations"] == 0
    before = len(origin.asked())
    assert larder.get("/a", ("Range", "bytes=5-9")).body == BODY[5:10]
    assert len(origin.asked()) == before


def test_a_part_that_forbids_storing_is_not_stored(origin, start):
    larder = stored_without_its_end(origin, start, [("Cache-Control", "max-age=60"), ("ETag", '"1"')])
    origin.on("/a", lambda x: ranges(x, [("Cache-Control", "no-store"), ("ETag", '"1"')]))
    for _ in range(2):
        seen = larder.get("/a", ("Range", f"bytes={SIZE - 1000}-"))
        assert seen.body == BODY[SIZE - 1000:]
    asked = [r for r in origin.asked() if r.get("Range") == f"bytes={SIZE - 1000}-"]
    assert len(asked) == 2  # asked as it is each time, since nothing of it may be kept


def test_a_refresh_of_unknown_length_goes_on_though_nobody_reads_it(origin, small):  # noqa: F811
    origin.on("/a", aged("max-age=60, stale-while-revalidate=600", b"old", ("ETag", '"v1"')))
    assert small.store("/a").body == b"old"
    origin.on("/a", Chunked(SIZE + 77, name="v2"))
    assert small.get("/a").body == b"old"
    small.wait_stored(2 + SIZE // SLICE + 1)  # the old one, the head, the slices
    check(small.get("/a"), "v2", SIZE + 77)
    assert len(origin.asked()) == 2


def cut_after_the_body(status, fields):
    """Says what it says, sends BODY, and breaks off."""
    def handler(exchange):
        exchange.head(status, [("Cache-Control", "max-age=60"), ("ETag", '"1"'), *fields])
        exchange.send(BODY)
        exchange.close()
    return handler


def test_the_longest_length_there_is(origin, small):  # noqa: F811
    length = ("Content-Length", str(2**62))
    origin.on("/a", cut_after_the_body(200, [length]))
    seen = small.get("/a")
    assert seen.status == 200 and seen.get("Content-Length") == length[1]
    assert BODY.startswith(seen.body) and not seen.whole  # what was not sent yet when it broke off is lost
    origin.on("/b", cut_after_the_body(200, [("Content-Length", str(2**62 + 1))]))
    assert small.get("/b").status == 502


@pytest.mark.parametrize("complete", [2**63 - 2, 2**63 - (1 << 10)])
def test_a_part_of_what_has_no_last_slice_passes(origin, small, complete):  # noqa: F811
    origin.on("/a", cut_after_the_body(206, [("Content-Range", f"bytes 0-{SIZE - 1}/{complete}"),
                                             ("Content-Length", str(SIZE))]))
    for _ in range(2):
        seen = small.get("/a", ("Range", f"bytes=0-{SIZE - 1}"))
        assert seen.status == 206 and seen.whole and seen.body == BODY
    assert small.stats()["store.appends"] == 0


def test_an_answer_of_many_fetches_needs_the_memory_of_one(origin, start):
    """Every other mebibyte is stored. A request's long head is written anew for each of the 24 others: all of them together are more than
    an exchange may hold."""
    larder = start(ram="256M")
    size = 48 << 20
    origin.on("/a", Thing(size))
    for at in range(1 << 20, size, 2 << 20):
        larder.store("/a", ("Range", f"bytes={at}-{at + (1 << 20) - 1}"))
    before = larder.stats()["proxy.slice_fetches"]
    check(larder.get("/a", ("X-Long", "x" * 15000)), "v1", size)
    assert larder.stats()["proxy.slice_fetches"] == before + 24
