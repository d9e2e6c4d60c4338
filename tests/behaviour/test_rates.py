"""Who asks too often: 429 with Retry-After, exactly after the burst, whichever worker is asked.

The rates are a few a day, so that no bucket fills while a test runs, however slow the machine is.
"""

import threading

from origin import cacheable
from server import settings
from wire import Client

DAY = 86400


def statuses(client, count, target="/a"):
    return [client.get(target).status for _ in range(count)]


def test_after_the_burst_comes_429(origin, start):
    origin.on("/a", cacheable(b"x"))
    larder = start(config=settings(origin, "rate 1/d per client burst 3"))
    with larder.client() as client:
        assert statuses(client, 3) == [200] * 3
        refused = client.get("/a")
        assert refused.status == 429 and b"(rate)" in refused.body
        assert 0 < int(refused.get("Retry-After")) <= DAY
        assert refused.get("Cache-Control") == "no-store"
        assert client.get("/b").status == 429  # the connection lives on, and other paths count as well
    stats = larder.stats()
    assert stats["proxy.rate_limited"] == 2 and stats["proxy.requests"] == 5
    assert len(origin.asked()) == 1


def test_a_refused_upload_is_not_read(origin, start):
    larder = start(config=settings(origin, "rate 1/d per client burst 1"))
    larder.get("/a")
    with larder.client() as client:
        refused = client.ask("POST", "/a", [("Content-Length", "5")], body=b"")
        assert refused.status == 429 and refused.get("Connection") == "close"
        assert client.is_closed()
    assert len(origin.asked()) == 1


def test_clients_do_not_share(origin, start):
    origin.on("/a", cacheable(b"x"))
    larder = start(config=settings(origin, "rate 2/d per client"))
    for host in ("127.0.0.1", "127.0.0.2"):
        with Client(larder.address, source=(host, 0)) as client:
            assert statuses(client, 3) == [200, 200, 429]


def test_workers_count_together(origin, start):
    """Many connections, spread over the workers, get exactly the burst."""
    origin.on("/a", cacheable(b"x"))
    larder = start(config=settings(origin, "rate 1/d per client burst 50"))
    seen, lock = [], threading.Lock()

    def ask():
        with larder.client() as client:
            mine = statuses(client, 10)
        with lock:
            seen.extend(mine)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(seen)) == [200, 429] and seen.count(200) == 50
    assert larder.stats()["proxy.rate_limited"] == 50


def test_all_together_for_a_key(origin, start):
    origin.on("/a", cacheable(b"x"))
    origin.on("/b", cacheable(b"x"))
    larder = start(config=settings(origin, "rate 2/d per key"))
    with Client(larder.address, source=("127.0.0.2", 0)) as one, larder.client() as other:
        assert [one.get("/a").status, other.get("/a").status, one.get("/a").status] == [200, 200, 429]
        assert one.get("/b").status == 200


def test_sites_inherit_and_lift_rates(origin, start):
    config = f"""
        admin ADMIN
        ram 16M
        listen 127.0.0.1:0
        defaults {{ rate 1/d per client }}
        site one.test {{ origin {origin.address} }}
        site two.test {{ origin {origin.address}; rate off per client }}
        site three.test {{ origin {origin.address}; rate 2/d per client }}
    """
    origin.default = cacheable(b"x")
    larder = start(config=config)
    with larder.client() as client:
        seen = {host: [client.get("/a", host=host).status for _ in range(3)] for host in ("one.test", "two.test", "three.test")}
    assert seen == {"one.test": [200, 429, 429], "two.test": [200] * 3, "three.test": [200, 200, 429]}


def test_without_a_file(origin, start):
    larder = start("--rate", "1/d per client")
    assert [larder.get("/a").status for _ in range(2)] == [404, 429]
