"""What is stored is served again without asking; what must not be stored is not."""

import pytest

from origin import answer, cacheable


def test_second_request_is_a_hit(origin, larder):
    origin.on("/a", cacheable(b"hello", ("ETag", '"1"'), ("X-Custom", "kept")))
    first = larder.get("/a")
    larder.wait_stored()
    second = larder.get("/a")
    assert first.status == second.status == 200
    assert first.body == second.body == b"hello"
    assert len(origin.asked("/a")) == 1
    told, _, ttl = first.get("Cache-Status").rpartition(";ttl=")
    assert told == "larder;fwd=uri-miss;fwd-status=200;stored"
    assert 30 < int(ttl) <= 60  # counted from our request; a slow machine has used some of it
    assert second.get("Cache-Status").startswith("larder;hit;ttl=")
    assert second.get("Age") is not None and second.get("X-Custom") == "kept"
    assert second.get("Content-Length") == "5" and second.get("Via") == "1.1 larder"
    stats = larder.stats()
    assert (stats["proxy.hits"], stats["proxy.misses"], stats["origin.fetches"]) == (1, 1, 1)


def test_head_is_answered_from_a_get(origin, larder):
    origin.on("/a", cacheable(b"hello"))
    head = larder.ask("HEAD", "/a")
    larder.wait_stored()
    assert head.status == 200 and head.body == b"" and head.get("Content-Length") == "5"
    assert larder.get("/a").body == b"hello"
    assert larder.ask("HEAD", "/a").get("Content-Length") == "5"
    assert [r.method for r in origin.asked("/a")] == ["GET"]


def test_each_url_is_its_own_object(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "max-age=60")], x.request.target.encode()))
    for target in ("/a", "/a?x=1", "/a?x=2", "/a?"):
        assert larder.get(target).body == target.encode()
    larder.wait_stored(4)
    for target in ("/a", "/a?x=1", "/a?x=2", "/a?"):
        assert larder.get(target).body == target.encode()
    assert len(origin.asked()) == 4


def test_hosts_do_not_mix_and_their_case_does_not_matter(origin, larder):
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "max-age=60")], x.request.get("Host").encode()))
    assert larder.get("/a", host="one.test").body == b"one.test"
    assert larder.get("/a", host="two.test").body == b"two.test"
    larder.wait_stored(2)
    assert larder.get("/a", host="ONE.test").body == b"one.test"
    assert len(origin.asked()) == 2


def test_trackers_are_not_part_of_the_key(origin, larder):
    origin.on("/a", cacheable(b"hello"))
    larder.get("/a?utm_source=x&id=7&gclid=1")
    larder.wait_stored()
    larder.get("/a?id=7&fbclid=2")
    assert [r.target for r in origin.asked("/a")] == ["/a?id=7"]


@pytest.mark.parametrize("fields", [
    [("Cache-Control", "max-age=60")],
    [("Cache-Control", "s-maxage=60, max-age=0")],
    [("Cache-Control", "public"), ("Cache-Control", "max-age=60")],
    [("Date", "Sun, 06 Nov 2044 08:49:37 GMT"), ("Expires", "Sun, 06 Nov 2044 08:59:37 GMT")],
    [("Cache-Control", "MAX-AGE=60")],
])
def test_explicit_freshness_is_obeyed(origin, larder, fields):
    origin.on("/a", answer(fields=fields, body=b"x"))
    larder.get("/a")
    larder.wait_stored()
    larder.get("/a")
    assert len(origin.asked()) == 1


@pytest.mark.parametrize("fields, reason", [
    ([("Cache-Control", "no-store")], "no-store"),
    ([("Cache-Control", "private, max-age=60")], "private"),
    ([("Cache-Control", "max-age=60"), ("Set-Cookie", "a=b")], "set-cookie"),
    ([("Cache-Control", "max-age=60"), ("Vary", "*")], "vary-star"),
    ([("Cache-Control", "max-age=0")], "no-freshness"),
    ([("Cache-Control", "s-maxage=0, max-age=60")], "no-freshness"),
    ([("Expires", "0")], "no-freshness"),
    ([], "no-freshness"),
])
def test_what_is_not_stored_says_why(origin, larder, fields, reason):
    origin.on("/a", answer(fields=fields, body=b"x"))
    first = larder.get("/a")
    second = larder.get("/a")
    assert first.get("Cache-Status") == f"larder;fwd=uri-miss;fwd-status=200;detail={reason}"
    assert second.body == b"x" and len(origin.asked()) == 2
    assert larder.stats()["store.appends"] == 0


def test_authorization_needs_permission(origin, larder):
    origin.on("/a", cacheable(b"secret"))
    origin.on("/b", answer(fields=[("Cache-Control", "public, max-age=60")], body=b"open"))
    credentials = ("Authorization", "Basic eDp5")
    assert larder.get("/a", credentials).get("Cache-Status").endswith("detail=authorization")
    larder.get("/b", credentials)
    larder.wait_stored()
    assert larder.get("/b").get("Cache-Status").startswith("larder;hit")
    larder.get("/a")
    assert len(origin.asked("/a")) == 2 and len(origin.asked("/b")) == 1


