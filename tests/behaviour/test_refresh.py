"""stale-while-revalidate (RFC 5861 §3): the stale answer goes out at once, one fetch behind it brings a new one."""

import pytest

from origin import Gate, aged, answer, held
from server import settings

ETAG = ("ETag", '"1"')
WINDOW = "max-age=60, stale-while-revalidate=600"


def is_fresh_hit(seen):
    told = seen.get("Cache-Status")
    return told.startswith("larder;hit;ttl=") and int(told.removeprefix("larder;hit;ttl=")) > 0


def is_stale_hit(seen):
    return seen.get("Cache-Status").startswith("larder;hit;ttl=-") and seen.get("Cache-Status").endswith("detail=stale")


def test_one_refresh_behind_all_who_ask_meanwhile(origin, larder):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    assert larder.store("/a").body == b"old"
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", "max-age=600"), ("ETag", '"2"')], body=b"new")))
    first = larder.get("/a", ("X-Mine", "first"), ("Cookie", "a=b"))
    gate.wait()
    others = [larder.get("/a", ("X-Mine", "other")) for _ in range(10)]
    assert all(seen.body == b"old" and is_stale_hit(seen) for seen in [first, *others])
    assert int(first.get("Age")) >= 100
    stats = larder.wait(lambda s: s["reason.stale"] == 11)
    assert (stats["proxy.refreshes"], stats["proxy.hits_stale"], stats["proxy.hits"]) == (1, 11, 11)
    assert (stats["origin.fetches"], stats["proxy.misses"], stats["proxy.followers"]) == (2, 1, 0)
    gate.open()
    larder.wait(lambda s: s["store.appends"] == 2)
    last = larder.get("/a")
    assert last.body == b"new" and is_fresh_hit(last)
    refresh = origin.asked()[1]
    assert len(origin.asked()) == 2
    assert (refresh.method, refresh.get("X-Mine"), refresh.get("Cookie")) == ("GET", "first", "a=b")
    assert refresh.all("If-None-Match") == ['"1"'] and refresh.get("Range") is None


def test_a_304_freshens_it(origin, larder):
    origin.on("/a", aged(WINDOW, b"old", ETAG, ("X-Version", "1")))
    larder.store("/a")
    origin.on("/a", lambda x: x.head(304, [ETAG, ("Cache-Control", "max-age=600"), ("X-Version", "2")]))
    assert larder.get("/a").get("X-Version") == "1"
    larder.wait(lambda s: s["store.appends"] == 2)
    seen = larder.get("/a")
    assert (seen.body, seen.get("X-Version")) == (b"old", "2") and is_fresh_hit(seen)
    stats = larder.stats()
    assert (stats["proxy.refreshes"], stats["proxy.revalidations"], stats["proxy.revalidated"]) == (1, 1, 1)
    assert len(origin.asked()) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_leaves_the_old_one(origin, larder, status):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    larder.store("/a")
    origin.on("/a", answer(status, [("Cache-Control", "max-age=600")], b"broken"))
    assert larder.get("/a").body == b"old"
    larder.wait(lambda s: len(origin.asked()) == 2)
    seen = larder.get("/a")
    assert seen.body == b"old" and is_stale_hit(seen)
    stats = larder.stats()
    assert (stats["store.appends"], stats["store.objects"], stats["store.removed"]) == (1, 1, 0)
    assert stats["proxy.errors"] == 0


def test_a_lost_connection_leaves_the_old_one(origin, larder):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    larder.store("/a")
    origin.on("/a", lambda x: x.close())
    assert larder.get("/a").body == b"old"
    larder.wait(lambda s: s["origin.failures"] == 1)
    assert larder.get("/a").body == b"old"
    assert larder.stats()["store.objects"] == 1


