#!/usr/bin/python3
"""cold_reads: whether the disk shows in the loop of a worker: a store ten times as large as the memory for its pages.

     origin ──▶ larder (core 0, in a cgroup with little memory) ◀── load (core 1)  1. each object in turn  2. all alike, at random
                  └─ store on the disk, ten times that memory

A turn of a worker's loop is what it does between two waits: a worker that had to wait for the disk would have a long one, and all
its clients with it. Told are the share of turns above 2 ms, major page faults of workers, the reads that threads did, and what
clients saw; beside the same load over few objects, which stay in memory. Needs root, for the cgroup (version 1 or 2), and a disk
with room for the store.

    ./dev cold-reads                                    builds, then runs this
    bench/compare/cold_reads.py DIRECTORY --size 4G --seconds 30 --rate 500 --json
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time

from process import BENCH, LARDER, Failed, Server, counters, load

OBJECT = 100 << 10  # bytes
OWN = 96 << 20      # of memory for larder itself
FEW = 200           # objects that stay in memory
PASSES = 6          # to fill the store
COUNTERS = {"turns": "proxy.loop_turns", "slow": "proxy.loop_slow", "faults": "proxy.major_faults",
            "cold": "store.cold_reads", "hits": "proxy.hits", "misses": "proxy.misses"}
JOIN = 'echo $$ >"$0" && exec "$@"'  # enters the group, and becomes the program


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)([KMGkmg]?)", text).groups()
    return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[unit.lower()]


class Group:
    """A cgroup that limits memory, pages of files included."""

    def __init__(self, limit):
        first = "/sys/fs/cgroup/memory"
        self.path = os.path.join(first if os.path.isdir(first) else "/sys/fs/cgroup", f"larder-cold-{os.getpid()}")
        name = "memory.limit_in_bytes" if os.path.isdir(first) else "memory.max"
        try:
            os.mkdir(self.path)
            self.write(name, limit)
        except OSError as why:
            raise Failed(f"cannot make a cgroup: {why}") from why

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w") as file:
            file.write(str(value))

    def around(self, command):
        """The command, inside."""
        return ["sh", "-c", JOIN, os.path.join(self.path, "cgroup.procs"), *command]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.rmdir(self.path)


def counted(admin):
    values = counters(admin)
    return {short: values[name] for short, name in COUNTERS.items()}


def ask(server, objects, *flags):
    return load(server, f"/size/{OBJECT}/max-age/86400/object/{{}}", "--objects", str(objects), *map(str, flags))


def fill(server, objects):
    """Each object once, and again what the disk was too slow to take."""
    for _ in range(PASSES):
        if ask(server, objects, "--requests", objects, "--connections", 8)["misses"] < objects // 100:
            return
    raise Failed(f"the store did not take all objects in {PASSES} passes")


def measure(server, admin, objects, arguments):
    before = counted(admin)
    seen = ask(server, objects, "--zipf", 0, "--seconds", arguments.seconds, "--connections", arguments.connections, "--rate",
               arguments.rate)
    time.sleep(1.5)  # the worker samples its loop each second
    after = counted(admin)
    row = {name: after[name] - before[name] for name in COUNTERS}
    latency = seen["latency_us"]["response"]
    return row | {"rate": seen["answers"] / seen["seconds"], "slow_share": row["slow"] / row["turns"] if row["turns"] else 0,
                  "p50_ms": latency["p50"] / 1000, "p99_ms": latency["p99"] / 1000, "p999_ms": latency["p99.9"] / 1000}


def measure_all(folder, arguments):
    size = bytes_of(arguments.size)
    objects = int(size * 0.8) // OBJECT
    limit = size // 10 + OWN
    admin = os.path.join(folder, "admin.sock")
    with contextlib.ExitStack() as stack:
        group = stack.enter_context(Group(limit))
        origin = stack.enter_context(Server("origin", [BENCH, "origin", "--listen", "127.0.0.1:0"], says_port=True))
        command = [LARDER, "run", "--listen", "127.0.0.1:0", "--origin", origin.address, "--cache",
                   os.path.join(folder, "store"), arguments.size, "--admin", admin, "--workers", "1"]
        larder = stack.enter_context(Server("larder", group.around(command), says_port=True))
        fill(larder, objects)
        ask(larder, FEW, "--requests", 5 * FEW)
        warm = measure(larder, admin, FEW, arguments)
        cold = measure(larder, admin, objects, arguments)
    return {"store_bytes": size, "memory_bytes": limit, "objects": objects, "object_bytes": OBJECT, "warm": warm, "cold": cold}


def print_table(result):
    print(f"{result['objects']:,} objects of {OBJECT >> 10} KiB in a store of {result['store_bytes'] >> 20:,} MiB, with "
          f"{result['memory_bytes'] >> 20:,} MiB of memory for larder and its pages")
    print(f"{'':24}{'few, in memory':>16}{'all, cold':>16}")
    for name, text, form in (("rate", "answers a second", ",.0f"), ("hits", "hits", ",d"), ("misses", "misses", ",d"),
                             ("cold", "reads by threads", ",d"), ("faults", "major faults", ",d"), ("turns", "turns", ",d"),
                             ("slow_share", "of them above 2 ms", ".4%"), ("p50_ms", "p50, ms", ",.2f"),
                             ("p99_ms", "p99, ms", ",.2f"), ("p999_ms", "p99.9, ms", ",.2f")):
        print(f"{text:24}{result['warm'][name]:>16{form}}{result['cold'][name]:>16{form}}")


def main():
    parser = argparse.ArgumentParser(prog="cold_reads", description="Whether the disk shows in the loop of a worker.")
    parser.add_argument("directory", nargs="?", help="where the store is made, and removed again; a temporary one")
    parser.add_argument("--size", default="4G", help="of the store; 4G")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=int, default=500, help="requests a second, in an open loop; 500")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="cold-reads-", dir=arguments.directory)
    try:
        result = measure_all(folder, arguments)
    except Failed as why:
        sys.exit(f"cold_reads: {why}")
    finally:
        shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(result))
    else:
        print_table(result)


main()
