"""Whom larder becomes before it serves."""

import os
import shutil
import tempfile

import pytest

from origin import cacheable
from server import run, threads

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
CONFIG = """
    admin ADMIN
    workers 2
    %s
    site * { listen 127.0.0.1:0; origin %s; ttl 60s }
"""


@pytest.fixture
def shared():
    """A folder that every user may pass, as pytest's and the harness's own are not."""
    folder = tempfile.mkdtemp(prefix="larder-test-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_is_left_behind(origin, start, shared):
    origin.on("/a", cacheable(b"kept"))
    config = CONFIG % (f"user nobody\ncache {shared}/store 64M", origin.address)
    larder = start(config=config)
    for thread in threads(larder):
        assert thread["Uid"] == thread["Gid"] == ["65534"] * 4 and thread["Groups"] == ["65534"]
        assert int(thread["CapEff"][0], 16) == int(thread["CapPrm"][0], 16) == 0
    larder.store("/a")
    larder.stop()
    for name in os.listdir(f"{shared}/store"):
        assert os.stat(f"{shared}/store/{name}").st_uid == 65534
    again = start(config=config)  # what it wrote as another user, it reads as another user
    again.wait(lambda s: s["store.recovered"] == 1)
    assert again.get("/a").get("Cache-Status").startswith("larder;hit") and len(origin.requests) == 1


@as_root
def test_a_cache_of_somebody_else(shared):
    os.mkdir(f"{shared}/store", 0o700)
    done = run("run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--admin", f"{shared}/x.sock",
               "--cache", f"{shared}/store", "64M", "--user", "nobody")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"the user nobody cannot use the cache directory {shared}/store (as root: chown -R nobody {shared}/store" in done.stderr


def test_a_user_that_is_not_there(tmp_path):
    path = tmp_path / "larder.conf"
    path.write_text("user no-such-user\nsite * { origin 127.0.0.1:1 }\n")
    for command in (("check", path), ("run", "-c", path)):
        done = run(*command)
        assert done.returncode == 1 and f'{path}:1:6: error: there is no user "no-such-user" here' in done.stderr
