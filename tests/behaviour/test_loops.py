"""CDN-Loop (RFC 8586): each request says through whom it came, and one that came through here is not sent on."""

import re

from origin import cacheable


def test_our_id_is_appended(origin, start):
    larder = start(workers=1)
    for target in ("/a", "/b", "/c"):
        origin.on(target, cacheable())
    larder.get("/a")
    larder.get("/b", ("CDN-Loop", "cdn.example; v=1"), ("CDN-Loop", "another"))
    larder.ask("POST", "/c", [("CDN-Loop", "cdn.example")], body=b"x")
    (own,) = origin.asked("/a")[0].all("CDN-Loop")
    assert re.fullmatch(r"larder-[0-9a-f]{8}", own)
    assert origin.asked("/b")[0].all("CDN-Loop") == ["cdn.example; v=1", "another", own]
    assert origin.asked("/c")[0].all("CDN-Loop") == ["cdn.example", own]


def test_a_request_that_came_through_here_is_refused(origin, larder):
    """Whichever worker takes it: the id is the server's."""
    origin.on("/a", cacheable())
    larder.get("/a")
    own = origin.asked()[0].get("CDN-Loop")
    for value in (own, own.upper(), f"cdn.example, {own}; x=1"):
        for _ in range(8):
            seen = larder.get("/b", ("CDN-Loop", value))
            assert seen.status == 508 and b"loop" in seen.body
    assert larder.ask("POST", "/b", [("CDN-Loop", own)], body=b"x").status == 508
    assert [r.target for r in origin.asked()] == ["/a"]
    assert larder.stats()["origin.fetches"] == 1


def test_two_larders_in_a_row_are_no_loop(origin, start):
    origin.on("/a", cacheable(b"hello"))
    inner = start()
    outer = start(origin=f"127.0.0.1:{inner.port}")
    assert outer.get("/a").body == b"hello"
    first, second = origin.asked()[0].all("CDN-Loop")
    assert first != second


def test_a_ring_ends_at_once(origin, start):
    """The origin sends what it gets back to the front: that one comes no further."""
    origin.on("/b", cacheable())

    def ring(exchange):
        back = larder.get("/a", *(("CDN-Loop", value) for value in exchange.request.all("CDN-Loop")))
        exchange.answer(back.status, [("Cache-Control", "no-store")], back.body)

    larder = start()
    origin.on("/a", ring)
    assert larder.get("/a").status == 508
    assert len(origin.asked("/a")) == 1
