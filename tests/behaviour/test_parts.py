"""Parts from the origin (RFC 9110 §14, RFC 9111 §3.3, §3.4): asked for, stored, completed, never mixed."""

import pytest

from origin import Gate, answer, held
from server import settings

ONE, TWO = ("ETag", '"1"'), ("ETag", '"2"')
FRESH = ("Cache-Control", "max-age=600")
OLD, NEW = b"0123456789", b"abcdefghij"


def part(first, last, body=OLD, *fields, complete=None):
    """A 206 with these bytes of the body."""
    fields = fields or (FRESH, ONE)
    complete = len(body) if complete is None else complete
    return answer(206, [*fields, ("Content-Range", f"bytes {first}-{last}/{complete}")], body[first:last + 1])


def whole(body=OLD, *fields):
    return answer(fields=fields or (FRESH, ONE), body=body)


def ranges(origin):
    return [(r.get("Range"), r.get("If-Range")) for r in origin.asked()]


# ── misses ──

@pytest.mark.parametrize("value, first, last, asked", [("bytes=2-5", 2, 5, "bytes=2-5"), ("bytes=4-", 4, 9, "bytes=0-"),
                                                       ("bytes=-3", 7, 9, "bytes=-3")])
def test_a_short_range_is_asked_for_as_it_is(origin, larder, value, first, last, asked):
    """One without an end may be long: it is asked for from the beginning of its slice."""
    origin.on("/a", part(first, last))
    seen = larder.get("/a", ("Range", value), ("If-None-Match", '"0"'))
    assert (seen.status, seen.body, seen.get("Content-Range")) == (206, OLD[first:last + 1], f"bytes {first}-{last}/10")
    assert seen.get("Cache-Status").startswith("larder;fwd=uri-miss;fwd-status=206;stored")
    assert seen.get("Age") is None
    assert ranges(origin) == [(asked, None)]
    assert origin.asked()[0].get("If-None-Match") is None  # a condition is answered here
    larder.wait_stored()
    again = larder.get("/a", ("Range", value))
    assert (again.status, again.body, again.get("Content-Range")) == (206, OLD[first:last + 1], f"bytes {first}-{last}/10")
    assert again.get("Cache-Status").startswith("larder;hit") and again.get("Age") is not None
    stats = larder.stats()
    assert (stats["proxy.hits"], stats["proxy.misses"], stats["origin.fetches"]) == (1, 1, 1)


def test_the_same_range_is_fetched_once_for_all(origin, larder):
    gate = Gate()
    origin.on("/a", held(gate, part(2, 5)))
    clients = [larder.client() for _ in range(8)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes=2-5\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 7)
    gate.open()
    for client in clients:
        seen = client.reader.answer()
        assert (seen.status, seen.body, seen.get("Content-Range")) == (206, b"2345", "bytes 2-5/10")
        client.close()
    assert ranges(origin) == [("bytes=2-5", None)]
    assert larder.stats()["proxy.misses"] == 1


def test_other_ranges_do_not_wait_for_it(origin, larder):
    gate = Gate()

    def handler(exchange):
        first, last = map(int, exchange.request.get("Range").removeprefix("bytes=").split("-"))
        gate.hold()
        part(first, last)(exchange)

    origin.on("/a", handler)
    clients = [(larder.client(), first) for first in (0, 3, 6)]
    for client, first in clients:
        client.send(f"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes={first}-{first + 2}\r\n\r\n".encode())
    for _ in clients:
        gate.wait()  # all three at the origin at the same time
    gate.open()
    for client, first in clients:
        assert client.reader.answer().body == OLD[first:first + 3]
        client.close()


def test_a_list_of_ranges_fetches_the_whole(origin, larder):
    origin.on("/a", whole())
    larder.get("/a", ("Range", "bytes=0-1,5-6"))
    larder.wait_stored()
    assert ranges(origin) == [(None, None)]
    assert larder.get("/a").body == OLD and len(origin.asked()) == 1


def test_with_if_range_it_is_this_clients_own(origin, larder):
    origin.on("/a", part(2, 5))
    seen = larder.get("/a", ("Range", "bytes=2-5"), ("If-Range", '"1"'))
    assert (seen.status, seen.body) == (206, b"2345")
    assert ranges(origin) == [("bytes=2-5", '"1"')]


