"""The gate on instructions (bench/compare/micro.py): what it counts is steady, and it fails for what it should."""

import os
import subprocess
import sys

import pytest

COMPARE = os.path.join(os.path.dirname(__file__), "../../bench/compare")
sys.path.insert(0, COMPARE)

import micro  # noqa: E402
from process import Failed  # noqa: E402
from server import BENCH  # noqa: E402

HERE = {"compiler": "gcc 12.2.0", "scan": "avx2", "valgrind": "valgrind-3.19.0"}


def passed(counts, before, margin=0.05):
    return {row[0]: row[4] for row in micro.judge(counts, before, margin)}


def test_a_part_fails_when_it_takes_more_than_the_margin_and_not_when_it_takes_less():
    before = {"key": 100.0, "head": 100.0, "ring": 100.0}
    assert passed({"key": 104.9, "head": 105.1, "ring": 10.0}, before) == {"key": True, "head": False, "ring": True}
    assert passed({"key": 104.9, "head": 105.1, "ring": 126.0}, before, 0.25) == {"key": True, "head": True, "ring": False}


def test_a_part_that_only_one_side_knows_fails():
    rows = micro.judge({"new": 5.0, "key": 1.0}, {"key": 1.0, "gone": 5.0}, 0.05)
    assert {row[0]: row[4] for row in rows} == {"key": True, "gone": False, "new": False}
    assert [micro.verdict(row, 0.05).split(":")[0] for row in rows] == ["", "gone", "new"]


def test_what_was_written_is_read_again(tmp_path):
    path, counts = tmp_path / "baseline", {"parser": 3067.0, "ring": 27.8}
    micro.write_baseline(HERE, counts, path)
    assert micro.read_baseline(path) == (HERE, counts)
    assert micro.differences(HERE, HERE) == []
    assert micro.differences({**HERE, "compiler": "gcc 14.2.0"}, HERE) == ["compiler is gcc 14.2.0, in the baseline gcc 12.2.0"]


@pytest.mark.parametrize("text", [None, "key\n", "key many\n"], ids=["missing", "no number", "not a number"])
def test_a_baseline_that_cannot_be_had_says_what_to_do(tmp_path, text):
    path = tmp_path / "baseline"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Failed, match="./dev micro --accept"):
        micro.read_baseline(path)


def gate(monkeypatch, capsys, tmp_path, before, about=HERE):
    path = tmp_path / "baseline"
    micro.write_baseline(HERE, before, path)
    monkeypatch.setattr(micro, "read_baseline", lambda read=micro.read_baseline: read(path))
    monkeypatch.setattr(micro, "look_around", lambda: (about, ["key"]))
    monkeypatch.setattr(micro, "count", lambda parts: {part: 110.0 for part in parts})
    code = micro.gate()
    return code, capsys.readouterr().out


def test_the_gate_says_what_to_do_when_it_fails(monkeypatch, capsys, tmp_path):
    code, told = gate(monkeypatch, capsys, tmp_path, {"key": 100.0})
    assert code == 1 and told.endswith("0 passed, 1 failed\n")
    assert "+10.0%   more than 5% above" in told and "./dev micro --accept" in told


def test_another_compiler_is_told_and_has_a_wider_margin(monkeypatch, capsys, tmp_path):
    code, told = gate(monkeypatch, capsys, tmp_path, {"key": 100.0}, {**HERE, "compiler": "gcc 14.2.0"})
    assert code == 0 and told.endswith("1 passed, 0 failed\n")
    assert told.startswith("compiler is gcc 14.2.0, in the baseline gcc 12.2.0: up to 25% more passes\n")


def test_the_committed_baseline_has_all_parts():
    about, counts = micro.read_baseline()
    assert set(about) == set(micro.ABOUT)
    assert list(counts) == ["parser", "key", "lookup", "find", "head", "ring", "record"]


def test_what_start_and_end_take_is_not_counted(monkeypatch):
    def valgrind(*command):
        operations = int(command[command.index("--operations") + 1])
        return subprocess.CompletedProcess(command, 0, "", f"==7== Collected : {123456 + 42 * operations}\n")

    monkeypatch.setattr(micro, "run", valgrind)
    assert micro.count(["key", "head"], 200) == {"key": 42, "head": 42}


def test_what_cannot_be_run_is_told():
    with pytest.raises(Failed, match="no part"):
        micro.run(BENCH, "micro", "oven")
    with pytest.raises(Failed, match="no-such-program"):
        micro.run("no-such-program")
