"""Interim answers (RFC 9110 §15.2, RFC 8297): they pass at once, and only for whom they were sent."""

import pytest

from origin import Gate


def interim(status, fields, gate=None, **more):
    def handler(exchange):
        exchange.head(status, fields, "Soon")
        if gate is not None:
            gate.hold()
        exchange.answer(200, [("Cache-Control", "max-age=60"), ("X-Final", "yes")], b"hello")
    return handler


@pytest.mark.parametrize("status, fields", [
    (102, [("X-Progress", "half")]),
    (103, [("Link", "</style.css>; rel=preload"), ("Link", "</b.js>; rel=preload")]),
])
def test_it_passes_at_once_and_is_not_repeated(origin, larder, status, fields):
    gate = Gate()
    origin.on("/a", interim(status, fields, gate))
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        early = client.reader.head()  # the final answer is not even there yet
        assert early.status == status and early.fields == fields
        gate.open()
        final = client.reader.answer()
    assert (final.status, final.body, final.interim) == (200, b"hello", [])
    larder.wait_stored()
    hit = larder.get("/a")
    assert hit.get("Cache-Status").startswith("larder;hit") and hit.interim == []
    assert hit.get("X-Final") == "yes" and hit.get("Link") is None and hit.get("X-Progress") is None
    stats = larder.stats()
    assert (stats["store.appends"], stats["origin.fetches"], stats["proxy.hits"]) == (1, 1, 1)


def test_several(origin, larder):
    def handler(exchange):
        exchange.head(102, reason="Processing")
        exchange.head(103, [("Link", "</a>")], "Early Hints")
        exchange.head(103, [("Link", "</b>")], "Early Hints")
        exchange.answer(200, [("Cache-Control", "max-age=60")], b"hello")

    origin.on("/a", handler)
    seen = larder.get("/a")
    assert [(early.status, early.get("Link")) for early in seen.interim] == [(102, None), (103, "</a>"), (103, "</b>")]
    assert seen.body == b"hello"


def test_fields_of_one_connection_stay_behind(origin, larder):
    origin.on("/a", interim(103, [("Connection", "X-Hop"), ("X-Hop", "1"), ("X-End", "2")]))
    assert larder.get("/a").interim[0].fields == [("X-End", "2")]


def test_none_for_http_1_0(origin, larder):
    """RFC 9110 §15.2"""
    origin.on("/a", interim(103, [("Link", "</a>")]))
    seen = larder.ask("GET", "/a", version="HTTP/1.0")
    assert seen.interim == [] and seen.body == b"hello"


def test_followers_get_the_final_answer_only(origin, larder):
    gate = Gate()
    origin.on("/a", interim(103, [("Link", "</a>")], gate))
    leader, follower = larder.client(), larder.client()
    leader.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    assert leader.reader.head().status == 103
    follower.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 1)
    gate.open()
    for client in (leader, follower):
        seen = client.reader.answer()
        assert (seen.body, seen.interim) == (b"hello", [])
        client.close()
    assert len(origin.asked()) == 1


def test_with_a_validation(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "no-cache"), ("ETag", '"1"')], b"hello"))
    larder.store("/a")

    def handler(exchange):
        exchange.head(103, [("Link", "</a>")], "Early Hints")
        exchange.head(304, [("ETag", '"1"')], "Not Modified")

    origin.on("/a", handler)
    seen = larder.get("/a")
    assert [early.get("Link") for early in seen.interim] == ["</a>"]
    assert (seen.status, seen.body, seen.get("Link")) == (200, b"hello", None)