def test_a_200_in_place_of_the_part(origin, larder):
    """The origin does not know ranges: the client gets his part of it all the same, and the whole is stored."""
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [FRESH, ONE, ("Content-Length", "10")])
        exchange.send(OLD[:6])
        gate.hold()
        exchange.send(OLD[6:])

    origin.on("/a", handler)
    with larder.client() as client:
        seen = client.get("/a", ("Range", "bytes=2-5"))  # while the rest is still to come
        assert (seen.status, seen.body, seen.get("Content-Range")) == (206, b"2345", "bytes 2-5/10")
        gate.open()
        larder.wait_stored()
        assert client.get("/a").body == OLD
    assert ranges(origin) == [("bytes=2-5", None)]


def test_a_200_of_unknown_length_comes_as_it_is(origin, larder):
    def handler(exchange):
        exchange.head(200, [FRESH, ("Transfer-Encoding", "chunked")])
        exchange.chunk(OLD)
        exchange.end_chunks()

    origin.on("/a", handler)
    seen = larder.get("/a", ("Range", "bytes=2-5"))
    assert (seen.status, seen.body) == (200, OLD)
    larder.wait_stored()
    assert larder.get("/a", ("Range", "bytes=2-5")).status == 206


def test_the_origins_416_is_passed_on_and_not_stored(origin, larder):
    origin.on("/a", answer(416, [FRESH, ("Content-Range", "bytes */10")], b"none"))
    for _ in range(2):
        seen = larder.get("/a", ("Range", "bytes=50-"))
        assert (seen.status, seen.get("Content-Range"), seen.body) == (416, "bytes */10", b"none")
    assert len(origin.asked()) == 2 and larder.stats()["store.appends"] == 0


# ── parts that are not what they say ──

@pytest.mark.parametrize("content_range, body", [
    ("bytes 2-5/10", b"234"),          # shorter than it says
    ("bytes 2-5/10", b"23456"),        # longer
    ("bytes 2-5/*", b"2345"),          # of how many?
    ("bytes 5-2/10", b"2345"),
    ("bytes */10", b"2345"),
    ("lines 2-5/10", b"2345"),
    ("bytes 2-5/5", b"2345"),
])
def test_such_a_part_is_not_stored(origin, larder, content_range, body):
    origin.on("/a", answer(206, [FRESH, ONE, ("Content-Range", content_range)], body))
    seen = larder.get("/a", ("Range", "bytes=2-5"))
    assert seen.body == body and "detail=partial" in seen.get("Cache-Status")
    assert larder.get("/a", ("Range", "bytes=2-5")).body == body
    stats = larder.stats()
    assert (len(origin.asked()), stats["store.appends"], stats["proxy.uncacheable"]) == (2, 0, 2)


@pytest.mark.parametrize("sent", [b"234", b"23456"])
def test_a_part_of_another_length_is_broken_off(origin, larder, sent):
    """In chunks nobody can tell before its end."""
    def handler(exchange):
        exchange.head(206, [FRESH, ONE, ("Content-Range", "bytes 2-5/10"), ("Transfer-Encoding", "chunked")])
        exchange.chunk(sent)
        exchange.end_chunks()

    origin.on("/a", handler)
    seen = larder.get("/a", ("Range", "bytes=2-5"))
    assert not seen.whole
    larder.wait(lambda s: s["proxy.cut"] == 1)
    assert larder.stats()["store.appends"] == 0


def test_lenient_ranges_store_what_came(origin, start):
    larder = start(config=settings(origin, "lenient-ranges on"))
    origin.on("/a", answer(206, [FRESH, ONE, ("Content-Range", "bytes 4-9/10")], b"45678"))
    larder.get("/a", ("Range", "bytes=4-"))
    larder.wait_stored()
    seen = larder.get("/a", ("Range", "bytes=4-"))
    assert (seen.status, seen.body, seen.get("Content-Range")) == (206, b"45678", "bytes 4-8/9")
    assert len(origin.asked()) == 1


