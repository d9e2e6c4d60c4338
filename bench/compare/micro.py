#!/usr/bin/python3
"""micro: has a part of larder become slower? Instructions of one operation, held against those that were committed.

     larder-bench micro PART --operations 4000 ──valgrind──▶ instructions ─┐
     larder-bench micro PART --operations 2000 ──valgrind──▶ instructions ─┴─ difference / 2000 ──▶ bench/micro.baseline: within 5 %?

What start and end take is in both runs, so it goes out. Instructions and not time: a busy machine changes nothing in them. They do change
with compiler, valgrind and what the processor has (which scanner, which memcpy); where those are others than the baseline's,
the margin is wider. Valgrind counts each round of a repeated string instruction (rep stos, by which a head is cleared), so that its
numbers are above the processor's.

    ./dev micro                          builds, then runs this: fails when a part takes more than it may
    ./dev micro --accept                 what is counted now is the baseline from now on: commit it with the change that is the reason
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from process import BENCH, HERE, Failed

BASELINE = os.path.join(HERE, "../micro.baseline")
OPERATIONS = 2000
ANSWERS = 50  # so few that the first round, which is in both runs, makes all of them hot
MARGIN, MARGIN_ELSEWHERE = 0.05, 0.25
ABOUT = ("compiler", "scan", "valgrind")
HEADER = "# Instructions of one operation of `larder-bench micro`, counted by valgrind on a release build; written by ./dev micro --accept.\n"


def run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Failed(why)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done


def look_around():
    """What there is to count, and what the counts depend on."""
    seen = json.loads(run(BENCH, "micro", "--operations", "1", "--rounds", "1", "--json").stdout)
    about = {"compiler": seen["compiler"], "scan": seen["scan"], "valgrind": run("valgrind", "--version").stdout.strip()}
    return about, [part["part"] for part in seen["parts"]]


def count_all(part, operations):
    done = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", BENCH, "micro", part, "--rounds", "1",
               "--operations", str(operations), "--answers", str(ANSWERS))
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise Failed(f"valgrind does not tell what it counted: {done.stderr.strip()}")
    return int(found[1])


def count(parts, operations=OPERATIONS):
    """Instructions of one operation, by part."""
    runs = [(part, times * operations) for part in parts for times in (1, 2)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(runs, pool.map(lambda one: count_all(*one), runs)))
    return {part: (counts[part, 2 * operations] - counts[part, operations]) / operations for part in parts}


def read_baseline(path=BASELINE):
    about, counts = {}, {}
    try:
        with open(path) as file:
            lines = [line.split(maxsplit=1) for line in file if line.strip() and not line.startswith("#")]
        for name, value in lines:
            if name in ABOUT:
                about[name] = value.strip()
            else:
                counts[name] = float(value)
    except FileNotFoundError:
        raise Failed("there is no baseline yet; ./dev micro --accept writes it")
    except ValueError as why:
        raise Failed(f"bench/micro.baseline cannot be read ({why}); ./dev micro --accept writes it anew")
    return about, counts


def write_baseline(about, counts, path=BASELINE):
    with open(path, "w") as file:
        file.write(HEADER)
        file.writelines(f"{name:10}{about[name]}\n" for name in ABOUT)
        file.writelines(f"{part:10}{instructions:.1f}\n" for part, instructions in counts.items())


def differences(about, before):
    return [f"{name} is {about[name]}, in the baseline {before.get(name, 'unknown')}" for name in ABOUT
            if about[name] != before.get(name)]


def judge(counts, before, margin):
    """For each part: before, now, the change, and whether it passed; of a part that only one of the two has, None."""
    rows = []
    for part in [*before, *(part for part in counts if part not in before)]:
        was, now = before.get(part), counts.get(part)
        change = now / was - 1 if was and now is not None else None
        rows.append((part, was, now, change, change is not None and change <= margin))
    return rows


def verdict(row, margin):
    part, was, now, change, passed = row
    if was is None:
        return "new: not in the baseline"
    if now is None:
        return "gone: only in the baseline"
    if not passed:
        return f"more than {margin:.0%} above"
    return "less: --accept keeps it" if change < -margin else ""


def print_table(rows, margin):
    def number(value):
        return "-" if value is None else f"{value:,.1f}"

    print(f"{'instructions':14}{'baseline':>12}{'now':>12}{'change':>10}")
    for row in rows:
        change = "-" if row[3] is None else f"{row[3]:+.1%}"
        print(f"{row[0]:14}{number(row[1]):>12}{number(row[2]):>12}{change:>10}   {verdict(row, margin)}".rstrip())


def gate():
    before_about, before = read_baseline()
    about, parts = look_around()
    others = differences(about, before_about)
    margin = MARGIN_ELSEWHERE if others else MARGIN
    rows = judge(count(parts), before, margin)
    for other in others:
        print(f"{other}: up to {margin:.0%} more passes")
    print_table(rows, margin)
    failed = sum(not row[4] for row in rows)
    if failed:
        print("A change that is meant to cost this is committed together with a new baseline: ./dev micro --accept")
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


def accept():
    about, parts = look_around()
    counts = count(parts)
    write_baseline(about, counts)
    print_table(judge(counts, counts, MARGIN), MARGIN)
    print("written to bench/micro.baseline; commit it with the change that is the reason")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="micro", description="Instructions of larder's parts, held against bench/micro.baseline.")
    parser.add_argument("--accept", action="store_true", help="what is counted now is the baseline from now on")
    arguments = parser.parse_args()
    try:
        sys.exit(accept() if arguments.accept else gate())
    except Failed as why:
        sys.exit(f"micro: {why}")


if __name__ == "__main__":
    main()
