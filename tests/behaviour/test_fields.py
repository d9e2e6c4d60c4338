"""What of an answer is kept, and for whom: hidden fields, must-understand, cookies, Age."""

import pytest

from origin import Gate, answer, held
from server import settings

FRESH = ("Cache-Control", "max-age=600")


@pytest.mark.parametrize("directive", ["no-cache", "private"])
def test_hidden_fields_are_for_the_first_client_only(origin, larder, directive):
    """RFC 9111 §5.2.2.4, §5.2.2.7"""
    origin.on("/a", answer(fields=[("Cache-Control", f'max-age=600, {directive}="x-Mine, X-Too"'),
                                   ("X-Mine", "secret"), ("X-Too", "secret"), ("X-All", "1")], body=b"hello"))
    first = larder.store("/a")
    assert (first.get("X-Mine"), first.get("X-Too"), first.get("X-All")) == ("secret", "secret", "1")
    for _ in range(2):
        later = larder.get("/a")
        assert later.get("Cache-Status").startswith("larder;hit") and later.body == b"hello"
        assert later.get("X-All") == "1" and b"secret" not in repr(later).encode()
    assert len(origin.asked()) == 1


@pytest.mark.parametrize("directive", ["no-cache", "private"])
def test_followers_do_not_see_them_either(origin, larder, directive):
    gate = Gate()
    origin.on("/a", held(gate, answer(fields=[("Cache-Control", f'max-age=600, {directive}="X-Mine"'),
                                              ("X-Mine", "secret")], body=b"hello")))
    clients = [larder.client() for _ in range(5)]
    clients[0].send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait()
    for client in clients[1:]:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    larder.wait(lambda s: s["proxy.followers"] == 4)
    gate.open()
    seen = [client.reader.answer() for client in clients]
    assert [answer.get("X-Mine") for answer in seen] == ["secret"] + 4 * [None]
    assert {answer.body for answer in seen} == {b"hello"} and len(origin.asked()) == 1
    for client in clients:
        client.close()


def test_a_hidden_cookie_does_not_prevent_storing(origin, larder):
    origin.on("/a", answer(fields=[("Cache-Control", 'max-age=600, private="Set-Cookie"'), ("Set-Cookie", "a=b")],
                           body=b"hello"))
    assert larder.store("/a").get("Set-Cookie") == "a=b"
    assert larder.get("/a").get("Set-Cookie") is None
    assert len(origin.asked()) == 1


@pytest.mark.parametrize("control, lines, stored", [
    ("max-age=600", [], False), ("public, max-age=600", [], True), ("max-age=600", ["store-set-cookie on"], True)])
def test_cookies_are_shared_only_where_somebody_said_so(origin, start, control, lines, stored):
    larder = start(config=settings(origin, *lines))
    origin.on("/a", answer(fields=[("Cache-Control", control), ("Set-Cookie", "a=b")], body=b"hello"))
    first = larder.get("/a")
    assert first.get("Cache-Status").endswith("detail=set-cookie") != stored
    if stored:
        larder.wait_stored()
    assert larder.get("/a").get("Set-Cookie") == "a=b"
    assert len(origin.asked()) == (1 if stored else 2)


@pytest.mark.parametrize("status, control, stored", [
    (200, "must-understand, no-store, max-age=600", True),
    (404, "must-understand, no-store, max-age=600", True),
    (299, "must-understand, max-age=600", False),            # an unknown status, which forbids storing
    (499, "must-understand, no-store, max-age=600", False),
    (299, "max-age=600", True),                              # else an explicit lifetime will do
    (200, "no-store, max-age=600", False),
])
def test_must_understand(origin, larder, status, control, stored):
    """RFC 9111 §5.2.2.3"""
    origin.on("/a", answer(status, [("Cache-Control", control)], b"hello"))
    first = larder.get("/a")
    assert ("stored" in first.get("Cache-Status")) == stored
    if stored:
        larder.wait_stored()
    second = larder.get("/a")
    assert second.status == status and second.get("Cache-Status").startswith("larder;hit") == stored
    assert larder.stats()["store.appends"] == stored


def test_age_on_a_miss_is_the_origins_own(origin, larder):
    origin.on("/none", answer(fields=[FRESH], body=b"x"))
    origin.on("/some", answer(fields=[FRESH, ("Age", "30")], body=b"x"))
    origin.on("/odd", answer(fields=[FRESH, ("Age", "030")], body=b"x"))
    assert larder.store("/none").all("Age") == []
    assert larder.store("/some").all("Age") == ["30"]
    assert larder.store("/odd").all("Age") == ["030"]
    assert 0 <= int(larder.get("/none").get("Age")) < 30
    for path in ("/some", "/odd"):
        (age,) = larder.get(path).all("Age")
        assert 30 <= int(age) < 60
    assert len(origin.asked()) == 3


def test_age_on_a_pass_is_the_origins_own(origin, larder):
    origin.on("/a", answer(fields=[("Cache-Control", "no-store"), ("Age", "30")], body=b"x"))
    assert larder.get("/a").all("Age") == ["30"]


def test_date_and_expires_pass_unchanged(origin, larder):
    date, expires = "Sun, 06 Nov 2022 08:49:37 GMT", "Sun, 06 Nov 2044 08:49:37 GMT"
    origin.on("/a", answer(fields=[("Date", date), ("Expires", expires), ("Age", "5")], body=b"x"))
    first, second = larder.store("/a"), larder.get("/a")
    for seen in (first, second):
        assert (seen.all("Date"), seen.all("Expires")) == ([date], [expires])
    assert first.all("Age") == ["5"] and int(second.get("Age")) > 100_000_000


def test_an_age_that_makes_it_stale(origin, larder):
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60"), ("Age", "100")], body=b"x"))
    for _ in range(2):
        assert larder.get("/a").get("Cache-Status").endswith("detail=no-freshness")
    assert len(origin.asked()) == 2


@pytest.mark.parametrize("age", ["x", "-5", "1.5", '"100"', "100x"])
def test_an_age_that_is_none_is_ignored(origin, larder, age):
    """RFC 9111 §5.1"""
    origin.on("/a", answer(fields=[("Cache-Control", "max-age=60"), ("Age", age)], body=b"x"))
    larder.store("/a")
    assert int(larder.get("/a").get("Age")) < 60 and len(origin.asked()) == 1
