"""Validation (RFC 9111 §4.3): what the origin is asked, what its 304 changes, what a client's conditions get."""

import pytest

from origin import Gate, aged, answer, cacheable, held

ONE, TWO = ("ETag", '"1"'), ("ETag", '"2"')
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
LAST_MODIFIED = ("Last-Modified", MODIFIED)
FRESH = ("Cache-Control", "max-age=600")


def not_modified(*fields):
    return lambda exchange: exchange.head(304, fields, "Not Modified")


@pytest.fixture
def stale(origin, larder):
    """Stores /a so that the next one who asks has it validated."""
    def store(*fields, body=b"old"):
        origin.on("/a", aged("max-age=60", body, *fields))
        larder.store("/a")
        origin.requests.clear()
    return store


# ── our request ──

def test_the_request_byte_by_byte(origin, larder, stale):
    """Our conditions in the place of the client's; all else of the client's, in its order and letter case."""
    stale(ONE, LAST_MODIFIED)
    origin.on("/a", not_modified(ONE, FRESH))
    seen = larder.get("/a", ("accept", "x/y"), ("If-None-Match", '"0"'), ("X-Mine", "a"), ("If-Modified-Since", "x"),
                      ("Cookie", "a=b"), ("x-mine", "b"), ("If-Range", '"1"'))
    assert seen.body == b"old"
    (request,) = origin.asked()
    assert request.start == "GET /a HTTP/1.1"
    ours = {"via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "surrogate-capability", "cdn-loop"}
    assert [(name, value) for name, value in request.fields if name.lower() not in ours] == [
        ("Host", "test"), ("accept", "x/y"), ("X-Mine", "a"), ("Cookie", "a=b"), ("x-mine", "b"),
        ("If-None-Match", '"1"'), ("If-Modified-Since", MODIFIED)]
    stats = larder.stats()
    assert (stats["proxy.revalidations"], stats["proxy.revalidated"], stats["origin.fetches"]) == (1, 1, 2)


@pytest.mark.parametrize("fields, tag, date", [
    ([ONE], '"1"', None),
    ([("ETag", 'W/"1"')], 'W/"1"', None),
    ([LAST_MODIFIED], None, MODIFIED),
    ([("Last-Modified", "Sunday, 06-Nov-94 08:49:37 GMT")], None, MODIFIED),   # sent in the one form that is left
    ([("ETag", "no-tag"), LAST_MODIFIED], None, MODIFIED),
])
def test_it_has_what_the_stored_answer_has(origin, larder, stale, fields, tag, date):
    stale(*fields)
    origin.on("/a", not_modified(FRESH))
    assert larder.get("/a").body == b"old"
    assert [(r.get("If-None-Match"), r.get("If-Modified-Since")) for r in origin.asked()] == [(tag, date)]


def test_head_has_it_validated_with_get(origin, larder, stale):
    stale(ONE)
    origin.on("/a", not_modified(ONE, FRESH))
    seen = larder.ask("HEAD", "/a")
    assert (seen.status, seen.get("Content-Length")) == (200, "3")
    assert [(r.method, r.get("If-None-Match")) for r in origin.asked()] == [("GET", '"1"')]
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == b"old" and len(origin.asked()) == 1


# ── the origin's 304 ──

def test_a_304_updates_fields(origin, larder, stale):
    """All but those that say how the body lies there (RFC 9111 §3.2)."""
    stale(ONE, ("Content-Type", "text/plain"), ("X-Stays", "1"), ("X-Changes", "1"), ("X-Changes", "2"),
          ("Content-Language", "de"))
    origin.on("/a", not_modified(ONE, FRESH, ("X-Changes", "3"), ("X-New", "4"), ("Content-Type", "image/png"),
                                 ("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-0/1"),
                                 ("Content-Language", "en"), ("Connection", "X-Hop"), ("X-Hop", "1")))
    first = larder.get("/a")
    larder.wait(lambda s: s["store.appends"] == 2)
    second = larder.get("/a")
    for seen in (first, second):
        assert (seen.status, seen.body, seen.all("Content-Length")) == (200, b"old", ["3"])
        assert (seen.all("X-Stays"), seen.all("X-Changes"), seen.all("X-New")) == (["1"], ["3"], ["4"])
        assert (seen.get("Content-Type"), seen.get("Content-Language")) == ("text/plain", "en")
        assert not seen.all("Content-Encoding") + seen.all("Content-Range") + seen.all("X-Hop")
        assert seen.all("Cache-Control") == ["max-age=600"] and len(seen.all("Date")) == 1
    assert first.get("Cache-Status").startswith("larder;fwd=stale;fwd-status=304;stored;ttl=")
    assert second.get("Cache-Status").startswith("larder;hit;ttl=") and int(second.get("Age")) < 100
    assert len(origin.asked()) == 1


def test_a_304_without_date_is_of_now(origin, larder):
    """RFC 9110 §6.6.1: what comes without a Date gets one; that of the old answer says nothing about the new one."""
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60"), ONE, ("Date", MODIFIED)], body=b"old"))
    larder.store("/a")
    origin.on("/a", not_modified(ONE, FRESH))
    assert larder.get("/a").get("Date") != MODIFIED
    larder.wait(lambda s: s["store.appends"] == 2)
    seen = larder.get("/a")
    assert seen.get("Cache-Status").startswith("larder;hit;ttl=") and int(seen.get("Age")) < 600
    assert len(origin.asked()) == 2


def test_a_304_may_forbid_storing(origin, larder, stale):
    """Who asked gets the answer; nobody after him."""
    stale(ONE)
    origin.on("/a", lambda x: not_modified(ONE, ("Cache-Control", "no-store"))(x) if x.request.get("If-None-Match")
              else x.answer(200, [("Cache-Control", "no-store")], b"new"))
    assert larder.get("/a").body == b"old"
    larder.wait(lambda s: s["store.objects"] == 0)
    assert larder.get("/a").body == b"new"
    assert [r.get("If-None-Match") for r in origin.asked()] == ['"1"', None]
    assert larder.stats()["store.appends"] == 1


@pytest.mark.parametrize("first, second", [(ONE, TWO), (("ETag", 'W/"1"'), TWO)])
def test_a_304_about_another_one(origin, larder, stale, first, second):
    """RFC 9111 §4.3.4: it selects nothing that is stored. The origin is asked for what it has, without conditions."""
    stale(first)
    origin.on("/a", lambda x: not_modified(second, FRESH)(x) if x.request.get("If-None-Match")
              else x.answer(200, [FRESH, second], b"new"))
    seen = larder.get("/a")
    assert (seen.status, seen.body, seen.get("ETag")) == (200, b"new", '"2"')
    assert [(r.get("If-None-Match"), r.get("If-Modified-Since")) for r in origin.asked()] == [
        (first[1], None), (None, None)]
    assert larder.stats()["proxy.revalidated"] == 0


def test_a_304_with_the_weak_form_of_the_same_tag_will_do(origin, larder, stale):
    stale(ONE)
    origin.on("/a", not_modified(("ETag", 'W/"1"'), FRESH))
    assert larder.get("/a").body == b"old" and len(origin.asked()) == 1
    assert larder.stats()["proxy.revalidated"] == 1


@pytest.mark.parametrize("fields", [[], [("If-None-Match", '"1"')], [("If-Modified-Since", MODIFIED)]])
def test_a_304_that_nobody_asked_for(origin, larder, fields):
    """The client's condition is answered here, so none was sent."""
    origin.on("/a", not_modified(ONE, FRESH))
    seen = larder.get("/a", *fields)
    assert seen.status == 502 and origin.asked()[0].get("If-None-Match") is None
    stats = larder.stats()
    assert (stats["proxy.errors"], stats["store.appends"]) == (1, 0)


def test_a_304_to_the_clients_own_condition_passes(origin, larder):
    """Where nothing can be stored, conditions go on to the origin, and its answer comes back."""
    origin.on("/a", answer(fields=[("Cache-Control", "no-store"), ONE], body=b"x"))
    larder.get("/a")
    origin.on("/a", not_modified(ONE))
    assert larder.get("/a", ("If-None-Match", '"1"')).status == 304
    assert origin.asked()[1].all("If-None-Match") == ['"1"']
    assert larder.get("/a").status == 502


def test_many_wait_for_one_304(origin, larder, stale):
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60, stale-while-revalidate=600"), ("Age", "100"), ONE],
                           body=b"old"))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, not_modified(ONE, FRESH)))
    assert larder.get("/a").body == b"old"
    gate.wait()
    with larder.client() as client:  # no condition of a client's prevents that it is answered now
        assert client.get("/a", ("If-None-Match", '"1"')).status == 304
        assert client.get("/a", ("If-None-Match", '"0"')).status == 200
    gate.open()
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.stats()["proxy.revalidations"] == 1


