"""Range, If-Range and 206 (RFC 9110 §14) out of what is stored whole."""

import re

import pytest

from origin import answer, cacheable
from wire import Reader

BODY = bytes(range(48, 58)) * 100  # "0123456789..." of 1000 bytes
ETAG = ("ETag", '"1"')
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
TYPE = ("Content-Type", "text/plain")


@pytest.fixture
def stored(origin, larder):
    """Asks for ranges of /a, which is stored whole."""
    origin.on("/a", cacheable(BODY, ETAG, TYPE, ("Last-Modified", MODIFIED), ("X-Kept", "1"), seconds=600))
    larder.store("/a")
    yield lambda value, *fields, method="GET": larder.ask(method, "/a", [("Range", value), *fields])
    assert len(origin.asked()) == 1 and larder.stats()["origin.fetches"] == 1


def parts_of(seen):
    """The parts of a multipart/byteranges answer as (fields, bytes), read strictly (RFC 2046 §5.1.1)."""
    kind, boundary = re.fullmatch(r"(multipart/byteranges); boundary=([0-9a-zA-Z]+)", seen.get("Content-Type")).groups()
    mark = b"--" + boundary.encode()
    first, *middle, last = seen.body.split(mark)
    assert first == b"" and last == b"--\r\n"
    parts = []
    for piece in middle:
        assert piece.startswith(b"\r\n") and piece.endswith(b"\r\n")
        reader = Reader(None)
        reader.held = piece[2:-2]
        parts.append((dict(reader.fields()), reader.held))
    return parts


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0),
    ("bytes=10-19", 10, 19),
    ("bytes=990-", 990, 999),
    ("bytes=-7", 993, 999),
    ("bytes=-5000", 0, 999),
    ("bytes=990-5000", 990, 999),
    ("BYTES=1-2", 1, 2),
    ("bytes=5-9,0-4", 0, 9),             # they touch, and one part is enough
    ("bytes=2000-3000, 4-5", 4, 5),      # what is not there is left out
    ("bytes=7-99999999999999999999", 7, 999),
])
def test_one_part(stored, larder, value, first, last):
    seen = stored(value)
    assert seen.status == 206 and seen.body == BODY[first:last + 1]
    assert seen.all("Content-Range") == [f"bytes {first}-{last}/1000"]
    assert seen.all("Content-Length") == [str(last + 1 - first)]
    assert (seen.get("ETag"), seen.get("X-Kept"), seen.get("Content-Type")) == ('"1"', "1", "text/plain")
    assert seen.get("Age") is not None and seen.get("Cache-Status").startswith("larder;hit")
    assert larder.stats()["proxy.hits"] == 1


@pytest.mark.parametrize("value, ranges", [
    ("bytes=0-1,500-509,-3", [(0, 1), (500, 509), (997, 999)]),
    ("bytes=900-999, 0-9", [(900, 999), (0, 9)]),                # in the order asked for
    ("bytes=0-99,50-149,300-", [(0, 149), (300, 999)]),          # what overlaps is sent once
    ("bytes=0-1,,5-6", [(0, 1), (5, 6)]),
])
def test_several_parts(stored, value, ranges):
    seen = stored(value)
    assert seen.status == 206 and seen.get("Content-Range") is None
    assert seen.get("Content-Length") == str(len(seen.body)) and seen.whole
    assert parts_of(seen) == [
        ({"Content-Type": "text/plain", "Content-Range": f"bytes {first}-{last}/1000"}, BODY[first:last + 1])
        for first, last in ranges]


