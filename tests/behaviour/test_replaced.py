"""What was stale and is replaced: once the head of the new answer has come, nobody holds the old one's place in the store."""

import pytest

from origin import Gate, aged, cacheable
from test_slices import body, small  # noqa: F401

SIZE = 64 * 1024


def turn_over(origin, larder):
    """Stores more than the store has room for, in pieces: every segment is emptied that can be."""
    origin.on("/filling", cacheable(body("filling", 200_000)))
    for number in range(200):
        larder.get(f"/filling?{number}")
    larder.wait(lambda s: s["store.appends"] + s["store.append_failed"] >= 201 and s["store.evicted"] >= 20)


@pytest.mark.parametrize("control", ["max-age=60", "no-store"])
@pytest.mark.parametrize("size", [SIZE, 40 * SIZE])
def test_nobody_holds_what_is_replaced(origin, small, control, size):  # noqa: F811
    """The leader and one who follows read the new answer slowly: the origin has sent no more than its beginning."""
    gate, asked = Gate(), Gate()
    new = body("new", size)
    origin.on("/a", aged("max-age=10", body("old", 200_000), ("ETag", '"old"')))
    small.store("/a")

    def replace(exchange):
        asked.hold()
        exchange.head(200, [("Cache-Control", control), ("ETag", '"new"'), ("Content-Length", str(size))])
        exchange.send(new[:1000])
        gate.hold()
        exchange.send(new[1000:])

    origin.on("/a", replace)
    clients = [small.client() for _ in range(2 if control != "no-store" else 1)]
    for client in clients:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    small.wait(lambda s: s["proxy.requests"] == 1 + len(clients))
    asked.open()
    for client in clients:
        assert client.reader.head().status == 200
    turn_over(origin, small)
    assert small.stats()["store.segments_pinned"] == 0
    gate.open()
    for client in clients:
        assert client.reader.exactly(size) == new
        client.close()