def test_a_part_that_nobody_asked_for(origin, larder):
    origin.on("/a", part(2, 5))
    seen = larder.get("/a")
    assert seen.status == 502 and seen.get("Content-Range") is None
    stats = larder.stats()
    assert (stats["store.appends"], stats["proxy.errors"]) == (0, 1)
    assert [(r.method, r.get("Range")) for r in origin.asked()] == [("GET", None)]


# ── stored parts ──

@pytest.fixture
def stored(origin, larder):
    """Stores a part of /a, and forgets that it was asked for."""
    def store(first, last, *fields, body=OLD):
        origin.on("/a", part(first, last, body, *fields))
        larder.store("/a", ("Range", f"bytes={first}-{last}"))
        origin.requests.clear()
    return store


@pytest.mark.parametrize("value, first, last", [("bytes=3-5", 3, 5), ("bytes=2-7", 2, 7), ("bytes=4-4", 4, 4)])
def test_what_lies_within_a_stored_part(origin, larder, stored, value, first, last):
    stored(2, 7)
    seen = larder.get("/a", ("Range", value))
    assert (seen.status, seen.body, seen.get("Content-Range")) == (206, OLD[first:last + 1], f"bytes {first}-{last}/10")
    assert origin.asked() == []


def test_the_end_of_the_whole_is_known(origin, larder, stored):
    stored(6, 9)
    assert larder.get("/a", ("Range", "bytes=-2")).body == b"89"
    assert larder.get("/a", ("Range", "bytes=7-")).get("Content-Range") == "bytes 7-9/10"
    assert origin.asked() == []


def test_a_stored_part_is_not_the_whole(origin, larder, stored):
    stored(2, 5, FRESH)  # without a validator nothing can be joined to it, but all else can be asked for
    origin.on("/a", whole(NEW, FRESH))
    seen = larder.get("/a")
    assert (seen.status, seen.body) == (200, NEW)
    assert ranges(origin) == [(None, None)]
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == NEW and len(origin.asked()) == 1


def test_conditions_hold_for_a_part_too(origin, larder, stored):
    stored(2, 5)
    assert larder.get("/a", ("Range", "bytes=2-5"), ("If-None-Match", '"1"')).status == 304
    assert larder.get("/a", ("Range", "bytes=2-5"), ("If-Range", '"1"')).status == 206
    assert origin.asked() == []


# ── the rest of it ──

def test_the_end_is_asked_for(origin, larder, stored):
    stored(0, 4)
    origin.on("/a", part(5, 9))
    seen = larder.get("/a")
    assert (seen.status, seen.body, seen.get("Content-Length"), seen.get("Content-Range")) == (200, OLD, "10", None)
    assert ranges(origin) == [("bytes=5-", '"1"')]
    assert origin.asked()[0].get("If-None-Match") is None
    larder.wait(lambda s: s["store.appends"] == 2)
    again = larder.get("/a")
    assert (again.status, again.body) == (200, OLD) and again.get("Cache-Status").startswith("larder;hit")
    assert len(origin.asked()) == 1


def test_the_beginning_is_asked_for(origin, larder, stored):
    stored(5, 9)
    origin.on("/a", part(0, 4))
    assert larder.get("/a").body == OLD
    assert ranges(origin) == [("bytes=0-4", '"1"')]
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == OLD and len(origin.asked()) == 1


def test_if_range_is_a_date_where_there_is_no_tag(origin, larder, stored):
    now = ("Date", larder.get("/nothing").get("Date"))
    modified = ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
    stored(0, 4, FRESH, now, modified)
    origin.on("/a", part(5, 9, OLD, FRESH, now, modified))
    assert larder.get("/a").body == OLD
    assert ranges(origin) == [("bytes=5-", modified[1])]


def test_the_rest_is_fetched_once_for_all(origin, larder, stored):
    stored(0, 4)
    gate = Gate()
    origin.on("/a", held(gate, part(5, 9)))
    clients = [larder.client() for _ in range(5)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 4)
    gate.open()
    for client in clients:
        seen = client.reader.answer()
        assert (seen.status, seen.body) == (200, OLD)
        client.close()
    assert ranges(origin) == [("bytes=5-", '"1"')]


