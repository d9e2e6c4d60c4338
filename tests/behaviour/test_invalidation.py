"""Invalidation (RFC 9111 §4.4): an unsafe request that did not fail makes old what it may have changed."""

import pytest

from origin import Gate, answer, cacheable, held


@pytest.fixture
def stored(origin, larder):
    """Stores these targets; gives a function that says which of them are stored still."""
    def store(*targets):
        for target in targets:
            origin.on(target.split("?")[0], cacheable(target.encode(), seconds=600))
            larder.store(target)

        def left():
            return {target for target in targets if larder.get(target).get("Cache-Status").startswith("larder;hit")}
        return left
    return store


def change(origin, larder, method="POST", target="/a", status=200, *fields, host="test", **more):
    """An unsafe request whose answer has that status and these fields."""
    before = origin.handlers.get(target)
    origin.on(target, answer(status, fields, b"" if status in (204, 304) else b"done"))
    with larder.client() as client:
        seen = client.ask(method, target, body=b"change", host=host, **more)
    assert seen.status == status
    origin.on(target, before or origin.default)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "FROBNICATE", "get"])
def test_unsafe_methods_invalidate(origin, larder, stored, method):
    left = stored("/a", "/b")
    change(origin, larder, method)
    assert left() == {"/b"}
    larder.wait(lambda s: (s["store.removed"], s["proxy.invalidations"]) == (1, 1))
    assert [r.method for r in origin.asked("/a")] == ["GET", method, "GET"]


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD"])
def test_safe_methods_do_not(origin, larder, stored, method):
    left = stored("/a")
    change(origin, larder, method)  # with a body, so that it passes
    assert larder.stats()["proxy.invalidations"] == 0
    assert left() == {"/a"}


@pytest.mark.parametrize("status, gone", [
    (200, True), (201, True), (204, True), (299, True), (302, True), (303, True), (399, True),
    (400, False), (404, False), (409, False), (500, False), (503, False)])
def test_only_what_did_not_fail_does(origin, larder, stored, status, gone):
    left = stored("/a")
    change(origin, larder, "POST", "/a", status)
    if gone:
        larder.wait(lambda s: s["store.removed"] == 1)
    assert larder.stats()["proxy.invalidations"] == gone
    assert left() == (set() if gone else {"/a"})


@pytest.mark.parametrize("field", ["Location", "Content-Location"])
@pytest.mark.parametrize("reference", [
    "http://test/d/b", "HTTP://TEST:80/d/b", "https://test/d/b", "//test/d/b", "/d/b", "b", "./b", "../d/x/../b",
    "/d/b#part"])
def test_what_the_answer_names_goes_too(origin, larder, stored, field, reference):
    left = stored("/d/a", "/d/b", "/d/c")
    change(origin, larder, "POST", "/d/a", 201, (field, reference))
    larder.wait(lambda s: s["store.removed"] == 2)
    assert larder.stats()["proxy.invalidations"] == 2
    assert left() == {"/d/c"}


@pytest.mark.parametrize("reference", [
    "http://other/b", "//other/b", "http://test.other/b", "http://test:81/b", "http://test@other/b", "ftp://test/b",
    "mailto:b", "http://", "/b?", "/b?x=1"])
def test_another_host_or_url_does_not(origin, larder, stored, reference):
    left = stored("/a", "/b")
    for field in ("Location", "Content-Location"):
        change(origin, larder, "POST", "/a", 201, (field, reference))
    assert left() == {"/b"}
    larder.wait(lambda s: s["store.removed"] == 1)


def test_both_fields_count(origin, larder, stored):
    left = stored("/a", "/b", "/c", "/d")
    change(origin, larder, "PUT", "/a", 201, ("Location", "/b"), ("Content-Location", "/c"))
    larder.wait(lambda s: s["store.removed"] == 3)
    assert left() == {"/d"}


def test_queries_are_urls_of_their_own(origin, larder, stored):
    left = stored("/a", "/a?x=1", "/a?x=2")
    change(origin, larder, "POST", "/a", 200, ("Location", "?x=1"))
    larder.wait(lambda s: s["store.removed"] == 2)
    assert left() == {"/a?x=2"}


def test_an_answer_that_failed_names_nothing(origin, larder, stored):
    left = stored("/a", "/b")
    change(origin, larder, "POST", "/a", 400, ("Location", "/b"))
    assert left() == {"/a", "/b"}


