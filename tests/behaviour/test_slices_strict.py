"""What a fetch of slices must not do: give a client what it did not ask for, or throw away what is good."""

SIZE = 3 << 20
BODY = bytes(i * 7 % 251 for i in range(SIZE))


def ranges(exchange, fields):
    """Answers a Range of the body as an origin does, with these fields."""
    spec = exchange.request.get("Range")
    if spec is None:
        exchange.answer(200, fields, BODY)
        return
    first, _, last = spec[len("bytes="):].partition("-")
    first, last = int(first), min(int(last) if last else SIZE - 1, SIZE - 1)
    exchange.answer(206, [*fields, ("Content-Range", f"bytes {first}-{last}/{SIZE}")], BODY[first:last + 1])


def test_a_range_that_cannot_be_stored_is_what_was_asked_for(origin, larder):
    for control in ("max-age=60", "no-store", "private"):
        path = f"/{control[:4]}"
        origin.on(path, lambda x: ranges(x, [("Cache-Control", control), ("ETag", 'W/"1"')]))
        for spec, begin, end in (("bytes=300001-", 300001, SIZE), ("bytes=700001-2200000", 700001, 2200001)):
            for _ in range(2):
                seen = larder.get(path, ("Range", spec))
                assert seen.status == 206 and seen.body == BODY[begin:end], (control, spec, len(seen.body))
                assert seen.get("Content-Range") == f"bytes {begin}-{end - 1}/{SIZE}"


def stored_without_its_end(origin, start, fields):
    """A body of which the last slices are not stored: the first range was asked for alone."""
    larder = start(ram="16M")
    origin.on("/a", lambda x: ranges(x, fields))
    larder.store("/a", ("Range", f"bytes=0-{(1 << 20) - 1}"))
    return larder


def test_a_clients_own_error_takes_nothing_away(origin, start):
    fields = [("Cache-Control", "max-age=60"), ("ETag", '"1"')]
    larder = stored_without_its_end(origin, start, fields)
    origin.on("/a", lambda x: x.answer(403) if x.request.get("X-Me") else ranges(x, fields))
    larder.get("/a", ("Range", f"bytes={SIZE - 1000}-"), ("X-Me", "1"))
    assert larder.stats()["proxy.invalidations"] == 0
    before = len(origin.asked())
    assert larder.get("/a", ("Range", "bytes=5-9")).body == BODY[5:10]
    assert len(origin.asked()) == before


def test_a_part_that_forbids_storing_is_not_stored(origin, start):
    larder = stored_without_its_end(origin, start, [("Cache-Control", "max-age=60"), ("ETag", '"1"')])
    origin.on("/a", lambda x: ranges(x, [("Cache-Control", "no-store"), ("ETag", '"1"')]))
    for _ in range(2):
        seen = larder.get("/a", ("Range", f"bytes={SIZE - 1000}-"))
        assert seen.body == BODY[SIZE - 1000:]
    asked = [r for r in origin.asked() if r.get("Range") == f"bytes={SIZE - 1000}-"]
    assert len(asked) >= 1  # asked as it is, since nothing of it may be kept
