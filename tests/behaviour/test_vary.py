"""Vary: one URL, several answers, each for those who select it."""

from origin import Gate


def language(exchange):
    language = exchange.request.get("Accept-Language", "none")
    exchange.answer(200, [("Cache-Control", "max-age=60"), ("Vary", "Accept-Language")], language.encode())


def test_each_variant_is_stored_once(origin, larder):
    origin.on("/a", language)
    for _ in range(2):
        for value in ("de", "en", "fr"):
            assert larder.get("/a", ("Accept-Language", value)).body == value.encode()
        larder.wait(lambda s: s["store.objects"] == 4)  # three variants and their marker
    assert larder.get("/a").body == b"none"
    assert len(origin.asked()) == 4


def test_a_missing_field_matches_only_a_missing_field(origin, larder):
    origin.on("/a", language)
    assert larder.get("/a", ("Accept-Language", "")).body == b""
    larder.wait(lambda s: s["store.objects"] == 2)
    assert larder.get("/a").body == b"none"


def test_accept_encoding_is_normalised(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "max-age=60"), ("Vary", "Accept-Encoding")], b"x"))
    for i, value in enumerate(("gzip, br", "br;q=1.0,gzip", "gzip;q=0.5 , br, unknown")):
        larder.get("/a", ("Accept-Encoding", value))
        larder.wait(lambda s: s["store.objects"] == 2)
    assert len(origin.asked()) == 1


def test_vary_may_grow(origin, larder):
    """One answer varies on more than those before it: from then on all of the URL are told apart by both."""
    def handler(exchange):
        one, two = exchange.request.get("X-One"), exchange.request.get("X-Two", "-")
        vary = "X-One, X-Two" if one == "2" else "X-One"
        exchange.answer(200, [("Cache-Control", "max-age=60"), ("Vary", vary)], f"{one}{two}".encode())

    def ask(one, *two):
        return larder.get("/a", ("X-One", one), *(("X-Two", value) for value in two))

    def fetched(one, *two):
        before = larder.stats()["store.appends"]
        seen = ask(one, *two)
        assert "stored" in seen.get("Cache-Status"), seen
        larder.wait(lambda s: s["store.appends"] >= before + 2)
        return seen.body

    origin.on("/a", handler)
    assert fetched("1") == b"1-"
    assert ask("1", "z").body == b"1-"  # the same to the origin, as far as anybody knows
    assert fetched("2", "z") == b"2z"
    assert fetched("1") == b"1-"
    assert fetched("2") == b"2-"
    for one, two in (("1", ()), ("2", ("z",)), ("2", ())):
        assert ask(one, *two).get("Cache-Status").startswith("larder;hit")
    assert larder.stats()["store.objects"] == 4  # three variants and their marker


def test_followers_regroup_by_variant(origin, larder):
    """Nobody knows that the answers vary until the first one comes; then each variant has its own flight."""
    gate = Gate()

    def handler(exchange):
        gate.hold()
        language(exchange)

    origin.on("/a", handler)
    clients = [(larder.client(), value) for value in ("de", "en") * 5]
    for client, value in clients:
        client.send(f"GET /a HTTP/1.1\r\nHost: test\r\nAccept-Language: {value}\r\n\r\n".encode())
    larder.wait(lambda s: s["proxy.followers"] == 9)
    gate.open()
    for client, value in clients:
        assert client.reader.answer().body == value.encode()
        client.close()
    assert sorted(r.get("Accept-Language") for r in origin.asked()) == ["de", "en"]


def test_variants_are_capped(origin, start):
    larder = start(config="""
        admin ADMIN
        ram 64M
        site * {
            listen 127.0.0.1:0
            origin %s
            variants 3
        }
    """ % origin.address)
    origin.on("/a", language)
    for i in range(6):
        before = larder.stats()["store.appends"]
        larder.get("/a", ("Accept-Language", f"l{i}"))
        larder.wait(lambda s: s["store.appends"] >= before + 2)
    stats = larder.stats()
    assert stats["store.objects"] == 4 and stats["cache.variants_dropped"] == 3
    assert larder.get("/a", ("Accept-Language", "l5")).get("Cache-Status").startswith("larder;hit")
    assert larder.get("/a", ("Accept-Language", "l0")).get("Cache-Status").startswith("larder;fwd=vary-miss")


def test_purge_takes_all_variants(origin, larder):
    origin.on("/a", language)
    for value in ("de", "en", "fr"):
        larder.get("/a", ("Accept-Language", value))
    larder.wait(lambda s: s["store.objects"] == 4)
    assert larder.purge("/a") == 3
    assert larder.purge("/a") == 0
    larder.get("/a", ("Accept-Language", "de"))
    assert len(origin.asked()) == 4
