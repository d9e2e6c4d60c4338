"""Every case of requests/ and answers/, over sockets: what larder answers, what the origin really received, and what the next client gets.

A request case is one of
    400, 501 ...   refused with that status, and the connection closed; nothing that is whole reached the origin
    ok             passed on once, as larder's own serialisation, and answered with the origin's page
    closed         no answer, and the connection closed
and more is said by lines that begin with "?":
    answers N      so many pages come (before the refusal, if there is one)      requests N    so many whole requests reach the origin
    target T       what the origin was asked, the last time; likewise method M, body B, field "Name: value" (once, and no other) and absent NAME
    stored no      the page was not kept                                         end           the client's side ends after the bytes

An answer case has the bytes of an origin:
    ok             goes on, whole; "status N" and "body B" say what the client gets
    502            the client gets an error of larder's own
    cut            the client gets the beginning, and sees that it is not all
    then W         what the origin does after it: keep (as usual), close, reset       method M, body of the request: what is asked
    again          asked once more is well: a kept connection may have ended by itself
    stored yes|no  whether it was kept; after 502 and cut it never is, and the connection is not used again

"above" says for the unit test of the parser (tests/unit/http/test_strict.c), which reads these files too, that it is not the parser that refuses.

Whatever the case: all that the origin was sent is HTTP/1.1 by the letter, and the next client gets the page that is its own.
"""

import os
import re
import socket
import sys

import pytest

sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "../harness")]

import cases  # noqa: E402
import house  # noqa: E402
from server import Larder  # noqa: E402
from wire import Cut, compose  # noqa: E402


@pytest.fixture(scope="module")
def place():
    """One larder and its origin for all cases: what one leaves behind, the next would find."""
    origin = house.Origin()
    larder = Larder(origin=origin, workers=1, config="\n".join([
        "admin ADMIN", "workers 1", "ram 64M", "limits { head-timeout 20s }",
        "site * {", "listen 127.0.0.1:0", f"origin {origin.address}", "ttl 60s", "}"]))
    yield larder, origin
    larder.close()
    origin.close()


def ask(larder, path, method="GET"):
    with larder.client() as client:
        return client.ask(method, path)


def expect_own_page(larder, origin, path):
    """The next client is given what the origin would give it."""
    seen = ask(larder, path)
    assert seen.status == 200 and seen.body == house.clean(path), "the next client gets another page"
    return seen


# ── requests ──


def answers_of(client, case, count):
    """So many pages, in order."""
    for _ in range(count):
        seen = client.reader.answer("HEAD" if case.wire.startswith(b"HEAD ") else "GET")
        assert seen.status == 200, f"{seen}: {seen.body!r}"


def expect_closed(client):
    try:
        assert client.reader.rest() == b"", "more came after the refusal"
    except ConnectionResetError:
        pass


def play_request(case, larder):
    refused = case.expect not in ("ok", "closed")
    count = int(case.get("answers", 0 if refused or case.expect == "closed" else 1))
    with larder.client() as client:
        client.sock.sendall(case.wire)
        if case.all("end"):
            client.sock.shutdown(socket.SHUT_WR)
        answers_of(client, case, count)
        if refused:
            seen = client.reader.answer()
            assert seen.status == int(case.expect), f"{seen}: {seen.body!r}"
            assert seen.get("Connection") == "close" and b"(" in seen.body
        if case.expect != "ok":
            expect_closed(client)
    return count


def check_received(case, requests):
    last = requests[-1] if requests else None
    for word in ("target", "method", "body"):
        if case.all(word):
            assert getattr(last, word) == (case.get(word).encode("latin-1") if word == "body" else case.get(word))
    for field in case.all("field"):
        name, _, value = field.partition(":")
        assert last.all(name) == [value.strip(" ")]
    for name in case.all("absent"):
        assert last.all(name) == []


@pytest.mark.parametrize("case", cases.read("requests"), ids=str)
def test_request(place, case):
    larder, origin = place
    before = len(origin.requests)
    count = play_request(case, larder)
    assert not origin.broken, origin.broken
    requests = origin.requests[before:]
    assert len(requests) == int(case.get("requests", count)), [r.raw for r in requests]
    check_received(case, requests)
    before = len(origin.requests)
    expect_own_page(larder, origin, case.path)
    if case.get("stored") == "no":
        assert len(origin.requests) == before + 1, "the page was kept"


# ── answers ──


def play_answer(case, larder):
    method = case.get("method", "GET")
    with larder.client() as client:
        client.sock.sendall(compose(method, case.path, body=case.get("send", "").encode("latin-1")))
        try:
            return client.reader.answer(method)
        except (Cut, ConnectionResetError):
            return None


def check_answer(case, seen):
    if case.expect == "502":
        assert seen is not None and seen.status == 502 and b"(" in seen.body, seen
        return
    assert seen is not None and seen.status == int(case.get("status", 200)), seen
    assert seen.whole == (case.expect == "ok"), seen
    if case.all("body"):
        assert seen.body == case.get("body").encode("latin-1")
    for field in case.all("field"):
        name, _, value = field.partition(":")
        assert seen.all(name) == [value.strip(" ")]
    for name in case.all("absent"):
        assert seen.all(name) == []


@pytest.mark.parametrize("case", cases.read("answers"), ids=str)
def test_answer(place, case):
    larder, origin = place
    before = len(origin.requests)
    origin.answers[case.path] = (case.wire, case.get("then", "keep"))
    check_answer(case, seen := play_answer(case, larder))
    del origin.answers[case.path]
    assert not origin.broken, origin.broken
    asked = len(origin.requests) - before
    assert asked == 1 or (asked == 2 and case.all("again")), "asked more than once"
    after = ask(larder, case.path)
    if case.get("stored", "no" if case.expect != "ok" else None) == "no":
        assert after.body == house.clean(case.path), "it was kept"
    elif case.get("stored") == "yes":
        assert after.body == seen.body and len(origin.requests) == before + asked, "it was not kept"
    expect_own_page(larder, origin, case.path + "/next")
    if case.expect != "ok" or case.all("fresh"):
        own = {r.connection for r in origin.requests[before:before + asked]}
        assert not own & {r.connection for r in origin.requests[before + asked:]}, "the connection was used again"


# ── the files themselves ──


def test_there_are_enough_of_them():
    assert len(cases.read("requests")) >= 300 and len(cases.read("answers")) >= 120


def test_no_two_cases_are_the_same():
    for kind in ("requests", "answers"):
        seen = {}
        for case in cases.read(kind):
            key = (case.text, tuple(case.more))
            assert seen.setdefault(key, case.id) == case.id, f"{case.id} is {seen[key]} again"


def test_each_case_says_why():
    assert all(re.search(r"RFC \d+|\bas\b|:", case.why) for kind in ("requests", "answers") for case in cases.read(kind))


def test_a_client_that_is_another(place):
    """The harness sees what it must: a page that was made for a strange request is not a clean one."""
    strange = house.Request(b"", "GET /x HTTP/1.1", [("Host", "test"), ("X-Evil", "1")], b"")
    assert strange.page() != house.clean("/x")
