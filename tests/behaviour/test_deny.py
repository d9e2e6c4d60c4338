"""What a site answers to nobody, or not to this client: 403, before a lookup or a fetch; and lists that are read again."""

import os
import signal

import pytest

from origin import cacheable
from server import run, settings
from wire import Client


def ask_from(larder, host, target="/a"):
    with Client(larder.address, source=(host, 0)) as client:
        return client.get(target).status


def with_list(tmp_path, text):
    path = tmp_path / "blocklist.txt"
    path.write_text(text)
    return path


def reread(larder, count):
    larder.process.send_signal(signal.SIGHUP)
    larder.wait(lambda s: s["blocklist.reloads"] + s["blocklist.reloads_failed"] == count)


@pytest.mark.parametrize("rule,method,target,fields,why", [
    ("path /.git/*", "GET", "/.git/config", [], "path"),
    ("path /.git/*", "GET", "/a/..//%2egit/config", [], "path"),
    ("path *.php~", "HEAD", "/x.php~?a", [], "path"),
    ("method DELETE BREW", "BREW", "/a", [], "method"),
    ("header User-Agent=*scraper*", "GET", "/a", [("user-agent", "Bad Scraper 1")], "field"),
    ("header X-Secret", "GET", "/a", [("x-secret", "")], "field"),
    ("from 127.0.0.0/8", "GET", "/a", [], "address"),
])
def test_what_is_denied(origin, start, rule, method, target, fields, why):
    larder = start(config=settings(origin, f"deny {rule}"))
    with larder.client() as client:
        refused = client.ask(method, target, fields)
        assert refused.status == 403
        assert method == "HEAD" or f"(denied-{why})".encode() in refused.body
        refused = client.ask(method, target, fields)  # the connection lives on
        assert refused.status == 403
    assert larder.stats()["proxy.denied"] == 2 and origin.asked() == []


def test_what_is_not_denied_is_served(origin, start):
    origin.on("/a", cacheable(b"x"))
    larder = start(config=settings(origin, "deny from 127.0.0.2 10.0.0.0/8 ::1", "deny path /b", "deny method PUT", "deny header X-A=1"))
    assert larder.get("/a", ("X-A", "12")).body == b"x"
    assert ask_from(larder, "127.0.0.2") == 403
    assert larder.stats()["proxy.denied"] == 1


def test_what_is_stored_is_denied_as_well(origin, start, tmp_path):
    origin.on("/a", cacheable(b"x"))
    path = with_list(tmp_path, "")
    larder = start(config=settings(origin, f"deny from @{path}"))
    larder.store("/a")
    path.write_text("127.0.0.1")
    reread(larder, 1)
    assert larder.get("/a").status == 403


def test_lists_are_read_again(origin, start, tmp_path):
    """Behind the sandbox; also when another file takes the place of the old one, as editors do it."""
    origin.on("/a", cacheable(b"x"))
    path = with_list(tmp_path, "# nobody yet\n192.0.2.0/24\n")
    larder = start(config=settings(origin, f"deny from @{path}"))
    with Client(larder.address, source=("127.0.0.2", 0)) as client:
        assert client.get("/a").status == 200
        path.write_text("127.0.0.2\n192.0.2.0/24\n")
        reread(larder, 1)
        assert client.get("/a").status == 403  # on a connection that was there before
        (tmp_path / "new").write_text("127.0.0.3\n")
        os.rename(tmp_path / "new", path)
        reread(larder, 2)
        assert client.get("/a").status == 200
    assert ask_from(larder, "127.0.0.3") == 403
    stats = larder.stats()
    assert stats["blocklist.networks"] == 1 and stats["blocklist.reloads"] == 2 and stats["blocklist.files"] == 1


def test_a_list_that_is_wrong_changes_nothing(origin, start, tmp_path):
    path = with_list(tmp_path, "127.0.0.2\n")
    larder = start(config=settings(origin, f"deny from @{path}"))
    for count, break_it in enumerate([lambda: path.write_text("127.0.0.3\nrubbish\n"), path.unlink], 1):
        break_it()
        reread(larder, count)
        assert ask_from(larder, "127.0.0.2") == 403 and ask_from(larder, "127.0.0.3") == 404
    assert larder.stats()["blocklist.reloads_failed"] == 2
    larder.stop()
    assert any(f"{path}:2: \"rubbish\" is no network" in line and "stays as it was" in line for line in larder.log), larder.log


def test_a_long_list(origin, start, tmp_path):
    path = with_list(tmp_path, "".join(f"10.{i >> 8 & 255}.{i & 255}.{i >> 16}\n" for i in range(100000)) + "127.0.0.2\n")
    larder = start(config=settings(origin, f"deny from @{path}"))
    assert ask_from(larder, "127.0.0.2") == 403 and ask_from(larder, "127.0.0.1") == 404
    stats = larder.stats()
    assert stats["blocklist.networks"] == 100001 and stats["blocklist.bytes"] < 100001 * 144


def test_sighup_without_lists_stops_nothing(origin, larder):
    larder.process.send_signal(signal.SIGHUP)
    assert larder.get("/a").status == 404
    larder.stop()
    assert any("SIGHUP: the configuration names no file" in line for line in larder.log)


def test_check_names_the_line(tmp_path):
    path = with_list(tmp_path, "10.0.0.0/8\n10.0.0.0/99\n")
    config = tmp_path / "larder.conf"
    config.write_text("site a {\n    origin a:1\n    deny from @blocklist.txt\n}\n")
    done = run("check", config)
    assert done.returncode == 1 and f"larder.conf:3:15: error: {path}:2: \"10.0.0.0/99\" is no network" in done.stderr, done.stderr
