"""Stale objects are checked with the origin, and one check serves all who wait."""

from origin import Gate, answer
from server import settings

ETAG = ("ETag", '"1"')


def expiring(body=b"hello", *fields):
    """Stale from the start, but worth keeping: it has a validator."""
    return answer(fields=[("Cache-Control", "max-age=0"), *fields], body=body)


def test_304_makes_it_fresh_again(origin, larder):
    origin.on("/a", expiring(b"hello", ETAG, ("X-Version", "1")))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", lambda x: x.head(304, [ETAG, ("Cache-Control", "max-age=60"), ("X-Version", "2")]))
    second = larder.get("/a")
    larder.wait_stored(2)
    third = larder.get("/a")
    assert second.status == 200 and second.body == third.body == b"hello"
    assert second.get("X-Version") == third.get("X-Version") == "2"
    assert second.get("Cache-Status").startswith("larder;fwd=stale;fwd-status=304;stored")
    assert third.get("Cache-Status").startswith("larder;hit")
    assert [r.get("If-None-Match") for r in origin.asked()] == [None, '"1"']
    stats = larder.stats()
    assert (stats["proxy.revalidations"], stats["proxy.revalidated"]) == (1, 1)


def test_last_modified_validates_too(origin, larder):
    modified = "Sun, 06 Nov 1994 08:49:37 GMT"
    origin.on("/a", expiring(b"hello", ("Last-Modified", modified)))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", lambda x: x.head(304, [("Cache-Control", "max-age=60")]))
    assert larder.get("/a").body == b"hello"
    assert origin.asked()[1].get("If-Modified-Since") == modified


def test_200_replaces_it(origin, larder):
    origin.on("/a", expiring(b"old", ETAG))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60"), ("ETag", '"2"')], body=b"new"))
    assert larder.get("/a").body == b"new"
    larder.wait_stored(2)
    assert larder.get("/a").body == b"new" and len(origin.asked()) == 2
    assert larder.stats()["store.objects"] == 1


def test_no_cache_is_validated_each_time(origin, larder):
    origin.on("/a", answer(fields=[("Cache-Control", "no-cache, max-age=60"), ETAG], body=b"hello"))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", lambda x: x.head(304, [ETAG]))
    for _ in range(3):
        assert larder.get("/a").body == b"hello"
    assert [r.get("If-None-Match") for r in origin.asked()] == [None] + 3 * ['"1"']
    assert larder.stats()["store.appends"] == 1  # what did not change is not written again


def test_one_validation_for_all(origin, start):
    larder = start(config=settings(origin, "client-no-cache on"))
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60"), ETAG], body=b"hello"))
    larder.get("/a")
    larder.wait_stored()
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.head(304, [ETAG, ("Cache-Control", "max-age=60")])

    origin.on("/a", handler)
    clients = [larder.client() for _ in range(20)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nCache-Control: no-cache\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 19)
    gate.open()
    for client in clients:
        assert client.reader.answer().body == b"hello"
        client.close()
    assert len(origin.asked()) == 2


def test_nobody_waits_where_each_answer_must_be_validated(origin, larder):
    origin.on("/a", expiring(b"hello", ETAG))
    larder.get("/a")
    larder.wait_stored()
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.head(304, [ETAG, ("Cache-Control", "max-age=0")])

    origin.on("/a", handler)
    clients = [larder.client() for _ in range(5)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    for _ in clients:
        gate.wait()  # all of them at the origin at the same time
    gate.open()
    for client in clients:
        assert client.reader.answer().body == b"hello"
        client.close()
    assert larder.stats()["proxy.followers"] == 0


def test_the_clients_own_condition_is_answered_after_validation(origin, larder):
    origin.on("/a", expiring(b"hello", ETAG))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", lambda x: x.head(304, [ETAG, ("Cache-Control", "max-age=60")]))
    assert larder.get("/a", ("If-None-Match", '"1"')).status == 304
    assert larder.get("/a", ("If-None-Match", '"0"')).body == b"hello"


def test_an_error_while_validating(origin, larder):
    origin.on("/a", expiring(b"hello", ETAG))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", answer(500, body=b"broken"))
    assert larder.get("/a").status == 500
