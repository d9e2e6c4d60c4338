"""One fetch for all who ask, and what happens when somebody leaves or breaks."""

import threading

from origin import Gate, answer

REQUEST = b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n"
FRESH = ("Cache-Control", "max-age=60")


def ask_together(larder, count, request=REQUEST):
    clients = [larder.client() for _ in range(count)]
    for client in clients:
        client.send(request)
    return clients


def test_one_fetch_for_a_hundred(origin, larder):
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.answer(200, [FRESH], b"x" * 100000)

    origin.on("/a", handler)
    clients = ask_together(larder, 100)
    larder.wait(lambda s: s["proxy.followers"] == 99)
    gate.open()
    for client in clients:
        seen = client.reader.answer()
        assert seen.whole and seen.body == b"x" * 100000
        client.close()
    assert len(origin.asked()) == 1
    stats = larder.stats()
    assert (stats["origin.fetches"], stats["proxy.misses"], stats["proxy.followers"]) == (1, 1, 99)


def test_followers_read_while_it_arrives(origin, larder):
    """A follower that comes in the middle has the beginning at once, and the rest as it comes."""
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [FRESH, ("Content-Length", "10")])
        exchange.send(b"first")
        gate.hold()
        exchange.send(b"later")

    origin.on("/a", handler)
    leader, = ask_together(larder, 1)
    assert leader.reader.head().status == 200 and leader.reader.exactly(5) == b"first"
    gate.wait()
    follower, = ask_together(larder, 1)
    assert follower.reader.head().status == 200 and follower.reader.exactly(5) == b"first"
    gate.open()
    for client in (leader, follower):
        assert client.reader.exactly(5) == b"later"
        client.close()
    assert len(origin.asked()) == 1


def test_unknown_length_is_chunked_for_11_and_closed_for_10(origin, larder):
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [FRESH, ("Transfer-Encoding", "chunked")])
        exchange.chunk(b"one")
        gate.hold()
        exchange.chunk(b"two")
        exchange.end_chunks()

    origin.on("/a", handler)
    new, = ask_together(larder, 1)
    head = new.reader.head()
    assert head.get("Transfer-Encoding") == "chunked"
    old, = ask_together(larder, 1, b"GET /a HTTP/1.0\r\nHost: test\r\n\r\n")
    gate.open()
    new.reader.body(head, "GET")
    assert head.whole and head.body == b"onetwo"
    seen = old.reader.answer()
    assert seen.body == b"onetwo" and seen.get("Transfer-Encoding") is None
    larder.wait_stored()
    stored = larder.get("/a")
    assert stored.get("Content-Length") == "6" and stored.get("Transfer-Encoding") is None
    new.close(), old.close()


def test_a_leader_that_leaves_hurts_nobody(origin, larder):
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.answer(200, [FRESH], b"hello")

    origin.on("/a", handler)
    leader, = ask_together(larder, 1)
    gate.wait()
    followers = ask_together(larder, 5)
    larder.wait(lambda s: s["proxy.followers"] == 5)
    leader.close()
    gate.open()
    for client in followers:
        assert client.reader.answer().body == b"hello"
        client.close()
    larder.wait_stored()
    assert len(origin.asked()) == 1


def test_a_fetch_that_everybody_left_still_fills_the_cache(origin, larder):
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.answer(200, [FRESH], b"hello")

    origin.on("/a", handler)
    client, = ask_together(larder, 1)
    gate.wait()
    client.close()
    gate.open()
    larder.wait_stored()
    assert larder.get("/a").get("Cache-Status").startswith("larder;hit")


def test_an_origin_that_dies_in_the_body_is_not_hidden(origin, larder):
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [FRESH, ("Content-Length", "1000")])
        exchange.send(b"x" * 500)
        gate.hold()
        exchange.close()

    origin.on("/a", handler)
    leader, = ask_together(larder, 1)
    gate.wait()
    followers = ask_together(larder, 5)
    larder.wait(lambda s: s["proxy.followers"] == 5)
    gate.open()
    for client in (leader, *followers):
        seen = client.reader.answer()
        assert seen.status == 200 and not seen.whole
        client.close()
    assert larder.stats()["store.appends"] == 0
    origin.on("/a", answer(fields=[FRESH], body=b"healed"))
    assert larder.get("/a").body == b"healed"


def test_a_chunked_body_that_is_cut_has_no_last_chunk(origin, larder):
    def handler(exchange):
        exchange.head(200, [FRESH, ("Transfer-Encoding", "chunked")])
        exchange.chunk(b"x" * 500)
        exchange.close()

    origin.on("/a", handler)
    assert not larder.get("/a").whole
    assert larder.stats()["store.appends"] == 0


def test_an_uncacheable_answer_releases_all_at_once(origin, larder):
    """The followers' own fetches are all under way before any of them is answered."""
    first, others = Gate(), Gate()

    def handler(exchange):
        (first if len(origin.asked()) == 1 else others).hold()
        exchange.answer(200, [("Cache-Control", "private")], exchange.request.get("X-Who").encode())

    origin.on("/a", handler)
    clients = [larder.client() for _ in range(20)]
    for i, client in enumerate(clients):
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nX-Who: %d\r\n\r\n" % i)
        if i == 0:
            first.wait()
    larder.wait(lambda s: s["proxy.followers"] == 19)
    first.open()
    for _ in range(19):
        others.wait()
    others.open()
    for i, client in enumerate(clients):
        assert client.reader.answer().body == b"%d" % i
        client.close()
    stats = larder.stats()
    assert stats["proxy.released"] == 19 and stats["store.appends"] == 0

    # From now on nobody waits for anybody.
    assert larder.get("/a", ("X-Who", "me")).get("Cache-Status").endswith("detail=private")
    assert larder.stats()["proxy.followers"] == 19


def test_failure_is_told_to_all(origin, larder):
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.close()

    origin.on("/a", handler)
    clients = ask_together(larder, 10)
    larder.wait(lambda s: s["proxy.followers"] == 9)
    gate.open()
    for client in clients:
        assert client.reader.answer().status == 502
        client.close()


def test_a_slow_reader_does_not_make_larder_hold_the_body(origin, larder):
    """The origin is read only as fast as the client reads: beyond what the kernel's buffers take (two sockets of
    32 MB at most) it can send nothing while nobody reads."""
    sent = []

    def handler(exchange):
        exchange.sock.settimeout(1)
        exchange.head(200, [("Cache-Control", "no-store"), ("Content-Length", str(256 << 20))])
        try:
            for _ in range(256):
                exchange.send(b"x" * (1 << 20))
                sent.append(1)
        except TimeoutError:
            pass
        done.set()
        exchange.close()

    done = threading.Event()
    origin.on("/a", handler)
    client, = ask_together(larder, 1)
    assert done.wait(60)
    assert len(sent) < 128
    client.close()
