"""A short play of tests/crash: larder is killed under load; what comes back is true. `./dev crash` plays it for long."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crash"))

import crash  # noqa: E402
from origin import cacheable  # noqa: E402


def test_ten_rounds():
    print(crash.run(10, seed=20261125))


def test_a_store_is_warm_after_a_kill(origin, start, tmp_path):
    arguments = ("--cache", str(tmp_path / "store"), "64M")
    first = start(*arguments)
    for i in range(50):
        origin.on(f"/{i}", cacheable(b"%d" % i * 1000))
        first.get(f"/{i}")
    first.wait_stored(50)
    assert first.purge("/7") == 1
    first.kill()
    again = start(*arguments)
    again.wait(lambda s: s["store.recovered"] == 49)
    asked = len(origin.asked())
    for i in range(50):
        assert again.get(f"/{i}").body == b"%d" % i * 1000
    assert [r.target for r in origin.asked()[asked:]] == ["/7"]
    again.wait_stored()
    assert again.stop() == 0
    third = start(*arguments)
    third.wait(lambda s: s["store.recovered"] == 50)
    assert third.get("/7").get("Cache-Status").startswith("larder;hit")