def test_a_body_that_breaks_off_leaves_the_old_one(origin, larder):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    larder.store("/a")

    def breaks_off(exchange):
        exchange.head(200, [("Cache-Control", "max-age=600"), ("Content-Length", "10")])
        exchange.send(b"new")
        exchange.close()

    origin.on("/a", breaks_off)
    assert larder.get("/a").body == b"old"
    larder.wait(lambda s: s["origin.failures"] == 1)
    assert larder.get("/a").body == b"old"
    assert larder.stats()["store.appends"] == 1


@pytest.mark.parametrize("control", ["no-store", "private"])
def test_an_answer_that_must_not_be_stored_drops_it(origin, larder, control):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    larder.store("/a")
    origin.on("/a", answer(fields=[("Cache-Control", control)], body=b"mine"))
    assert larder.get("/a").body == b"old"
    larder.wait(lambda s: s["store.removed"] == 1)
    assert larder.get("/a").body == b"mine"
    stats = larder.stats()
    assert (stats["store.objects"], stats["proxy.hits_stale"]) == (0, 1)


@pytest.mark.parametrize("control, lines", [
    ("max-age=60, stale-while-revalidate=20", []),                       # the window is over
    ("max-age=60, stale-while-revalidate=0", ["grace 10m"]),             # the origin's word counts, not the grace
    ("max-age=60", ["grace 0"]),
    ("max-age=60", []),                                                  # the grace is 10 s where nobody says
    ("max-age=60, must-revalidate", ["grace 10m"]),
    ("max-age=60, proxy-revalidate", ["grace 10m"]),
    ("s-maxage=60", ["grace 10m"]),
    (WINDOW + ", must-revalidate", []),
    (WINDOW + ", proxy-revalidate", []),
    (WINDOW + ", no-cache", []),
])
def test_where_it_is_not_allowed_the_client_waits(origin, start, control, lines):
    larder = start(config=settings(origin, *lines))
    origin.on("/a", aged(control, b"old", ETAG))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", "max-age=600")], body=b"new")))
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        gate.wait()
        gate.open()
        seen = client.reader.answer()
    assert seen.body == b"new" and seen.get("Cache-Status").startswith("larder;fwd=stale;fwd-status=200")
    assert origin.asked()[1].get("If-None-Match") == '"1"'
    stats = larder.stats()
    assert (stats["proxy.hits_stale"], stats["proxy.refreshes"], stats["proxy.revalidations"]) == (0, 0, 1)


@pytest.mark.parametrize("control, lines", [
    ("max-age=60", ["grace 10m"]),
    ("s-maxage=60, stale-while-revalidate=600", ["grace 0"]),  # a permission of its own
])
def test_where_it_is_allowed_nobody_waits(origin, start, control, lines):
    larder = start(config=settings(origin, *lines))
    origin.on("/a", aged(control, b"old"))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", "max-age=600")], body=b"new")))
    assert is_stale_hit(larder.get("/a"))
    gate.wait()
    gate.open()
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == b"new"
    assert origin.asked()[1].get("If-None-Match") is None  # there is nothing to validate it with


def test_a_client_that_leaves_does_not_end_the_refresh(origin, larder):
    origin.on("/a", aged(WINDOW, b"old"))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", "max-age=600")], body=b"new")))
    with larder.client() as client:
        assert client.get("/a").body == b"old"
        gate.wait()
    larder.wait(lambda s: s["proxy.connections"] == 0)
    gate.open()
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == b"new" and len(origin.asked()) == 2


def test_head_and_304_are_answered_stale_and_refresh_with_get(origin, larder):
    origin.on("/a", aged(WINDOW, b"old", ETAG))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", "max-age=600"), ETAG], body=b"new")))
    head = larder.ask("HEAD", "/a")
    assert head.status == 200 and head.get("Content-Length") == "3" and is_stale_hit(head)
    gate.wait()
    assert larder.get("/a", ("If-None-Match", '"1"')).status == 304
    part = larder.get("/a", ("Range", "bytes=1-"))
    assert (part.status, part.body) == (206, b"ld")
    gate.open()
    larder.wait(lambda s: s["store.appends"] == 2)
    assert [r.method for r in origin.asked()] == ["GET", "GET"]