@pytest.mark.parametrize("value", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=1000-1001,2000-"])
def test_outside(stored, value):
    seen = stored(value)
    assert (seen.status, seen.get("Content-Range")) == (416, "bytes */1000")
    assert seen.get("Cache-Control") == "no-store"


@pytest.mark.parametrize("value", [
    "bytes=5-4", "bytes=a-b", "bytes=", "bytes", "bytes=1-2-3", "bytes= 1-2", "lines=1-2", "bytes=--1",
    "bytes=0-9,10-2",
    "bytes=" + ",".join(f"{i * 20}-{i * 20}" for i in range(17)),        # more than anybody needs
    "bytes=900-,0-1,800-801,3-4,700-701,5-6,600-601",                    # many small ones out of order
    "bytes=0-,0-,0-,0-",
    "bytes=0-500,100-600,200-700",
])
def test_what_is_no_range_or_abuse_gets_the_whole(stored, value):
    seen = stored(value)
    assert (seen.status, seen.body) == (200, BODY) and seen.get("Content-Range") is None


def test_two_lines_are_none(stored):
    assert stored("bytes=0-1", ("Range", "bytes=5-6")).status == 200


def test_only_get_has_ranges(stored):
    seen = stored("bytes=0-1", method="HEAD")
    assert (seen.status, seen.get("Content-Length"), seen.get("Content-Range")) == (200, "1000", None)
    assert stored("bytes=5000-", method="HEAD").status == 200


@pytest.mark.parametrize("value, status", [
    ('"1"', 206),
    ('"2"', 200),
    ('W/"1"', 200),                             # only a strong one holds
    ('"1", "2"', 200),                          # a list is not allowed
    ("Mon, 07 Nov 1994 08:49:37 GMT", 200),     # later is not the same
    ("nonsense", 200),
])
def test_if_range(stored, value, status):
    seen = stored("bytes=2-4", ("If-Range", value))
    assert (seen.status, seen.body) == (status, BODY if status == 200 else BODY[2:5])


@pytest.mark.parametrize("date, status", [("Sun, 06 Nov 2022 08:49:37 GMT", 206), (None, 200), (MODIFIED, 200)])
def test_if_range_by_date_needs_a_strong_one(origin, larder, date, status):
    """A second that was over when the origin answered, by its own clock (RFC 9110 §8.8.2.2)."""
    dated = [("Date", date)] if date else []
    control = [("Cache-Control", "max-age=3000000000")]
    origin.on("/a", answer(fields=[*control, *dated, ("Last-Modified", MODIFIED)], body=BODY))
    larder.store("/a")
    seen = larder.get("/a", ("Range", "bytes=2-4"), ("If-Range", MODIFIED))
    assert seen.status == status and len(origin.asked()) == 1
    other = larder.get("/a", ("Range", "bytes=2-4"), ("If-Range", "Sun, 06 Nov 1994 08:49:36 GMT"))
    assert other.status == 200


def test_without_if_range_holding_nothing_is_outside(stored):
    assert stored("bytes=5000-", ("If-Range", '"2"')).status == 200
    assert stored("bytes=5000-", ("If-Range", '"1"')).status == 416


def test_conditions_come_before_ranges(stored):
    """RFC 9110 §13.2.2"""
    assert stored("bytes=2-4", ("If-None-Match", '"1"')).status == 304
    assert stored("bytes=5000-", ("If-None-Match", '"1"')).status == 304
    assert stored("bytes=2-4", ("If-None-Match", '"2"')).status == 206
    assert stored("bytes=2-4", ("If-Modified-Since", MODIFIED)).status == 304


def test_only_a_200_has_parts(origin, larder):
    origin.on("/a", answer(404, [("Cache-Control", "max-age=60")], BODY))
    larder.store("/a")
    seen = larder.get("/a", ("Range", "bytes=2-4"))
    assert (seen.status, seen.body) == (404, BODY)


def test_an_empty_body_has_none(origin, larder):
    origin.on("/a", cacheable(b""))
    larder.store("/a")
    assert larder.get("/a", ("Range", "bytes=0-")).status == 416
    assert larder.get("/a", ("Range", "bytes=-5")).status == 200


def test_parts_of_a_body_of_many_segments_of_the_wire(origin, larder):
    body = bytes(i * 7 % 251 for i in range(700_000))
    origin.on("/a", cacheable(body))
    larder.store("/a")
    seen = larder.get("/a", ("Range", "bytes=100000-299999,400000-"))
    assert [part for _, part in parts_of(seen)] == [body[100000:300000], body[400000:]]
    assert larder.get("/a", ("Range", "bytes=-600000")).body == body[100000:]
    with larder.client() as client:  # and the connection is in order afterwards
        for first in range(0, 500_000, 50_000):
            seen = client.get("/a", ("Range", f"bytes={first}-{first + 99_999}"))
            assert seen.body == body[first:first + 100_000]
