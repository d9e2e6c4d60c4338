#!/usr/bin/python3
"""cleaning: whether hits wait while the store makes room: the tail of their latency with and without it, in one run.

     origin ──▶ larder with a small store, full:   each new object pushes others out     ◀── load: hits, measured
            ──▶ larder with a store that has room: the same new objects find a place     ◀── load: objects never asked for before

Both have the same load at the same pace, so that all that differs is the cleaning. Servers on core 0, loads and origin on core 1;
rounds are interleaved and medians are told. A round in which the small store did not evict, or the large one did, or a hit was
none, ends the run.

    ./dev cleaning                                      builds, then runs this
    bench/compare/cleaning.py --rounds 9 --seconds 10 --rate 2000 --new 500 --json
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

from process import BENCH, LARDER, LOAD_CORE, Failed, Server, counters, load

HOT, HOT_PATH = 1000, "/size/1k/max-age/86400/object/{}"
NEW_PATH = "/size/16k/max-age/86400/object/{}?round="
STORES = {"full": "64M", "roomy": "8G"}
PERCENTILES = ("p50", "p99", "p99.9")


class NewObjects:
    """Objects that nobody has asked for before, all the time, while the block runs."""

    def __init__(self, server, number, rate):
        url = f"http://{server.address}{NEW_PATH}{number}"
        self.process = subprocess.Popen(["taskset", "-c", LOAD_CORE, BENCH, "load", url, "--objects", "100000000", "--rate",
                                         str(rate), "--connections", "16", "--seconds", "3600", "--json"],
                                        stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def measure(server, admin, number, arguments):
    load(server, HOT_PATH, "--objects", str(HOT), "--requests", str(2 * HOT))
    with NewObjects(server, number, arguments.new):
        before = counters(admin)
        seen = load(server, HOT_PATH, "--objects", str(HOT), "--zipf", "0", "--rate", str(arguments.rate), "--connections", "64",
                    "--seconds", str(arguments.seconds))
        after = counters(admin)
    if seen["hits"] < seen["answers"]:
        raise Failed(f"{server.name}: {seen['answers'] - seen['hits']} hits were none")
    row = {name: seen["latency_us"]["response"][name] for name in PERCENTILES}
    return row | {name: after[f"store.{name}"] - before[f"store.{name}"] for name in ("appends", "evicted")}


def check(row):
    if row["full"]["evicted"] < row["full"]["appends"] / 2 or row["roomy"]["evicted"] > 0:
        raise Failed(f"the stores did not do what they were there for: {row}")
    return row


def start(name, folder, origin):
    admin = os.path.join(folder, f"{name}.sock")
    return Server(name, [LARDER, "run", "--listen", "127.0.0.1:0", "--origin", origin.address, "--ram", STORES[name], "--workers",
                         "1", "--admin", admin], says_port=True), admin


def fill(server, rate):
    """More than the small store holds, so that it is full before the first round."""
    load(server, f"{NEW_PATH}fill", "--objects", "6000", "--requests", "6000", "--rate", str(rate))


def measure_all(arguments):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cleaning-"))
        origin = stack.enter_context(Server("origin", [BENCH, "origin", "--listen", "127.0.0.1:0"], says_port=True, core=LOAD_CORE))
        servers = {}
        for name in STORES:
            server, admin = start(name, folder, origin)
            servers[name] = (stack.enter_context(server), admin)
            fill(server, 4 * arguments.new)
        return [check({name: measure(*servers[name], number, arguments) for name in servers})
                for number in range(arguments.rounds)]


def medians(rounds):
    table = {name: {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]} for name in STORES}
    table["ratio"] = {key: statistics.median(r["full"][key] / r["roomy"][key] for r in rounds) for key in PERCENTILES}
    return table


def print_table(table, arguments):
    print(f"hits of 1 KB, {arguments.rate} a second, beside {arguments.new} new objects of 16 KB a second; medians of "
          f"{arguments.rounds} rounds of {arguments.seconds} s")
    print(f"{'':24}{'room':>12}{'cleaning':>12}{'ratio':>10}")
    for name in PERCENTILES:
        print(f"{name + ', µs':24}{table['roomy'][name]:12,.0f}{table['full'][name]:12,.0f}{table['ratio'][name]:10.2f}")
    for name in ("appends", "evicted"):
        print(f"{name:24}{table['roomy'][name]:12,.0f}{table['full'][name]:12,.0f}")


def main():
    parser = argparse.ArgumentParser(prog="cleaning", description="Whether hits wait while the store makes room.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=2000, help="hits a second; 2000")
    parser.add_argument("--new", type=int, default=500, help="new objects a second; 500")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        table = medians(measure_all(arguments))
    except Failed as why:
        sys.exit(f"cleaning: {why}")
    if arguments.json:
        print(json.dumps(table))
    else:
        print_table(table, arguments)


main()
