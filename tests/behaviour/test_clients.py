"""What a client may ask of the cache (RFC 9111 §5.2.1): nothing, unless the operator lets it."""

import pytest

from origin import aged, answer, cacheable
from server import settings

FRESH = ("Cache-Control", "max-age=600")
ONE = ("ETag", '"1"')


def wish(value):
    return ("Cache-Control", value)


def is_hit(seen):
    return seen.get("Cache-Status").startswith("larder;hit")


@pytest.fixture
def obeying(origin, start):
    """A larder that lets clients ask for these things."""
    return lambda *names: start(config=settings(origin, "grace 0", *(f"client-{name} on" for name in names)))


@pytest.mark.parametrize("fields", [
    [wish("no-cache")], [wish("max-age=0")], [wish("no-store")], [wish("min-fresh=100000")], [("Pragma", "no-cache")],
    [wish("no-cache, no-store, max-age=0"), wish("max-stale=0")],
])
def test_nothing_is_obeyed_by_default(origin, larder, fields):
    origin.on("/a", cacheable(b"hello", seconds=600))
    assert "stored" in larder.store("/a", *fields).get("Cache-Status")
    assert is_hit(larder.get("/a", *fields))
    assert len(origin.asked()) == 1
    assert origin.asked()[0].all("Cache-Control") == [v for n, v in fields if n == "Cache-Control"]  # it goes on


def test_only_if_cached_is_not_obeyed_by_default(origin, larder):
    origin.on("/a", cacheable(b"hello"))
    assert larder.get("/a", wish("only-if-cached")).body == b"hello"


@pytest.mark.parametrize("fields", [[wish("no-cache")], [wish("x=1, NO-CACHE")], [("Pragma", "no-cache")]])
def test_no_cache(origin, obeying, fields):
    larder = obeying("no-cache")
    origin.on("/a", cacheable(b"hello", ONE, seconds=600))
    larder.store("/a")
    origin.on("/a", lambda x: x.head(304, [ONE, FRESH]))
    seen = larder.get("/a", *fields)
    assert seen.body == b"hello" and seen.get("Cache-Status").startswith("larder;fwd=request;fwd-status=304")
    assert [r.get("If-None-Match") for r in origin.asked()] == [None, '"1"']
    assert larder.stats()["proxy.revalidated"] == 1
    assert is_hit(larder.get("/a"))
    assert len(origin.asked()) == 2


def test_pragma_counts_only_without_cache_control(origin, obeying):
    larder = obeying("no-cache")
    origin.on("/a", cacheable(b"hello", seconds=600))
    larder.store("/a")
    assert is_hit(larder.get("/a", ("Pragma", "no-cache"), wish("max-age=1000")))


def test_no_cache_replaces_what_changed(origin, obeying):
    larder = obeying("no-cache")
    origin.on("/a", cacheable(b"one", seconds=600))
    larder.store("/a")
    origin.on("/a", cacheable(b"two", seconds=600))
    assert larder.store("/a", wish("no-cache")).body == b"two"
    assert larder.get("/a").body == b"two" and len(origin.asked()) == 2


@pytest.mark.parametrize("value, hit", [("max-age=1000", True), ("max-age=200", False), ("max-age=0", False)])
def test_max_age(origin, obeying, value, hit):
    larder = obeying("max-age")
    origin.on("/a", aged("max-age=100000", age=500))
    larder.store("/a")
    assert is_hit(larder.get("/a", wish(value))) == hit
    assert len(origin.asked()) == (1 if hit else 2)


@pytest.mark.parametrize("value, hit", [("min-fresh=100", True), ("min-fresh=1000", False), ("min-fresh=0", True)])
def test_min_fresh(origin, obeying, value, hit):
    larder = obeying("min-fresh")
    origin.on("/a", cacheable(b"hello", seconds=900))
    larder.store("/a")
    assert is_hit(larder.get("/a", wish(value))) == hit
    assert len(origin.asked()) == (1 if hit else 2)


@pytest.mark.parametrize("value, hit", [("max-stale", True), ("max-stale=1000", True), ("max-stale=10", False)])
def test_max_stale(origin, obeying, value, hit):
    larder = obeying("max-stale")
    origin.on("/a", aged("max-age=60", b"old", ONE))
    larder.store("/a")
    origin.on("/a", answer(fields=[FRESH], body=b"new"))
    seen = larder.get("/a", wish(value))
    assert (seen.body, is_hit(seen)) == ((b"old", True) if hit else (b"new", False))
    stats = larder.stats()
    assert stats["proxy.hits_stale"] == hit
    if hit:  # and it is refreshed behind it
        larder.wait(lambda s: s["store.appends"] == 2)
        assert larder.get("/a").body == b"new"


@pytest.mark.parametrize("control", [
    "max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60", "max-age=60, no-cache"])
def test_max_stale_yields_to_the_origin(origin, obeying, control):
    larder = obeying("max-stale")
    origin.on("/a", aged(control, b"old", ONE))
    larder.store("/a")
    origin.on("/a", answer(fields=[FRESH], body=b"new"))
    assert larder.get("/a", wish("max-stale")).body == b"new"
    assert larder.stats()["proxy.hits_stale"] == 0


def test_no_store(origin, obeying):
    larder = obeying("no-store")
    origin.on("/a", cacheable(b"hello", seconds=600))
    seen = larder.get("/a", wish("no-store"))
    assert seen.get("Cache-Status") == "larder;fwd=bypass;fwd-status=200;detail=client-directive"
    assert larder.store("/a").body == b"hello"
    assert not is_hit(larder.get("/a", wish("no-store")))
    assert is_hit(larder.get("/a"))
    stats = larder.wait(lambda s: s["reason.client-directive"] == 2)
    assert (stats["proxy.passes"], stats["store.appends"], len(origin.asked())) == (2, 1, 3)


def test_only_if_cached(origin, obeying):
    larder = obeying("only-if-cached")
    origin.on("/a", cacheable(b"hello", seconds=600))
    origin.on("/b", aged("max-age=60", b"old", ONE))
    seen = larder.get("/a", wish("only-if-cached"))
    assert seen.status == 504 and b"only-if-cached" in seen.body
    assert origin.asked() == []
    larder.store("/a")
    larder.store("/b")
    assert larder.get("/a", wish("only-if-cached")).body == b"hello"
    assert larder.get("/b", wish("only-if-cached")).status == 504  # what has to be validated is not there
    assert larder.get("/a", wish("only-if-cached"), ("Range", "bytes=1-2")).body == b"el"
    assert len(origin.asked()) == 2


def test_each_is_obeyed_alone(origin, obeying):
    larder = obeying("no-store")
    origin.on("/a", cacheable(b"hello", seconds=600))
    larder.store("/a")
    assert is_hit(larder.get("/a", wish("no-cache, max-age=0, min-fresh=10000")))


def test_a_client_cannot_have_more_than_the_origin_allows(origin, obeying):
    larder = obeying("max-age", "min-fresh", "no-cache", "max-stale")
    origin.on("/a", answer(fields=[("Cache-Control", "no-store")], body=b"x"))
    for value in ("max-age=1000", "max-stale", "only-if-cached"):
        assert larder.get("/a", wish(value)).body == b"x"
    assert len(origin.asked()) == 3 and larder.stats()["store.appends"] == 0
