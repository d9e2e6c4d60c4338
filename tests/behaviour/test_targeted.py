"""Fields that speak to caches like this one: CDN-Cache-Control (RFC 9213) and Surrogate-Control."""

import pytest

from origin import aged, answer

FAR = ("Expires", "Sun, 06 Nov 2044 08:49:37 GMT")


@pytest.fixture
def is_stored(origin, larder):
    """Whether an answer with these fields is fresh for the next one who asks."""
    def ask(*fields):
        origin.on("/a", answer(fields=fields, body=b"x"))
        first = larder.get("/a")
        for name, value in fields:  # each passes on as it came (RFC 9213 §2.1)
            assert value in first.all(name)
        larder.wait(lambda s: s["store.appends"] == s["proxy.stored"] and s["proxy.requests_active"] == 0)
        second = larder.get("/a")
        for name, value in fields:
            assert value in second.all(name)
        hit = second.get("Cache-Status").startswith("larder;hit")
        assert len(origin.asked()) == larder.stats()["origin.fetches"] == (1 if hit else 2)
        return hit
    return ask


@pytest.mark.parametrize("targeted, hit", [
    ("max-age=600", True),
    ("max-age=0", False),
    ("no-store", False),
    ("private", False),
    ("no-cache", False),
    ("max-age=600, ext=(1 2);a=b", True),          # what is not known is skipped, parameters too
    ("max-age=600;a=b", True),
    ("s-maxage=600, max-age=0", True),
    ("max-age=0, max-age=600", True),              # of two the last counts (RFC 8941 §3.2)
    ("no-store=?0, max-age=600", None),            # a false one: not of the right type
])
@pytest.mark.parametrize("others, without", [
    ([("Cache-Control", "no-store")], False),
    ([("Cache-Control", "max-age=600"), FAR], True),
    ([("Cache-Control", "max-age=0"), ("Expires", "0")], False),
    ([FAR], True),
])
def test_it_counts_before_all_others(is_stored, targeted, hit, others, without):
    expected = without if hit is None else hit
    assert is_stored(("CDN-Cache-Control", targeted), *others) == expected


@pytest.mark.parametrize("targeted", [
    "", "max-age", "max-age=\"600\"", "max-age=600.5", "max-age=600 no-store", "MAX-AGE=600", "no-store=1",
    "max-age=600, =", "max-age=(600)", "max-age=600,", "&"])
@pytest.mark.parametrize("control, hit", [("max-age=600", True), ("no-store", False)])
def test_what_is_invalid_is_as_if_absent(is_stored, targeted, control, hit):
    assert is_stored(("CDN-Cache-Control", targeted), ("Cache-Control", control)) == hit


def test_two_lines_are_one_dictionary(is_stored):
    assert is_stored(("CDN-Cache-Control", "max-age=600"), ("CDN-Cache-Control", "ext"), ("Cache-Control", "no-store"))


def test_one_bad_line_spoils_both(is_stored):
    assert not is_stored(("CDN-Cache-Control", "max-age=600"), ("CDN-Cache-Control", "\""), ("Cache-Control", "no-store"))


def test_expires_alone_does_not_count_beside_it(is_stored):
    """RFC 9213 §2.2"""
    assert not is_stored(("CDN-Cache-Control", "public"), FAR)


def test_it_says_what_may_be_stale(origin, larder):
    origin.on("/a", aged("no-store", b"old", ("CDN-Cache-Control", "max-age=60, stale-while-revalidate=600")))
    larder.store("/a")
    origin.on("/a", answer(fields=[("CDN-Cache-Control", "max-age=600"), ("Cache-Control", "no-store")], body=b"new"))
    assert larder.get("/a").get("Cache-Status").endswith("detail=stale")
    larder.wait(lambda s: s["store.appends"] == 2)
    seen = larder.get("/a")
    assert seen.body == b"new" and seen.get("Cache-Control") == "no-store"


def test_a_304_carries_it(origin, larder):
    origin.on("/a", answer(fields=[("CDN-Cache-Control", "max-age=600"), ("Cache-Control", "no-cache"), ("ETag", '"1"')],
                           body=b"x"))
    larder.store("/a")
    seen = larder.get("/a", ("If-None-Match", '"1"'))
    assert (seen.status, seen.get("Cache-Control"), seen.get("CDN-Cache-Control")) == (304, "no-cache", "max-age=600")
    assert len(origin.asked()) == 1


# ── Surrogate-Control ──

@pytest.mark.parametrize("surrogate, others, hit", [
    ("max-age=600", [("Cache-Control", "no-store")], True),
    ("no-store", [("Cache-Control", "max-age=600")], False),
    ("max-age=600;larder", [("Cache-Control", "no-store")], True),
    ("max-age=600;another", [("Cache-Control", "no-store")], False),
    ("content=\"ESI/1.0\"", [("Cache-Control", "max-age=600")], True),
    ("max-age=0", [("Cache-Control", "max-age=600"), FAR], False),
    ("max-age=600", [("CDN-Cache-Control", "no-store")], False),
    ("no-store", [("CDN-Cache-Control", "max-age=600")], True),
])
def test_surrogate_control(is_stored, surrogate, others, hit):
    assert is_stored(("Surrogate-Control", surrogate), *others) == hit


def test_its_extension_is_for_what_is_stale(origin, larder):
    origin.on("/a", aged("no-store", b"old", ("Surrogate-Control", "max-age=60+600")))
    larder.store("/a")
    assert larder.get("/a").get("Cache-Status").endswith("detail=stale")


def test_the_origin_sees_what_we_can_do(origin, larder):
    origin.on("/a", answer(body=b"x"))
    larder.get("/a")
    larder.ask("POST", "/a", body=b"x")
    assert [r.all("Surrogate-Capability") for r in origin.asked()] == 2 * [['larder="Surrogate/1.0"']]


def test_those_of_a_client_or_a_surrogate_before_us_stay(origin, larder):
    """Edge Architecture Specification: each appends its own."""
    origin.on("/a", answer(body=b"x"))
    larder.get("/a", ("Surrogate-Capability", 'abc="ESI/1.0"'))
    assert origin.asked()[0].all("Surrogate-Capability") == ['abc="ESI/1.0"', 'larder="Surrogate/1.0"']
