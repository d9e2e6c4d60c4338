"""stale-if-error (RFC 5861 §4), and RFC 9111 §4.2.4: better stale than an error, where nobody forbids it."""

import socket

import pytest

from origin import Gate, aged, answer, held
from server import settings

KEPT = "max-age=60, stale-if-error=600"


def stands_in(seen, body=b"old"):
    told = seen.get("Cache-Status")
    return (seen.status, seen.body) == (200, body) and told.endswith("detail=stale-if-error")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_for_an_error_of_the_origin(origin, larder, status):
    origin.on("/a", aged(KEPT))
    larder.store("/a")
    origin.on("/a", answer(status, body=b"broken"))
    seen = larder.get("/a")
    assert stands_in(seen) and seen.get("Cache-Status").startswith("larder;fwd=stale")
    assert int(seen.get("Age")) >= 100
    stats = larder.wait(lambda s: s["reason.stale-if-error"] == 1)
    assert (stats["proxy.stood_in"], stats["proxy.errors"]) == (1, 0)
    assert (stats["store.objects"], stats["store.removed"]) == (1, 0)


@pytest.mark.parametrize("status", [404, 410, 501, 505])
def test_not_for_what_the_origin_means(origin, larder, status):
    origin.on("/a", aged(KEPT))
    larder.store("/a")
    origin.on("/a", answer(status, body=b"meant"))
    seen = larder.get("/a")
    assert (seen.status, seen.body) == (status, b"meant")
    assert larder.stats()["proxy.stood_in"] == 0


@pytest.mark.parametrize("control", [
    KEPT + ", must-revalidate",
    KEPT + ", proxy-revalidate",
    KEPT + ", no-cache",
    "s-maxage=60, stale-if-error=600",
    "max-age=60, stale-if-error=20",   # that time is over
    "max-age=60, stale-if-error=0",
])
@pytest.mark.parametrize("failure", ["status", "cut"])
def test_not_where_the_origin_forbids_it(origin, larder, control, failure):
    origin.on("/a", aged(control, b"old", ("ETag", '"1"')))
    larder.store("/a")
    origin.on("/a", answer(503, body=b"broken") if failure == "status" else lambda x: x.close())
    seen = larder.get("/a")
    assert seen.status == (503 if failure == "status" else 502) and b"old" not in seen.body
    stats = larder.stats()
    assert (stats["proxy.stood_in"], stats["reason.stale-if-error"]) == (0, 0)
    assert stats["proxy.errors"] == (0 if failure == "status" else 1)  # only an error of our own counts


def test_the_settings_say_how_long_where_the_origin_does_not(origin, start):
    yes, no = (start(config=settings(origin, f"stale-if-error {time}")) for time in ("10m", "0"))
    for larder, status in ((yes, 200), (no, 500)):
        origin.on("/a", aged("max-age=60", b"old", ("ETag", '"1"')))
        larder.store("/a")
        origin.on("/a", answer(500, body=b"broken"))
        assert larder.get("/a").status == status
    assert (yes.stats()["proxy.stood_in"], no.stats()["proxy.stood_in"]) == (1, 0)


def cut_in_the_head(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    exchange.close()


@pytest.mark.parametrize("handler", [
    lambda x: x.close(),
    lambda x: x.reset(),
    cut_in_the_head,
    lambda x: x.send(b"no HTTP at all\r\n\r\n"),
])
def test_for_a_connection_that_breaks(origin, larder, handler):
    origin.on("/a", aged(KEPT))
    larder.store("/a")
    origin.on("/a", handler)
    assert stands_in(larder.get("/a"))
    stats = larder.stats()
    assert (stats["proxy.stood_in"], stats["proxy.errors"]) == (1, 0)


def test_for_a_refused_connection(origin, larder):
    origin.on("/a", aged(KEPT))
    larder.store("/a")
    origin.listener.shutdown(socket.SHUT_RDWR)
    origin.listener.close()
    origin.drop_connections()
    assert stands_in(larder.get("/a"))
    assert larder.stats()["origin.failures"] == 1


def test_for_an_origin_that_is_silent(origin, start):
    larder = start(config=settings(origin, "timeout first-byte 50ms"))
    gate = Gate()
    origin.on("/a", aged(KEPT))
    while larder.stats()["store.appends"] == 0:  # a machine that is busy enough loses that race now and then
        assert len(origin.asked()) < 100
        larder.get("/a")
    origin.on("/a", held(gate, answer(body=b"late")))
    assert stands_in(larder.get("/a"))
    assert larder.stats()["proxy.stood_in"] == 1
    gate.open()


def test_not_once_the_answer_has_begun(origin, larder):
    """What is on its way cannot be taken back: the client sees that it is not whole."""
    origin.on("/a", aged(KEPT))
    larder.store("/a")

    def breaks_off(exchange):
        exchange.head(200, [("Cache-Control", "max-age=60"), ("Content-Length", "10")])
        exchange.send(b"new")
        exchange.close()

    origin.on("/a", breaks_off)
    assert not larder.get("/a").whole
    origin.on("/a", answer(500, body=b"broken"))
    assert stands_in(larder.get("/a"))  # and the old one is still there


def test_followers_get_it_too(origin, start):
    larder = start(config=settings(origin, "client-no-cache on"))
    origin.on("/a", answer(fields=[("Cache-Control", KEPT)], body=b"old"))
    larder.store("/a")
    gate = Gate()
    origin.on("/a", held(gate, answer(503, body=b"broken")))
    clients = [larder.client() for _ in range(6)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nCache-Control: no-cache\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 5)
    gate.open()
    for client in clients:
        assert stands_in(client.reader.answer())
        client.close()
    assert len(origin.asked()) == 2
    assert larder.stats()["proxy.stood_in"] == 6


def test_after_trouble_the_origin_is_left_alone_for_a_while(origin, larder):
    """Five seconds: what is asked in one breath is well within."""
    origin.on("/a", aged(KEPT))
    larder.store("/a")
    origin.on("/a", answer(500, body=b"broken"))
    with larder.client() as client:
        client.send(5 * b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        seen = [client.reader.answer() for _ in range(5)]
    assert all(map(stands_in, seen))
    assert seen[0].get("Cache-Status").startswith("larder;fwd=stale")
    assert seen[1].get("Cache-Status").startswith("larder;hit")
    assert len(origin.asked()) == 2
    stats = larder.stats()
    assert (stats["proxy.stood_in"], stats["proxy.hits"], stats["origin.fetches"]) == (5, 4, 2)


def test_trouble_of_one_url_is_not_that_of_another(origin, larder):
    for path in ("/a", "/b"):
        origin.on(path, aged(KEPT))
        larder.store(path)
    origin.on("/a", answer(500, body=b"broken"))
    origin.on("/b", answer(fields=[("Cache-Control", "max-age=60")], body=b"new"))
    assert stands_in(larder.get("/a"))
    assert larder.get("/b").body == b"new"


def test_what_stands_in_keeps_its_conditions_and_ranges(origin, larder):
    origin.on("/a", aged(KEPT, b"0123456789", ("ETag", '"1"')))
    larder.store("/a")
    origin.on("/a", answer(500, body=b"broken"))
    assert larder.get("/a", ("If-None-Match", '"1"')).status == 304
    part = larder.get("/a", ("Range", "bytes=2-4"))
    assert (part.status, part.body, part.get("Content-Range")) == (206, b"234", "bytes 2-4/10")
    assert larder.ask("HEAD", "/a").get("Content-Length") == "10"
