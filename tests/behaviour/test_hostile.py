"""Bad clients beside a good one: the short form of ./dev hostile. Nothing here depends on time: that is told by the long one."""

import os
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../hostile"))

from hostile import ATTACKS, PAGE, Attack, Origin, own, settle, wait_descriptors  # noqa: E402
from wire import compose  # noqa: E402

BIG = "/size/8M/max-age/86400"


@pytest.fixture
def behind(start):
    """A larder of one worker before the stub origin, with a big page and a small one in its store."""
    stub = Origin(None)
    larder = start(origin=stub, workers=1)
    for page in (PAGE, BIG):
        larder.store(page)
    yield larder
    larder.close()
    stub.close()


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_good_client_is_served_and_nothing_is_left(behind, kind):
    before, _ = own(behind)
    attack = Attack(behind.port, {kind: 40})
    with behind.client() as client:
        body = client.get(PAGE).body
        for _ in range(50):
            seen = client.get(PAGE)
            assert seen.status == 200 and seen.body == body and "hit" in seen.get("Cache-Status")
    did = attack.close()
    assert did[f"{kind} did"] > 0 or kind in ("drip", "readers", "uploads")  # these do a first thing, then wait
    settle(behind)
    assert wait_descriptors(behind, before) <= before


def test_who_does_not_read_holds_little(behind):
    """What the kernel keeps for a connection is not what the autotuning of its buffer would allow: 2.5 MB."""
    count = 20
    slow = [behind.client() for _ in range(count)]
    before = behind.stats()["proxy.bytes_out"]
    for client in slow:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(compose("GET", BIG))
    with behind.client() as good:
        for _ in range(100):  # each is a turn of the loop, in which the others could go on
            assert good.get(PAGE).whole
    assert behind.stats()["proxy.bytes_out"] - before < count * (1 << 20)
    for client in slow:
        client.close()
    settle(behind)
