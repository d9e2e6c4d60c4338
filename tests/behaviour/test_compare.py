"""compare: that each part measures what it says, in a trial whose times mean nothing; and what is made of the rounds."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from server import BENCH, bench

COMPARE = os.path.join(os.path.dirname(__file__), "../../bench/compare")
sys.path.insert(0, COMPARE)

import bed  # noqa: E402
import hits  # noqa: E402
import idle  # noqa: E402
import latency  # noqa: E402
import process  # noqa: E402

COST = {"cpu", "user", "system", "rate", "p99", "least", "most", "ratio"}
TRIAL = ["--servers", "larder,nginx", "--requests", "100", "--rounds", "1", "--sizes", "1k", "--objects", "30", "--idle", "5,10",
         "--body", "4M", "--connections", "8"]


def compare(*arguments):
    return subprocess.run([sys.executable, "-B", COMPARE, *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LARDER_BUILD": os.path.dirname(BENCH)})


@pytest.mark.skipif(not {0, 1} <= os.sched_getaffinity(0), reason="the load has a core of its own, and there is but one")
@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_all_parts(tmp_path):
    done = compare(*TRIAL, "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    both = {"larder", "nginx"}
    assert set(seen["versions"]) == both and seen["rounds"] == 1 and seen["requests"] == 100
    assert set(seen["sizes"]) == {"1k"} and set(seen["sizes"]["1k"]) == both | {"floor"}
    assert all(set(row) == COST for table in (seen["sizes"]["1k"], seen["zipf"]) for row in table.values())
    assert {name: set(row) - COST for name, row in seen["misses"].items()} == dict.fromkeys(both, {"busy", "kept"})
    assert seen["misses"]["larder"]["kept"] == 1
    assert {count: set(table) for count, table in seen["idle"].items()} == {"5": both, "10": both}
    assert {way: set(table) for way, table in seen["latency"].items()} == {"own": both, "same": both}
    assert set(latency.PERCENTILES) < set(seen["latency"]["own"]["larder"])
    assert {name: row["bytes"] for name, row in seen["stream"].items()} == dict.fromkeys(both, 4 << 20)

    path = tmp_path / "cost.json"
    path.write_text(done.stdout)
    page = bench("report", path)
    assert page.returncode == 0 and page.stdout.count("<svg") == 1 + 3 + 2 + 3  # the jar; costs; latency; memory


@pytest.mark.parametrize("arguments, told", [
    (["--part", "hits,nothing"], '"nothing" is none of hits, zipf, misses, idle, latency, stream'),
    (["--servers", "larder,iis"], '"iis" is none of larder, nginx'),
    (["--rounds", "0"], '"0" is not a number from 1 on'),
    (["--idle", "10,x"], '"x" is not a number from 1 on'),
])
def test_mistakes_are_told(arguments, told):
    done = compare(*arguments)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


def rounds_of(**figures):
    return [{name: {"cpu": values[i]} for name, values in figures.items()} for i in range(3)]


def test_ratios_are_those_within_a_round():
    table = bed.costs(rounds_of(floor=[1, 2, 4], larder=[2, 2, 12]), "floor")
    assert table["larder"] == {"cpu": 2, "least": 2, "most": 12, "ratio": 2}  # of 2, 1 and 3
    assert table["floor"] == {"cpu": 2, "least": 1, "most": 4, "ratio": 1}


def test_a_round_too_short_for_the_clock():
    assert bed.costs(rounds_of(a=[0, 0, 0], b=[1, 0, 1]), "a")["b"]["ratio"] == 1


def test_whom_the_others_are_held_against():
    assert bed.base_of(["nginx", "larder"]) == "larder" and bed.base_of(["squid", "nginx"]) == "squid"


def test_half_loads():
    assert latency.rates_of({"a": 1000.9, "b": 300}) == {"own": {"a": 500, "b": 150}, "same": {"a": 150, "b": 150}}


def test_objects_of_mixed_sizes_are_different():
    paths = hits.mixed(25)
    assert len(set(paths)) == 25 and {path.split("/")[2] for path in paths} == {"1k", "2k", "4k", "16k", "64k"}


def test_more_connections_than_files_are_left_out(monkeypatch, capsys):
    monkeypatch.setattr(idle.resource, "getrlimit", lambda _: (100, 1100))
    monkeypatch.setattr(idle.resource, "setrlimit", lambda *_: None)
    assert idle.allowed([1000, 10000]) == [1000]
    assert "10000 connections need more open files than the 1100 allowed" in capsys.readouterr().err


def test_memory_of_a_process_is_read():
    class Me(process.Server):
        def __init__(self):
            self.name, self.process = "me", type("Process", (), {"pid": os.getpid()})

    assert 1 << 20 < Me().resident() and Me().resident() <= 2 * Me().peak()
