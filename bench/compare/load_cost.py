#!/usr/bin/python3
"""load_cost: what a request costs the program that sends it: larder-bench load beside wrk, in one run.

     for each size: ┌─ round ─────────────┐
                    │ larder-bench · wrk  │ × rounds ──▶ medians, ratio to wrk
                    └─────────────────────┘
     each drives the same larder in turn, with one thread on core 1; larder and its origin have core 0

Processor time is user and system of the whole program, from its start to its end, divided by the answers that it had. A
round with another answer than 200 ends the run, as does a request to the origin.

    ./dev load-cost                                       installs wrk, builds, then runs this
    bench/compare/load_cost.py --sizes 1k,16k --rounds 5 --seconds 5 --json
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from peers import PEERS
from process import BENCH, LOAD_CORE, Failed, Server, asked, load

WRK = "wrk"


def run(command):
    """What it wrote, and the user and system seconds that it took."""
    with tempfile.TemporaryFile(mode="w+") as out:
        process = subprocess.Popen(["taskset", "-c", LOAD_CORE, *command], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failed(f"{command[0]} ended with {process.returncode}")
        out.seek(0)
        return out.read(), usage.ru_utime, usage.ru_stime


def row(answers, seconds, user, system):
    user, system = user / answers * 1e6, system / answers * 1e6
    return {"cpu": user + system, "user": user, "system": system, "rate": answers / seconds}


def with_load(url, arguments):
    out, user, system = run([BENCH, "load", url, "--connections", str(arguments.connections), "--seconds",
                             str(arguments.seconds), "--json"])
    seen = json.loads(out)
    if sum(seen["errors"].values()) or seen["status"] != {"200": seen["answers"]}:
        raise Failed(f"not all answers were good: {seen['status']}, errors {seen['errors']}")
    return row(seen["answers"], seen["seconds"], user, system)


def with_wrk(url, arguments):
    out, user, system = run([WRK, "--threads", "1", "--connections", str(arguments.connections), "--duration",
                             f"{arguments.seconds}s", "--latency", url])
    answers = re.search(r"(\d+) requests in ", out)
    if "Socket errors" in out or "Non-2xx" in out or not answers:
        raise Failed("not all answers were good:\n" + out)
    return row(int(answers.group(1)), arguments.seconds, user, system)


PROGRAMS = {"larder-bench load": with_load, "wrk": with_wrk}


def measure_size(size, larder, origin, arguments):
    """One row of measurements for each round."""
    path = f"/size/{size}/max-age/86400"
    load(larder, path, "--connections", "1", "--requests", "1000")  # now it is stored
    before = asked(origin)
    rounds = [{name: program(f"http://{larder.address}{path}", arguments) for name, program in PROGRAMS.items()}
              for _ in range(arguments.rounds)]
    if asked(origin) != before:
        raise Failed("the origin was asked: these were not only hits")
    return rounds


def measure_all(arguments):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="load-cost-"))
        origin = stack.enter_context(Server("origin", [BENCH, "origin", "--listen", "127.0.0.1:0"], says_port=True))
        larder = stack.enter_context(PEERS["larder"][0](folder, origin.address))
        return {size: measure_size(size, larder, origin, arguments) for size in arguments.sizes}


def medians(rounds):
    """By program: the median of each figure, its spread, and the median of its ratio to wrk in the same round."""
    rows = {}
    for name in PROGRAMS:
        one = {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]}
        one["least"], one["most"] = (f(r[name]["cpu"] for r in rounds) for f in (min, max))
        one["ratio"] = statistics.median(r[name]["cpu"] / r["wrk"]["cpu"] for r in rounds)
        rows[name] = one
    return rows


def print_table(size, rows):
    print(f"\n{size:20}{'µs/request':>12}{'× wrk':>8}{'user':>8}{'system':>8}{'least':>8}{'most':>8}{'requests/s':>12}")
    for name, one in rows.items():
        print(f"{name:20}{one['cpu']:12.2f}{one['ratio']:8.2f}{one['user']:8.2f}{one['system']:8.2f}{one['least']:8.2f}"
              f"{one['most']:8.2f}{one['rate']:12,.0f}")


def tell(arguments):
    tables = {size: medians(rounds) for size, rounds in measure_all(arguments).items()}
    if arguments.json:
        json.dump({"rounds": arguments.rounds, "seconds": arguments.seconds, "connections": arguments.connections,
                   "sizes": tables}, sys.stdout)
        print()
        return
    print(f"hits of larder, keep-alive, {arguments.connections} connections, one thread on core 1, medians of "
          f"{arguments.rounds} interleaved rounds of {arguments.seconds} s")
    for size, rows in tables.items():
        print_table(size, rows)


def main():
    parser = argparse.ArgumentParser(prog="load-cost", description="What a request costs larder-bench load, beside wrk.")
    parser.add_argument("--sizes", type=lambda text: text.split(","), default=["1k", "16k"], help="of the bodies; 1k,16k")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    try:
        tell(parser.parse_args())
    except Failed as why:
        sys.exit(f"load-cost: {why}")


main()