# ── the client's conditions ──

@pytest.fixture
def stored(origin, larder):
    """Asks for /a, which is fresh, with these fields."""
    origin.on("/a", cacheable(b"hello", ONE, LAST_MODIFIED, ("X-Else", "1"), seconds=600))
    larder.store("/a")
    yield lambda *fields, method="GET": larder.ask(method, "/a", fields)
    assert len(origin.asked()) == 1


@pytest.mark.parametrize("value, status", [
    ('"1"', 304), ('W/"1"', 304), ("*", 304), ('"0", "1"', 304), ('"0","x,y" , W/"1"', 304), (',"1"', 304),
    ('"2"', 200), ('"0", "2"', 200), ("1", 200), ("", 200), ('"1', 200), ('"0", *', 200),
])
def test_if_none_match(stored, larder, value, status):
    seen = stored(("If-None-Match", value))
    assert (seen.status, seen.body) == (status, b"" if status == 304 else b"hello")
    assert seen.get("ETag") == '"1"' and seen.get("Age") is not None
    assert seen.get("X-Else") == (None if status == 304 else "1")
    stats = larder.stats()
    assert (stats["proxy.hits"], stats["proxy.hits_not_modified"]) == (1, status == 304)


def test_if_none_match_in_two_lines(stored):
    assert stored(("If-None-Match", '"0"'), ("If-None-Match", '"1"')).status == 304


