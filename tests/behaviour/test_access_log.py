"""The access log: what it says of a request, that nobody can forge it, and that the server never waits for it."""

import json
import os
import re
import signal
import socket
import struct
import time

import pytest

from origin import Gate
from server import WAIT, bench, run, settings
from wire import compose

HOUR = [("Cache-Control", "max-age=3600")]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "access.log")


def lines(path, count):
    """The lines of the log, when there are so many."""
    deadline = time.monotonic() + WAIT
    while True:
        with open(path, "rb") as file:
            found = file.read().split(b"\n")
        assert found.pop() == b"" or len(found) < count
        if len(found) >= count:
            assert len(found) == count
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.002)


def entries(path, count):
    return [json.loads(line) for line in lines(path, count)]


def test_a_miss_and_a_hit(origin, start, path):
    origin.on("/a", lambda x: x.answer(200, HOUR, b"x" * 1000))
    larder = start("--log", path, workers=1)
    larder.store("/a?b=c", ("User-Agent", "me/1"), ("Referer", "http://there/"))
    larder.get("/a?b=c")
    miss, hit = entries(path, 2)
    assert list(miss) == ["time", "client", "method", "host", "target", "protocol", "status", "bytes", "seconds", "cache",
                          "origin_status", "stored", "referer", "agent"]
    assert miss["client"] == "127.0.0.1" and miss["host"] == "test" and miss["protocol"] == "HTTP/1.1"
    assert (miss["method"], miss["target"], miss["status"], miss["bytes"]) == ("GET", "/a?b=c", 200, 1000)
    assert (miss["cache"], miss["origin_status"], miss["stored"]) == ("uri-miss", 200, True)
    assert (miss["referer"], miss["agent"]) == ("http://there/", "me/1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", miss["time"])
    assert hit["cache"] == "hit" and hit["status"] == 200 and hit["bytes"] == 1000 and "stored" not in hit
    assert 0 <= hit["seconds"] < WAIT
    larder.wait(lambda s: s["log.lines"] == 2 and s["log.bytes"] == os.path.getsize(path))
    assert larder.stats()["proxy.log_dropped"] == 0 and larder.stats()["log.errors"] == 0


def test_every_kind_of_answer_has_its_status(origin, start, path):
    origin.on("/a", lambda x: x.answer(200, [*HOUR, ("ETag", '"1"')], b"x" * 1000))
    origin.on("/no", lambda x: x.answer(404, [("Cache-Control", "no-store")], b"none"))
    larder = start("--log", path, workers=1)
    larder.store("/a")
    larder.get("/a", ("If-None-Match", '"1"'))
    larder.get("/a", ("Range", "bytes=0-9"))
    larder.get("/a", ("Range", "bytes=5000-"))
    larder.ask("HEAD", "/a")
    larder.get("/no")
    larder.ask("POST", "/no", body=b"abc")
    seen = [(e["method"], e["status"], e["bytes"], e["cache"], e.get("detail")) for e in entries(path, 7)]
    assert seen[0] == ("GET", 200, 1000, "uri-miss", None)
    assert seen[1] == ("GET", 304, 0, "hit", None)
    assert seen[2] == ("GET", 206, 10, "hit", None)
    assert seen[3][:2] == ("GET", 416) and seen[3][3] == "hit"
    assert seen[4] == ("HEAD", 200, 0, "hit", None)
    assert seen[5] == ("GET", 404, 4, "uri-miss", "no-store")
    assert seen[6] == ("POST", 404, 4, "method", "method")


def test_who_is_refused_is_told_with_the_reason(origin, start, path):
    larder = start("--log", path, workers=1)
    for bad in (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"\x00\r\n\r\n"):
        with larder.client() as client:
            client.send(bad)
            assert client.reader.answer().status == 400
    double, space, junk = entries(path, 3)
    assert double["status"] == 400 and double["cache"] == "none" and double["target"] == "/" and double["detail"]
    assert space["status"] == 400 and space["target"] == "" and space["method"] == "" and space["detail"]
    assert junk["detail"] and junk["host"] == ""


def test_an_origin_that_cannot_be_had(start, path):
    larder = start("--log", path, workers=1, origin="127.0.0.1:1")
    larder.get("/")
    (entry,) = entries(path, 1)
    assert entry["status"] == 502 and entry["detail"] and "origin_status" not in entry


def test_who_leaves_before_the_answer(origin, start, path):
    gate = Gate()

    def late(x):
        gate.hold()
        x.answer(200, HOUR, b"late")

    origin.on("/late", late)
    larder = start("--log", path, workers=1)
    client = larder.client()
    client.send(compose("GET", "/late"))
    larder.wait(lambda s: s["proxy.requests_active"] == 1)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    (entry,) = entries(path, 1)
    gate.open()
    assert (entry["status"], entry["end"], entry["bytes"]) == (499, "gone", 0)


