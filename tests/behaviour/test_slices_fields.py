"""The fields of a 206 that was fetched in whole slices: who fetched it gets what came with it, everybody else what is stored."""

import pytest

from test_slices import SLICE, Thing, piece, small  # noqa: F401

FIELDS = [("ETag", '"v1"'), ("Age", "20"), ("Cache-Control", 'private="X-Own", no-cache="X-More"'),
          ("X-Own", "a"), ("X-More", "b"), ("X-All", "c")]


@pytest.mark.parametrize("size, first, last", [
    (40 * SLICE, 3 * SLICE + 5, 5 * SLICE - 1),  # slices, rounded out
    (40 * SLICE, 3 * SLICE, 5 * SLICE - 1),      # slices, as they were asked for
    (40 * SLICE, 38 * SLICE + 1, 40 * SLICE - 1),
    (1000, 5, 999),                              # the whole, though a range was asked for
    (1000, 5, 9),                                # a part
])
def test_who_fetched_it_gets_the_fields_that_came(origin, small, size, first, last):  # noqa: F811
    origin.on("/a", Thing(size, fields=FIELDS))
    spec = ("Range", f"bytes={first}-{'' if last == size - 1 else last}")
    seen = small.store("/a", spec, appends=1)
    assert (seen.status, seen.get("Content-Range")) == (206, f"bytes {first}-{last}/{size}")
    assert seen.whole and seen.body == piece("v1", first, last) and len(seen.all("Content-Range")) == 1
    assert seen.all("Age") == ["20"]
    assert [seen.get(name) for name in ("X-Own", "X-More", "X-All")] == ["a", "b", "c"]
    seen = small.get("/a", spec)
    assert seen.body == piece("v1", first, last) and len(origin.asked()) == 1
    assert len(seen.all("Age")) == 1 and int(seen.get("Age")) >= 20
    assert [seen.get(name) for name in ("X-Own", "X-More", "X-All")] == [None, None, "c"]


def test_who_fetched_the_whole_for_a_range_gets_them_too(origin, small):  # noqa: F811
    """The origin ignores Range, and what goes out is cut from what it sends."""
    size, first = 6 * SLICE, 2 * SLICE + 5
    origin.on("/a", Thing(size, fields=FIELDS, ranges=False))
    seen = small.get("/a", ("Range", f"bytes={first}-"))
    assert seen.status == 206 and seen.whole and seen.body == piece("v1", first, size - 1)
    assert seen.all("Age") == ["20"] and seen.get("X-Own") == "a"