def test_hosts_are_apart(origin, larder):
    origin.on("/a", cacheable(b"x", seconds=600))
    for host in ("test", "other"):
        before = larder.stats()["store.appends"]
        larder.get("/a", host=host)
        larder.wait(lambda s: s["store.appends"] > before)
    change(origin, larder, host="other")
    larder.wait(lambda s: s["store.removed"] == 1)
    assert larder.get("/a", host="test").get("Cache-Status").startswith("larder;hit")
    assert larder.get("/a", host="other").get("Cache-Status").startswith("larder;fwd=uri-miss")


def test_all_variants_go(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "max-age=600"), ("Vary", "X-V")], b"x"))
    for value in "123":
        larder.store("/a", ("X-V", value), appends=2)
    change(origin, larder)
    larder.wait(lambda s: s["store.objects"] == 0)
    for value in "123":
        assert larder.get("/a", ("X-V", value)).get("Cache-Status").startswith("larder;fwd=")


def test_the_next_request_sees_what_was_changed(origin, larder):
    """From the moment at which the unsafe request is answered nobody gets the old one."""
    version = [0]

    def handler(exchange):
        if exchange.request.method == "POST":
            version[0] += 1
            exchange.answer(303, [("Location", "/a?list")])
        else:
            exchange.answer(200, [("Cache-Control", "max-age=600")], b"%d" % version[0])

    origin.on("/a", handler)
    with larder.client() as client:
        for changes in range(50):
            for target in ("/a", "/a?list"):
                assert client.get(target).body == b"%d" % changes
            larder.wait(lambda s: s["store.appends"] == s["proxy.stored"] == 2 * changes + 2)
            assert client.ask("POST", "/a", body=b"x").status == 303
    assert larder.stats()["proxy.invalidations"] == 100


def test_what_is_fetched_meanwhile_is_not_stored(origin, larder):
    """The answer under way may be from before the change: those who wait get it, and nobody after them."""
    gate = Gate()
    origin.on("/a", held(gate, cacheable(b"before", seconds=600)))
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        gate.wait()
        change(origin, larder)
        origin.on("/a", cacheable(b"after", seconds=600))
        assert larder.store("/a").body == b"after"
        gate.open()
        assert client.reader.answer().body == b"before"
    larder.wait(lambda s: s["proxy.requests_active"] == 0)
    assert larder.get("/a").body == b"after"
    assert larder.stats()["store.appends"] == 1


# ── POST ──

def test_a_post_may_answer_later_gets(origin, larder):
    """RFC 9110 §9.3.3: with freshness of its own, and the URL as its Content-Location."""
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=600"), ("Content-Location", "/a")], body=b"posted"))
    first = larder.ask("POST", "/a", body=b"x")
    assert first.body == b"posted" and first.get("Cache-Status").startswith("larder;fwd=method;fwd-status=200;stored")
    larder.wait_stored()
    seen = larder.get("/a")
    assert seen.body == b"posted" and seen.get("Cache-Status").startswith("larder;hit")
    assert larder.ask("POST", "/a", body=b"x").get("Cache-Status").startswith("larder;fwd=method")  # itself never a hit
    assert [r.method for r in origin.asked()] == ["POST", "POST"]


@pytest.mark.parametrize("status, fields", [
    (200, [("Cache-Control", "max-age=600")]),
    (200, [("Cache-Control", "max-age=600"), ("Content-Location", "/b")]),
    (200, [("Cache-Control", "max-age=600"), ("Content-Location", "http://other/a")]),
    (200, [("Content-Location", "/a")]),
    (200, [("Content-Location", "/a"), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")]),
    (200, [("Content-Location", "/a"), ("Cache-Control", "no-cache"), ("ETag", '"1"')]),
    (200, [("Content-Location", "/a"), ("Cache-Control", "private, max-age=600")]),
    (201, [("Cache-Control", "max-age=600"), ("Content-Location", "/a")]),
])
def test_any_other_does_not(origin, larder, status, fields):
    origin.on("/a", answer(status, fields, b"posted"))
    assert larder.ask("POST", "/a", body=b"x").status == status
    larder.wait(lambda s: s["proxy.requests_active"] == 0)
    origin.on("/a", cacheable(b"got"))
    assert larder.get("/a").body == b"got"


def test_put_and_head_are_not_posts(origin, larder):
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=600"), ("Content-Location", "/a")], body=b"put"))
    larder.ask("PUT", "/a", body=b"x")
    origin.on("/a", cacheable(b"got"))
    assert larder.get("/a").body == b"got"
