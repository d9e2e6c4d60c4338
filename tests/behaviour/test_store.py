"""`larder store`: a store is looked into while it serves, when it was stopped, and when it was killed."""

import json
import os
import re
import threading

import pytest

from origin import cacheable
from server import run

PAGES = 120


def fill(origin, larder, count=PAGES):
    for i in range(count):
        origin.on(f"/page/{i}", cacheable(b"%d" % i * (100 + i * 50)))
        larder.get(f"/page/{i}")
    larder.wait_stored(count)


def listed(*arguments):
    """The targets of all that is listed, after the header."""
    done = run("store", "list", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return sorted(json.loads(line)["key"] for line in done.stdout.splitlines())


def keys(numbers):
    return sorted(f"http://test/page/{i}" for i in numbers)


def whole(*arguments):
    done = run("store", "verify", *arguments)
    assert done.returncode == 0 and done.stdout.startswith("nothing is damaged; "), done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "store")


def test_a_running_store(origin, larder):
    fill(origin, larder)
    assert listed("--admin", larder.admin) == keys(range(PAGES))
    assert listed("--admin", larder.admin, "--match", "*/page/1?") == keys(range(10, 20))
    rows = [json.loads(line) for line in run("store", "list", "--admin", larder.admin, "--json").stdout.splitlines()]
    large = sorted(row["key"] for row in rows if row["size"] >= 5 * 1024)
    assert 10 < len(large) < PAGES
    assert listed("--admin", larder.admin, "--host", "TEST", "--min-size", "5k") == large
    assert listed("--admin", larder.admin, "--host", "other") == []
    assert listed("--admin", larder.admin, "--expired") == []
    info = json.loads(run("store", "info", "--admin", larder.admin, "--json").stdout)
    assert info["objects"] == PAGES and info["state"] == "running"
    assert sum(log["objects"] for log in info["logs"]) == PAGES
    assert f"{PAGES} records" in whole("--admin", larder.admin)
    text = run("store", "list", "--admin", larder.admin, "--limit", "3").stdout.splitlines()
    assert len(text) == 4 and text[0].split() == ["SIZE", "AGE", "LEFT", "STATUS", "KEY"]
    assert all(re.search(r" 200  http://test/page/\d+$", line) for line in text[1:])


def test_the_status_and_what_an_answer_varies_by(origin, larder):
    origin.on("/a", cacheable(b"x", ("Vary", "Accept-Language")))
    larder.get("/a", ("Accept-Language", "de"))
    larder.wait(lambda s: s["store.objects"] == 2)
    rows = [json.loads(line) for line in run("store", "list", "--admin", larder.admin, "--json").stdout.splitlines()]
    assert {row["kind"] for row in rows} == {"object", "variants"}
    variant = next(row for row in rows if row["kind"] == "object")
    assert variant["status"] == 200 and variant["variant"] == "accept-language: de"


def test_under_load(origin, start):
    """Lists and verifications while others fetch, hit and evict: both end, nobody is refused, nothing looks damaged."""
    larder = start(ram="8M")
    origin.on("/kept", cacheable(b"k" * 1000))
    larder.get("/kept")
    stop, failures = threading.Event(), []

    def load(name):
        number = 0
        with larder.client() as client:
            while not stop.is_set():
                number += 1
                target = f"/{name}/{number % 1500}"
                origin.on(target, cacheable(b"%d" % number * 2000))
                if client.get(target).status != 200 or client.get("/kept").body != b"k" * 1000:
                    failures.append(target)

    loads = [threading.Thread(target=load, args=(name,)) for name in ("a", "b")]
    for thread in loads:
        thread.start()
    try:
        larder.wait(lambda s: s["store.evicted"] > 50)
        evicted = larder.stats()["store.evicted"]
        for _ in range(3):
            assert len(listed("--admin", larder.admin)) > 100
            whole("--admin", larder.admin)
            assert run("store", "info", "--admin", larder.admin).returncode == 0
        larder.wait(lambda s: s["store.evicted"] > evicted)
    finally:
        stop.set()
        for thread in loads:
            thread.join()
    assert not failures


def test_a_store_that_was_stopped(origin, start, folder):
    larder = start("--cache", folder, "64M")
    fill(origin, larder)
    assert larder.purge("/page/7") == 1
    assert larder.stop() == 0
    left = [i for i in range(PAGES) if i != 7]
    before = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder) if name != "lock"}
    assert listed(folder) == keys(left)
    assert "had no final footer" not in whole(folder)
    assert "stopped in order" in run("store", "info", folder).stdout
    assert before == {n: os.stat(os.path.join(folder, n)).st_mtime_ns for n in os.listdir(folder) if n != "lock"}
    again = start("--cache", folder, "64M")
    again.wait(lambda s: s["store.recovered"] == len(left))


def test_a_store_that_was_killed(origin, start, folder):
    larder = start("--cache", folder, "64M")
    fill(origin, larder)
    assert larder.purge("/page/7") == 1
    larder.kill()
    left = [i for i in range(PAGES) if i != 7]
    assert listed(folder) == keys(left)
    whole(folder)
    info = json.loads(run("store", "info", folder, "--json").stdout)
    assert info["state"] == "killed" and info["objects"] == len(left)
    again = start("--cache", folder, "64M")
    again.wait(lambda s: s["store.recovered"] == len(left))


def flip(path, needle):
    with open(path, "r+b") as file:
        at = file.read().index(needle)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_damage_is_found(origin, start, folder):
    larder = start("--cache", folder, "64M")
    origin.on("/a", cacheable(b"a needle in a body"))
    origin.on("/b", cacheable(b"b"))
    larder.get("/a")
    larder.get("/b")
    larder.wait_stored(2)
    flip(os.path.join(folder, "shard-00.dat"), b"a needle in a body")
    for where in (["--admin", larder.admin], [folder]):
        done = run("store", "verify", *where)
        assert done.returncode == 1 and done.stderr == "", done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 2 and re.fullmatch(
            r"shard-00\.dat: segment \d+, offset \d+: the body of a record: http://test/a", lines[0]), lines
        assert lines[1].startswith("1 damaged; checked ")
        larder.stop()


def test_a_directory_in_use(origin, start, folder):
    larder = start("--cache", folder, "64M")
    for word in ("info", "verify", "list"):
        done = run("store", word, folder)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1
        assert f"in use by process {larder.process.pid}" in done.stderr and "--admin" in done.stderr
    fill(origin, larder, 3)
    assert listed("--admin", larder.admin) == keys(range(3))


def test_what_is_no_store(tmp_path):
    (tmp_path / "mine").write_text("mine")
    done = run("store", "verify", tmp_path)
    assert done.returncode == 1 and "holds no store" in done.stderr
    assert os.listdir(tmp_path) == ["mine"]