@pytest.mark.parametrize("rest", [
    part(5, 9, NEW, FRESH, TWO),                              # of another representation
    part(5, 9, NEW, FRESH),                                   # of who knows which
    part(5, 9, NEW, FRESH, ("ETag", 'W/"1"')),
    part(5, 8, NEW, FRESH, ONE),                              # not to its end
    part(6, 9, NEW, FRESH, ONE),                              # a byte is missing
    part(5, 9, NEW, FRESH, ONE, complete=11),                 # grown since
    answer(206, [FRESH, ONE, ("Content-Range", "bytes 5-9/10")], b"fgh"),
    answer(206, [FRESH, ONE], b"fghij"),
    answer(416, [FRESH, ("Content-Range", "bytes */5")], b"none"),
])
def test_what_does_not_fit_is_never_joined(origin, larder, stored, rest):
    stored(0, 4)
    origin.on("/a", lambda x: rest(x) if x.request.get("Range") else whole(NEW, FRESH, TWO)(x))
    seen = larder.get("/a")
    assert (seen.status, seen.body, seen.get("ETag")) == (200, NEW, '"2"')
    assert ranges(origin) == [("bytes=5-", '"1"'), (None, None)]
    assert origin.asked()[1].get("If-None-Match") is None
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == NEW


def test_the_origin_sends_the_whole_new_one_at_once(origin, larder, stored):
    """If-Range did its work."""
    stored(0, 4)
    origin.on("/a", whole(NEW, FRESH, TWO))
    seen = larder.get("/a")
    assert (seen.status, seen.body, seen.get("ETag")) == (200, NEW, '"2"')
    assert len(origin.asked()) == 1
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == NEW


def test_a_rest_that_breaks_off(origin, larder, stored):
    stored(0, 4)

    def breaks_off(exchange):
        exchange.head(206, [FRESH, ONE, ("Content-Range", "bytes 5-9/10"), ("Content-Length", "5")])
        exchange.send(b"56")
        exchange.close()

    origin.on("/a", breaks_off)
    seen = larder.get("/a")
    assert not seen.whole and OLD.startswith(seen.body)
    assert larder.get("/a", ("Range", "bytes=0-4")).body == OLD[:5]  # that part is still good
    assert larder.stats()["store.appends"] == 1


def test_parts_that_touch_become_one(origin, larder, stored):
    for first, last in ((0, 3), (4, 6), (6, 9)):
        stored(first, last)
    seen = larder.get("/a")
    assert (seen.status, seen.body) == (200, OLD) and seen.get("Cache-Status").startswith("larder;hit")
    assert larder.get("/a", ("Range", "bytes=2-8")).body == OLD[2:9]
    assert origin.asked() == []


def test_parts_of_two_representations_do_not(origin, larder, stored):
    stored(0, 4)
    stored(5, 9, FRESH, TWO, body=NEW)
    seen = larder.get("/a", ("Range", "bytes=5-9"))
    assert (seen.body, seen.get("ETag")) == (NEW[5:], '"2"') and origin.asked() == []
    origin.on("/a", part(0, 4, NEW, FRESH, TWO))
    seen = larder.get("/a")
    assert (seen.status, seen.body, seen.get("ETag")) == (200, NEW, '"2"')
    assert ranges(origin) == [("bytes=0-4", '"2"')]


def test_a_part_does_not_take_the_place_of_the_whole(origin, larder):
    """One asked for it before the whole came."""
    gate = Gate()
    origin.on("/a", held(gate, part(2, 5)))
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nRange: bytes=2-5\r\n\r\n")
        gate.wait()
        origin.on("/a", whole())
        larder.store("/a")
        gate.open()
        assert client.reader.answer().body == b"2345"
    larder.wait(lambda s: s["proxy.stored"] == 2)
    assert larder.get("/a").get("Cache-Status").startswith("larder;hit")
    assert len(origin.asked()) == 2


def test_a_purge_takes_parts_too(origin, larder, stored):
    stored(0, 4)
    assert larder.purge("/a") == 1
    larder.get("/a", ("Range", "bytes=0-4"))
    assert ranges(origin) == [("bytes=0-4", None)]
