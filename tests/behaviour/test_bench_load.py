"""larder-bench load: who is asked, how often, and what is told of it."""

import collections
import json
import os
import pty
import subprocess

import pytest

from origin import answer
from server import BENCH, bench


def load(*arguments, **more):
    """The JSON of a load that succeeds."""
    done = bench("load", *arguments, "--json", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def willing(origin):
    """An origin that answers whatever it is asked."""
    origin.default = answer(body=b"hello")
    return origin


def targets(origin):
    return collections.Counter(request.target for request in origin.asked())


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("passes", [1, 3])
def test_each_object_once_in_a_pass(willing, threads, passes):
    seen = load(f"http://{willing.address}/a/{{}}?{{}}", "--objects", 50, "--requests", 50 * passes, "--threads", threads,
                "--connections", 7)
    assert seen["answers"] == 50 * passes and seen["distinct"] == 50 and seen["zipf"] is None
    assert targets(willing) == {f"/a/{i}?{i}": passes for i in range(50)}


def test_each_url_of_each_object(willing):
    load(f"http://{willing.address}/a/{{}}", f"http://{willing.address}/b/{{}}", "--objects", 4, "--requests", 8)
    assert targets(willing) == {f"/{name}/{i}": 1 for name in "ab" for i in range(4)}


def test_pipelined_requests_with_numbers_arrive_whole(willing):
    """More of them than one write takes."""
    load(f"http://{willing.address}/{{}}/{{}}/{{}}/{{}}", "--objects", 200, "--requests", 200, "--connections", 1,
         "--pipeline", 200)
    assert targets(willing) == {f"/{i}/{i}/{i}/{i}": 1 for i in range(200)}


def test_zipf_prefers_the_first_and_equal_runs_ask_alike(willing):
    arguments = (f"http://{willing.address}/{{}}", "--objects", 100, "--requests", 1000, "--zipf", "1.2", "--connections", 2)
    assert load(*arguments)["zipf"] == 1.2
    first = targets(willing)
    assert first["/0"] > 150 and first.most_common(1)[0][0] == "/0"
    load(*arguments)
    assert targets(willing) == {target: 2 * count for target, count in first.items()}


def test_zipf_of_nothing_is_uniform(willing):
    load(f"http://{willing.address}/{{}}", "--objects", 10, "--requests", 1000, "--zipf", 0)
    assert all(50 < count < 150 for count in targets(willing).values())


def test_a_list_of_paths_is_asked_in_turn(willing, tmp_path):
    path = tmp_path / "list"
    path.write_text("/a\n\n# remark\n/b?c={}\n/d")
    seen = load(f"http://{willing.address}/never", "--list", path, "--requests", 6)
    assert seen["list"] == str(path) and seen["distinct"] == 3
    assert targets(willing) == {"/a": 2, "/b?c={}": 2, "/d": 2}


def test_a_list_from_stdin_names_the_host_itself(willing):
    seen = load("--list", "-", "--requests", 4, input=f"http://{willing.address}/a\n/b\n")
    assert seen["urls"] == [] and targets(willing) == {"/a": 2, "/b": 2}


@pytest.mark.parametrize("arguments, told", [
    ([], "URL... is missing"),
    (["127.0.0.1:1/{}"], "{} needs --objects"),
    (["127.0.0.1:1/", "--objects", 5], "no {} in it"),
    (["127.0.0.1:1/", "127.0.0.1:1/", "--list", "x"], "at most one URL"),
    (["127.0.0.1:1/{}", "--list", "x", "--objects", 5], "exclude each other"),
    (["127.0.0.1:1/", "--list", "/nonexistent/list"], "/nonexistent/list: cannot be opened"),
    (["127.0.0.1:1/", "--zipf", "-1"], '--zipf "-1"'),
    (["127.0.0.1:1/{}", "--zipf", "1", "--objects", 2_000_000_000], "draws from 1000000000 URLs at most"),
])
def test_mistakes_are_one_line(arguments, told):
    done = bench("load", *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert told in done.stderr and done.stderr.count("\n") == 1


# ---- while it runs ----

def on_a_terminal(*arguments):
    """What it writes on a terminal that is its stderr."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen([BENCH, "load", *map(str, arguments)], stderr=theirs, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    seen = b""
    try:
        while data := os.read(terminal, 4096):
            seen += data
    except OSError:  # Linux says so when nobody has the other end any more
        pass
    os.close(terminal)
    out = process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0
    return seen.decode(), out


def test_a_terminal_sees_how_it_goes_and_is_left_clean(willing):
    shown, told = on_a_terminal(f"http://{willing.address}/", "--seconds", 3, "--connections", 2)
    lines = shown.split("\r\x1b[K")
    assert lines[0] == "" and lines[-1] == "" and len(lines) > 2
    for line in lines[1:-1]:
        assert line.startswith("\x1b[?7l") and line.endswith("\x1b[?7h")  # it neither wraps nor leaves it so
    assert "/s   p50 " in lines[-2] and "errors 0" in lines[-2]
    assert "\x1b" not in told


def test_a_file_sees_nothing_of_it(willing):
    done = bench("load", f"http://{willing.address}/", "--seconds", 2, "--connections", 2)
    assert done.returncode == 0 and done.stderr == ""
