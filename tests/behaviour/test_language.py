"""Vary: Accept-Language: one form for the same wish, and an answer in one language for all who want that most."""

import pytest


def told(exchange, language=None):
    wanted = exchange.request.get("Accept-Language", "none")
    fields = [("Cache-Control", "max-age=600"), ("Vary", "Accept-Language")]
    if language:
        fields.append(("Content-Language", language))
    exchange.answer(200, fields, wanted.encode())


def ask(larder, *values):
    return larder.get("/a", *(("Accept-Language", value) for value in values))


def is_hit(seen):
    return seen.get("Cache-Status").startswith("larder;hit")


@pytest.mark.parametrize("values", [
    ["de, en;q=0.5"], ["DE,EN;q=0.5"], ["en ; q=0.5 ,de"], ["en;q=0.500, de;q=1.0"], ["de", "en;q=0.5"],
    [",de,, en;q=0.5"]])
def test_case_order_and_space_do_not_matter(origin, larder, values):
    origin.on("/a", told)
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), appends=2)
    seen = ask(larder, *values)
    assert is_hit(seen) and seen.body == b"de, en;q=0.5"
    assert len(origin.asked()) == 1 and larder.stats()["store.objects"] == 2


@pytest.mark.parametrize("value", [
    "en, de;q=0.5", "de, en;q=0.6", "de", "de, en", "de-AT, en;q=0.5", "de, en;q=0.5, fr;q=0.1"])
def test_another_wish_is_another_variant(origin, larder, value):
    origin.on("/a", told)
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), appends=2)
    assert ask(larder, value).body == value.encode()
    assert ask(larder).body == b"none"
    assert len(origin.asked()) == 3


def test_the_origin_sees_what_the_client_wrote(origin, larder):
    origin.on("/a", told)
    ask(larder, "EN ;q=0.5", "De")
    assert origin.asked()[0].all("Accept-Language") == ["EN ;q=0.5", "De"]


def test_an_answer_in_one_language_is_for_all_who_want_it_most(origin, larder):
    origin.on("/a", lambda x: told(x, "de"))
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), appends=3)  # object, alias, marker
    for value in ("de", "DE;q=0.9, fr;q=0.8", "fr;q=0.2, de;q=0.3"):
        seen = ask(larder, value)
        assert is_hit(seen) and seen.body == b"de, en;q=0.5", value
    assert len(origin.asked()) == 1
    assert larder.stats()["proxy.hits"] == 3


@pytest.mark.parametrize("value", ["en, de;q=0.9", "de, en", "*", "de, *;q=0.1", "de-AT", "fr"])
def test_but_not_for_others(origin, larder, value):
    """Who wants another most, two alike, or any, may get another one from the origin."""
    origin.on("/a", lambda x: told(x, "de"))
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), appends=3)
    assert ask(larder, value).body == value.encode()
    assert ask(larder).body == b"none"
    assert len(origin.asked()) == 3


def test_an_answer_in_two_languages_is_for_its_own_wish_only(origin, larder):
    origin.on("/a", lambda x: told(x, "de, en"))
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), appends=2)
    assert ask(larder, "de").body == b"de"
    assert len(origin.asked()) == 2


def test_other_fields_that_select_still_count(origin, larder):
    def handler(exchange):
        exchange.answer(200, [("Cache-Control", "max-age=600"), ("Vary", "Accept-Language, X-V"),
                              ("Content-Language", "de")], exchange.request.get("X-V", "-").encode())

    origin.on("/a", handler)
    larder.store("/a", ("Accept-Language", "de, en;q=0.5"), ("X-V", "1"), appends=3)
    assert larder.get("/a", ("Accept-Language", "de"), ("X-V", "2")).body == b"2"
    assert larder.get("/a", ("Accept-Language", "de, fr;q=0.2"), ("X-V", "1")).body == b"1"
    assert len(origin.asked()) == 2


def test_a_purge_takes_the_aliases_too(origin, larder):
    origin.on("/a", lambda x: told(x, x.request.get("Accept-Language")[:2]))
    for value in ("de, en;q=0.5", "en, de;q=0.5"):
        larder.store("/a", ("Accept-Language", value), appends=3)
    assert larder.stats()["store.objects"] == 5
    assert larder.purge("/a") == 2
    assert larder.stats()["store.objects"] == 0
    assert not is_hit(ask(larder, "de"))
