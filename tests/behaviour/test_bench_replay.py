"""larder-bench replay: a trace and an access log against a larder that runs, with the bench's own origin behind it."""

import json
import re
import struct
import subprocess

import pytest

from origin import answer
from server import BENCH, bench


@pytest.fixture
def stub():
    """The address of a larder-bench origin."""
    process = subprocess.Popen([BENCH, "origin", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    yield re.search(r"listening on (\S+)", process.stdout.readline()).group(1)
    process.terminate()
    process.stdout.close()
    assert process.wait() == 0


def write_trace(path, *requests):
    """(seconds, object, size) as oracleGeneral."""
    path.write_bytes(b"".join(struct.pack("<IQIq", *request, -1) for request in requests))
    return path


def write_log(path, *requests):
    """(seconds, URL, size) as an access log."""
    path.write_text("".join(f'127.0.0.1 - - [17/May/2015:10:05:{seconds:02} +0000] "GET {url} HTTP/1.1" 200 {size} "-" "-"\n'
                            for seconds, url, size in requests))
    return path


def replay(*arguments):
    done = bench("replay", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_hits_and_what_the_origin_had_to_do(stub, start, tmp_path):
    """One after the other, so that what was answered is stored (a follower of a flight counts as a miss)."""
    larder = start(origin=stub)
    trace = write_trace(tmp_path / "trace", (1, 7, 5000), (1, 8, 100), (1, 7, 5000), (1, 7, 5000))
    url = f"http://127.0.0.1:{larder.port}"
    replay(trace, url, "--requests", 2, "--connections", 1)
    larder.wait_stored(2)
    seen = replay(trace, url, "--connections", 1, "--origin", stub)
    assert seen["answers"] == 4 and seen["status"] == {"200": 4}
    assert seen["hit_ratio"] == 1 and seen["object_miss_ratio"] == 0 and seen["hit_bytes"] == 15100
    assert seen["origin"]["requests"] == 0 and seen["origin"]["bytes_sent"] == 0
    assert seen["least_object_miss_ratio"] == 0.5 and seen["least_byte_miss_ratio"] == pytest.approx(5100 / 15100, abs=1e-6)


def test_misses_are_told_in_requests_and_bytes(stub, start, tmp_path):
    larder = start(origin=stub)
    trace = write_trace(tmp_path / "trace", *((1, number, 1000 * number) for number in range(1, 11)))
    seen = replay(trace, f"http://127.0.0.1:{larder.port}", "--origin", stub)
    assert seen["object_miss_ratio"] == 1 and seen["byte_miss_ratio"] == 1 and seen["miss_bytes"] == 55000
    assert seen["origin"]["requests"] == 10 and seen["origin"]["bytes_sent"] > 55000
    assert seen["origin"]["requests_per_answer"] == 1


def test_an_access_log_is_played_by_number_and_size(origin, tmp_path):
    """Its URLs are not asked for; sizes are the largest that was logged."""
    origin.default = answer(body=b"hello")
    log = write_log(tmp_path / "log", (1, "/secret?a", 70), (1, "/b", 5), (2, "/secret?a", 90))
    seen = replay(log, f"http://{origin.address}", "--connections", 1)
    assert seen["format"] == "combined" and seen["planned"] == 3 and seen["object_miss_ratio"] is None
    assert [request.target for request in origin.asked()] == [
        "/size/90/max-age/86400/object/0", "/size/5/max-age/86400/object/1", "/size/90/max-age/86400/object/0"]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_path_of_ones_own_and_every_request_once(origin, tmp_path, threads):
    origin.default = answer(body=b"hello")
    trace = write_trace(tmp_path / "trace", *((1, number, 5) for number in range(50)))
    replay(trace, f"http://{origin.address}/x/{{}}?{{size}}", "--connections", 4, "--threads", threads)
    assert sorted(request.target for request in origin.asked()) == sorted(f"/x/{number}?5" for number in range(50))


def test_at_the_pace_of_the_trace(origin, tmp_path):
    """Two seconds, a hundred times as fast: the loop is open, and the last request is due after 20 ms."""
    origin.default = answer(body=b"hello")
    log = write_log(tmp_path / "log", (1, "/a", 1), (1, "/b", 1), (3, "/c", 1))
    seen = replay(log, f"http://{origin.address}/{{}}", "--connections", 1, "--speed", 100)
    assert seen["speed"] == 100 and seen["loop"] == "open" and seen["answers"] == 3 and seen["seconds"] >= 0.02
    assert [request.target for request in origin.asked()] == ["/0", "/1", "/2"]


def test_people_are_told_the_same(stub, start, tmp_path):
    larder = start(origin=stub)
    trace = write_trace(tmp_path / "trace", (1, 7, 5000), (1, 8, 100), (1, 8, 100), (1, 8, 100))
    done = bench("replay", trace, f"http://127.0.0.1:{larder.port}", "--origin", stub, "--connections", 1)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 requests; 2 objects" in done.stdout and "flat out" in done.stdout
    assert "keeps all would hit 50.00%" in done.stdout and "the origin was asked " in done.stdout


@pytest.mark.parametrize("arguments, told", [
    (["/nonexistent/trace", "127.0.0.1:1"], "/nonexistent/trace: cannot be opened"),
    (["TRACE"], "TRACE URL is missing"),
    (["TRACE", "127.0.0.1:1/a"], "no {} in it"),
    (["TRACE", "127.0.0.1:1", "--speed", "0"], '--speed "0": expected more than 0'),
    (["TRACE", "127.0.0.1:1", "--speed", "fast"], '--speed "fast"'),
    (["TRACE", "127.0.0.1:1", "--origin", "127.0.0.1:1"], "cannot be asked for /-/requests: the peer refused"),
    (["TRACE", "ORIGIN", "--origin", "ORIGIN"], "not that of a larder-bench origin"),
])
def test_mistakes_are_one_line(origin, tmp_path, arguments, told):
    trace = write_trace(tmp_path / "trace", (1, 7, 5000))
    done = bench("replay", *({"TRACE": trace, "ORIGIN": origin.address}.get(a, a) for a in arguments))
    assert done.returncode == 1 and done.stdout == ""
    assert told in done.stderr and done.stderr.count("\n") == 1