def test_an_answer_that_breaks_off(origin, start, path):
    def short(x):
        x.head(200, [("Content-Length", "1000")])
        x.send(b"abc")
        x.close()

    origin.on("/short", short)
    larder = start("--log", path, workers=1)
    assert not larder.get("/short").whole
    (entry,) = entries(path, 1)
    assert (entry["status"], entry["end"], entry["bytes"]) == (200, "cut", 3)


def test_no_client_writes_a_line(origin, start, path):
    origin.on("/a", lambda x: x.answer(200, HOUR, b"x"))
    larder = start("--log", path, workers=1)
    agent = 'x"} \\ {"cache":"hit'
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\nUser-Agent: " + agent.encode() + b"\xff\t.\r\n\r\n")
        assert client.reader.answer().status == 200
    (entry,) = entries(path, 1)
    assert entry["agent"] == agent + "\xff\t." and entry["cache"] == "uri-miss"


def test_combined_is_what_simulate_reads(origin, start, path):
    origin.on("/", lambda x: x.answer(200, HOUR, b"x" * 1000))
    larder = start(config=settings(origin).replace("workers 2", f"workers 1\nlog {path} combined"))
    for i in range(40):
        larder.get(f"/?{i % 10}", ("User-Agent", 'a "quoted" one'))
    assert re.fullmatch(rb'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /\?\d HTTP/1\.1" 200 1000 "-" '
                        rb'"a \\x22quoted\\x22 one"', lines(path, 40)[0])
    done = bench("simulate", path, "--cache", "1M", "--json")
    assert done.returncode == 0, done.stderr
    assert '"requests": 40' in done.stdout or '"requests":40' in done.stdout


def test_it_is_opened_anew(origin, start, path):
    origin.on("/a", lambda x: x.answer(200, HOUR, b"x"))
    larder = start("--log", path, workers=1)
    larder.store("/a")
    lines(path, 1)
    os.rename(path, path + ".1")
    larder.process.send_signal(signal.SIGUSR1)
    larder.wait(lambda s: s["log.reopened"] == 1)
    larder.get("/a")
    assert len(lines(path, 1)) == 1 and len(lines(path + ".1", 1)) == 1
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_without_a_log_the_signal_says_so(start):
    larder = start()
    larder.process.send_signal(signal.SIGUSR1)
    larder.wait(lambda s: any("no access log" in line for line in larder.log))
    assert larder.get("/").status == 404 and "log.lines" not in larder.stats()


def test_nothing_is_lost_at_the_end(origin, start, path):
    origin.on("/a", lambda x: x.answer(200, HOUR, b"x"))
    larder = start("--log", path, workers=1)
    larder.store("/a")
    with larder.client() as client:
        client.send(compose("GET", "/a") * 500)
        for _ in range(500):
            assert client.reader.answer().status == 200
    assert larder.stop() == 0
    assert len(lines(path, 501)) == 501


def test_a_pipe_that_nobody_reads_costs_lines_and_no_request(origin, start, path):
    """What the log cannot take is counted, and requests are answered all the same."""
    origin.on("/a", lambda x: x.answer(200, HOUR, b"x"))
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    larder = start("--log", path, workers=1)
    larder.store("/a")
    long = ("User-Agent", "a" * 1000), ("Referer", "b" * 2000)
    sent = 1
    with larder.client() as client:
        while larder.stats()["proxy.log_dropped"] == 0:
            client.send(compose("GET", "/a", long) * 100)
            for _ in range(100):
                assert client.reader.answer().status == 200
            sent += 100
            assert sent < 5000
    os.set_blocking(pipe, False)
    got = b""
    deadline = time.monotonic() + WAIT
    while larder.stats()["log.bytes"] > len(got) or larder.stats()["log.lines"] + larder.stats()["proxy.log_dropped"] < sent:
        assert time.monotonic() < deadline
        try:
            got += os.read(pipe, 1 << 20)
        except BlockingIOError:
            time.sleep(0.002)
    os.close(pipe)
    assert all(json.loads(line)["target"] == "/a" for line in got.split(b"\n")[:-1])


def test_a_file_that_cannot_be_written_is_no_start(tmp_path):
    done = run("run", "--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", tmp_path / "admin.sock", "--log",
               tmp_path / "missing" / "access.log")
    assert done.returncode == 1 and "access log" in done.stderr and "No such file" in done.stderr


def test_a_format_that_there_is_not(tmp_path):
    conf = tmp_path / "larder.conf"
    conf.write_text("log /tmp/x.log xml\nsite * { origin 127.0.0.1:1 }\n")
    done = run("check", conf)
    assert done.returncode != 0 and "write json or combined" in done.stdout + done.stderr
