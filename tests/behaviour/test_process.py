"""Whom larder becomes before it serves, and who may use its admin socket."""

import grp
import os
import pwd
import shutil
import stat
import subprocess
import tempfile

import pytest

from origin import cacheable
from server import run, threads

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
CONFIG = """
    admin ADMIN %s
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


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    try:
        sock.sendall(b"GET /v1/stats HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    except BrokenPipeError:
        pass  # who is not let in is not listened to
    print(sock.recv(12).decode())
"""


def ask_as(user, path, groups=()):
    """The first words with which the admin API answers somebody else."""
    entry = pwd.getpwnam(user)
    return subprocess.run(["/usr/bin/python3", "-c", ASK, path], user=entry.pw_uid, group=entry.pw_gid, extra_groups=groups,
                          capture_output=True, text=True, timeout=60, cwd="/")


# ── the user ──

@as_root
def test_root_is_left_behind(origin, start, shared):
    origin.on("/a", cacheable(b"kept"))
    config = CONFIG % ("", f"user nobody\ncache {shared}/store 64M", origin.address)
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


# ── the admin socket ──

@as_root
def test_the_admin_socket_asks_who_it_is(origin, start, shared):
    """The mode keeps others out; where somebody has widened it, the API does."""
    larder = start(config=CONFIG % ("", "ram 16M", origin.address))
    path = f"{shared}/admin.sock"
    os.rename(larder.admin, path)
    assert "PermissionError" in ask_as("www-data", path).stderr
    os.chmod(path, 0o666)
    assert ask_as("www-data", path).stdout == "HTTP/1.1 403\n"
    larder.admin = path
    stats = larder.stats()
    assert stats["admin.refused"] == 1 and stats["admin.connections"] == 1
    uid = pwd.getpwnam("www-data").pw_uid
    larder.stop()
    assert any(f"admin: refused user {uid}, group " in line for line in larder.log)


@as_root
def test_the_admin_socket_has_a_group(origin, start, shared):
    larder = start(config=CONFIG.replace("ADMIN", f"{shared}/admin.sock") % ("group=games", "user nobody\nram 16M", origin.address))
    path, games = f"{shared}/admin.sock", grp.getgrnam("games").gr_gid
    file = os.stat(path)
    assert (file.st_uid, file.st_gid, stat.S_IMODE(file.st_mode)) == (65534, games, 0o660)
    assert ask_as("games", path).stdout == "HTTP/1.1 200\n"  # their first group
    assert ask_as("www-data", path, [games]).stdout == "HTTP/1.1 200\n"  # one of several
    assert ask_as("nobody", path).stdout == "HTTP/1.1 200\n"  # larder's own user
    assert "PermissionError" in ask_as("www-data", path).stderr
    larder.admin = path
    stats = larder.stats()
    assert stats["admin.refused"] == 0 and stats["admin.connections"] == 4

