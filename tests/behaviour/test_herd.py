"""A thousand clients at once for one cold URL.

The times themselves are told in bench/RESULTS.md; here only what must always hold is asserted: one request to
the origin, and everybody has the whole body. When the answer is not for sharing, nobody waits for anybody.
"""

import json

from origin import Gate, cacheable
from server import bench

CLIENTS = 1000


def herd(larder, target):
    done = bench("herd", f"http://127.0.0.1:{larder.port}{target}", "--clients", CLIENTS, "--timeout", "100s", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_request_for_a_thousand_clients(origin, larder):
    origin.on("/a", cacheable(b"x" * 65536))
    seen = herd(larder, "/a")
    assert seen["whole"] == CLIENTS and seen["equal"] is True and seen["status"] == {"200": CLIENTS}
    assert len(origin.asked("/a")) == 1


def test_a_private_page_is_fetched_in_parallel(origin, larder):
    """Every client's request has reached the origin before any is answered, but the first."""
    gate = Gate()

    def handler(exchange):
        if len(origin.asked("/a")) == CLIENTS:
            gate.open()
        elif len(origin.asked("/a")) > 1:
            gate.hold()
        exchange.answer(200, [("Cache-Control", "private")], b"mine")

    origin.on("/a", handler)
    seen = herd(larder, "/a")
    assert seen["whole"] == CLIENTS and seen["status"] == {"200": CLIENTS}
    assert len(origin.asked("/a")) == CLIENTS