def test_default_ttl_is_for_answers_that_say_nothing(origin, start):
    larder = start(ttl="5m")
    origin.on("/a", answer(body=b"x"))
    origin.on("/gone", answer(404, body=b"x"))
    origin.on("/odd", answer(202, body=b"x"))
    for path in ("/a", "/gone", "/odd"):
        larder.get(path)
    larder.wait_stored(2)
    for path in ("/a", "/gone", "/odd"):
        larder.get(path)
    assert [len(origin.asked(p)) for p in ("/a", "/gone", "/odd")] == [1, 1, 2]


def test_cookies_do_not_share_answers_without_explicit_freshness(origin, start):
    larder = start(ttl="5m")
    origin.on("/implicit", lambda x: x.answer(200, [], x.request.get("Cookie", "nobody").encode()))
    origin.on("/explicit", cacheable(b"for all"))
    assert larder.get("/implicit").body == b"nobody"
    larder.wait_stored()
    mine = larder.get("/implicit", ("Cookie", "me"))
    assert mine.body == b"me" and mine.get("Cache-Status").endswith("detail=cookie")
    assert larder.get("/implicit").body == b"nobody"
    larder.get("/explicit", ("Cookie", "me"))
    larder.wait_stored(2)
    assert larder.get("/explicit", ("Cookie", "you")).get("Cache-Status").startswith("larder;hit")


def test_conditional_requests_on_a_hit(origin, larder):
    modified = "Sun, 06 Nov 1994 08:49:37 GMT"
    origin.on("/a", cacheable(b"hello", ("ETag", '"1"'), ("Last-Modified", modified), ("X-Not-In-304", "1")))
    larder.get("/a")
    larder.wait_stored()
    with larder.client() as client:
        same = client.get("/a", ("If-None-Match", 'W/"1", "2"'))
        assert same.status == 304 and same.get("ETag") == '"1"' and same.get("X-Not-In-304") is None
        assert same.get("Cache-Control") == "max-age=60"
        assert client.get("/a", ("If-None-Match", '"2"')).status == 200
        assert client.get("/a", ("If-Modified-Since", modified)).status == 304
        assert client.get("/a").body == b"hello"
    assert len(origin.asked()) == 1
    assert larder.stats()["proxy.hits_not_modified"] == 2


def test_what_only_the_origin_can_judge_goes_there(origin, larder):
    """RFC 9111 §4.3.2: If-Match and If-Unmodified-Since are not for a cache."""
    origin.on("/a", cacheable(b"hello", ("ETag", '"1"')))
    larder.get("/a")
    larder.wait_stored()
    origin.on("/a", answer(412))
    assert larder.get("/a", ("If-Match", '"2"')).status == 412
    assert larder.get("/a", ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")).status == 412
    assert larder.get("/a").body == b"hello"
    asked = origin.asked()
    assert len(asked) == 3 and asked[1].get("If-Match") == '"2"' and asked[2].get("If-Unmodified-Since")
    assert larder.stats()["reason.condition"] == 2


def test_a_conditional_miss_fetches_the_whole(origin, larder):
    origin.on("/a", cacheable(b"hello", ("ETag", '"1"')))
    first = larder.get("/a", ("If-None-Match", '"1"'))
    larder.wait_stored()
    assert first.status == 304
    assert origin.asked()[0].get("If-None-Match") is None
    assert larder.get("/a").body == b"hello" and len(origin.asked()) == 1


def test_age_counts_from_the_origins_date_and_age(origin, larder):
    origin.on("/a", cacheable(b"x", ("Age", "20")))
    larder.get("/a")
    larder.wait_stored()
    assert 20 <= int(larder.get("/a").get("Age")) < 40


def test_unsafe_methods_invalidate(origin, larder):
    origin.on("/a", cacheable(b"x"))
    larder.get("/a")
    larder.wait_stored()
    assert larder.ask("POST", "/a", body=b"change").status == 200
    larder.wait(lambda s: s["store.removed"] == 1)
    larder.get("/a")
    assert [r.method for r in origin.asked()] == ["GET", "POST", "GET"]
    assert larder.stats()["proxy.invalidations"] == 1


def test_cache_on_disk(origin, start, tmp_path):
    larder = start("--cache", str(tmp_path / "store"), "64M")
    origin.on("/a", cacheable(b"hello" * 1000))
    larder.get("/a")
    larder.wait_stored()
    assert larder.get("/a").body == b"hello" * 1000
    assert len(origin.asked()) == 1


def test_a_small_store_evicts_and_goes_on(origin, start):
    larder = start(ram="8M")
    origin.on("/a", lambda x: x.answer(200, [("Cache-Control", "max-age=60")], x.request.target.encode() * 10000))
    with larder.client() as client:
        for i in range(400):
            target = f"/a?{i:04}"
            assert client.get(target).body == target.encode() * 10000
    stats = larder.wait_stored(400)
    assert stats["store.evicted"] > 0 and stats["store.objects"] > 0
    assert stats["store.bytes_live"] <= stats["store.bytes_size"] <= 8 << 20
