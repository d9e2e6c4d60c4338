"""larder-bench micro: what it tells, and what it refuses. How fast anything is, no test says."""

import json

import pytest

from server import bench

PARTS = ["parser", "key", "lookup", "find", "head", "ring", "record"]
QUICK = ("--operations", 50, "--rounds", 3)


def measured(*arguments):
    done = bench("micro", *arguments, *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_a_name_all_parts_are_told_in_their_order():
    seen = measured()
    assert [part["part"] for part in seen["parts"]] == PARTS and seen["threads"] == []
    assert (seen["operations"], seen["rounds"], seen["answers"]) == (50, 3, 1000)
    assert seen["compiler"].split()[0] in ("gcc", "clang") and seen["scan"] in ("scalar", "sse4.2", "avx2")
    for part in seen["parts"]:
        ns, instructions = part["ns"], part["instructions"]
        assert 0 < ns["least"] <= ns["median"] <= ns["most"]
        assert instructions is None or instructions > 0  # None: the kernel lends no counter


def test_parts_are_those_that_were_named():
    assert [part["part"] for part in measured("ring", "key")["parts"]] == ["ring", "key"]


def test_threads_are_told_beside_the_first_number_of_them():
    seen = measured("lookup", "find", "--threads", "1,2", "--answers", 7)
    assert seen["parts"] == [] and seen["answers"] == 7
    assert [(race["part"], race["threads"]) for race in seen["threads"]] == [("lookup", 1), ("lookup", 2), ("find", 1), ("find", 2)]
    for race in seen["threads"]:
        assert race["per_second"] > 0 and race["ratio"] > 0
        assert race["threads"] > 1 or race["ratio"] == 1


def test_people_get_a_table():
    lines = bench("micro", "head", "parser", *QUICK).stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["part", "head", "parser"]
    lines = bench("micro", "ring", "--threads", "2", *QUICK).stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["part", "threads"], ["ring", "2"]]


@pytest.mark.parametrize("arguments, told", [
    (["oven"], 'no part "oven"; there are parser, key, lookup, find, head, ring and record'),
    (["key", "key"], "key stands there twice"),
    (["record", "--threads", "1,2"], "record is the work of one thread"),
    (["key", "--threads", "0"], '--threads "0": expected 1 to 16 threads'),
    (["key", "--threads", "1,x"], '--threads "1,x": expected 1 to 16 threads'),
    (["key", "--threads", "17"], '--threads "17": expected 1 to 16 threads'),
    (["key", "--threads", "1,2,3,4,5,6,7,8,9"], "at most 8 numbers"),
    (["--answers", "1001"], "--answers"),
    (["--rounds", "0"], "--rounds"),
])
def test_what_is_wrong_is_told_and_nothing_is_measured(arguments, told):
    done = bench("micro", *arguments)
    assert done.returncode == 1 and done.stdout == "" and told in done.stderr
    assert done.stderr.startswith("larder-bench micro: ") and done.stderr.count("\n") == 1