@pytest.mark.parametrize("value, status", [
    (MODIFIED, 304),
    ("Mon, 07 Nov 1994 08:49:37 GMT", 304),
    ("Sun Nov  6 08:49:37 1994", 304),
    ("Sun, 06 Nov 1994 08:49:36 GMT", 200),
    ("nonsense", 200),
])
def test_if_modified_since(stored, value, status):
    assert stored(("If-Modified-Since", value)).status == status


def test_if_none_match_decides_alone(stored):
    assert stored(("If-None-Match", '"2"'), ("If-Modified-Since", MODIFIED)).status == 200
    assert stored(("If-None-Match", '"1"'), ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")).status == 304


@pytest.mark.parametrize("name, value", [("If-Match", '"2"'), ("If-Match", "*"), ("If-Unmodified-Since", MODIFIED)])
def test_if_match_and_if_unmodified_since_are_the_origins(origin, larder, name, value):
    """RFC 9111 §4.3.2: they are about what the origin has, and go to it as they are, also where something is stored."""
    origin.on("/a", cacheable(b"hello", ONE, LAST_MODIFIED, seconds=600))
    larder.store("/a")
    origin.on("/a", answer(412, body=b"failed"))
    for method in ("GET", "HEAD"):
        seen = larder.ask(method, "/a", [(name, value), ("If-None-Match", '"1"')])
        assert seen.status == 412 and seen.get("Cache-Status").startswith("larder;fwd=bypass;fwd-status=412")
    assert [(r.method, r.all(name), r.all("If-None-Match")) for r in origin.asked()[1:]] == [
        ("GET", [value], ['"1"']), ("HEAD", [value], ['"1"'])]
    assert larder.get("/a").get("Cache-Status").startswith("larder;hit")


@pytest.mark.parametrize("fields, status", [
    ([("If-None-Match", '"1"')], 304), ([("If-None-Match", '"2"')], 200)])
def test_head(stored, fields, status):
    seen = stored(*fields, method="HEAD")
    assert seen.status == status and seen.body == b""


def test_date_stands_in_for_last_modified(origin, larder):
    """RFC 9111 §4.3.2"""
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=3000000000"), ("Date", MODIFIED)], body=b"x"))
    larder.store("/a")
    assert larder.get("/a", ("If-Modified-Since", MODIFIED)).status == 304
    assert larder.get("/a", ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")).status == 200
    origin.on("/b", cacheable(b"x"))
    larder.store("/b")
    assert larder.get("/b", ("If-Modified-Since", MODIFIED)).status == 200
    assert larder.get("/b", ("If-Modified-Since", "Sun, 06 Nov 2044 08:49:37 GMT")).status == 304
    assert len(origin.asked()) == 2


def test_only_a_2xx_is_conditional(origin, larder):
    origin.on("/a", answer(404, [FRESH, ONE], b"none"))
    larder.store("/a")
    assert larder.get("/a", ("If-None-Match", '"1"')).status == 404


def test_conditions_are_held_against_what_the_origin_sends_now(origin, larder, stale):
    stale(ONE)
    origin.on("/a", answer(fields=[FRESH, TWO], body=b"new"))
    assert larder.get("/a", ("If-None-Match", '"2"')).status == 304
    larder.wait(lambda s: s["store.appends"] == 2)
    assert larder.get("/a").body == b"new"
