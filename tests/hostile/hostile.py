"""hostile.py: larder among bad clients, seen by a good one.

    ./dev hostile [--seconds 10] [--rounds 3] [--scale 1.0] [--json]

A server of one worker has a core to itself; beside it, on the other, a stub origin, the bad clients (attack.py, as nice as can
be), and a good one: `larder-bench load` asks for hits at a steady rate and tells what they took. Each round it does so in quiet,
under each attack, and under all of them at once:

    idle      connections that asked for one page and say nothing more
    drip      heads that come a byte at a time, and never to their end
    readers   a big page, read a kilobyte a second
    uploads   bodies of requests that come a few bytes a second
    churn     connections that come and go, with a request or without
    resets    RST in every state that an exchange can be in

What must hold: the good client gets every answer, right and whole; its p99 stays within twice that of the quiet (the median of
the rounds); when the bad ones have gone, connections, descriptors and memory are where they were before the same attack began.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../harness"))

from server import BENCH, Larder  # noqa: E402

ATTACKS = {"idle": 2000, "drip": 500, "readers": 200, "uploads": 200, "churn": 100, "resets": 100}
SLOWER = 2.0             # how much slower the good client may be
MEMORY = 8 << 20         # what the allocator may keep back of memory of its own
WAIT = 60
PAGE = "/size/1k/max-age/86400"


def pinned(core, command):
    return ["taskset", "-c", str(core), *command] if core is not None and shutil.which("taskset") else command


class Origin:
    """The stub origin, as the harness wants one."""

    def __init__(self, core):
        command = pinned(core, [BENCH, "origin", "--listen", "127.0.0.1:0"])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT)
        self.process.stdout.close()


class Attack:
    """The bad clients of some kinds, in a process of their own, until close()."""

    def __init__(self, port, counts, core=None):
        what = [f"{name}={count}" for name, count in counts.items()]
        command = pinned(core, ["nice", "-n", "19", sys.executable, "-B", os.path.join(HERE, "attack.py"), str(port), *what])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", "the bad clients could not begin"

    def close(self):
        """Ends them; how often each has done what it does."""
        out, _ = self.process.communicate("", timeout=WAIT)
        assert self.process.returncode == 0, "the bad clients have failed"
        return json.loads(out)


def own(larder):
    """What of the system it holds: descriptors, and memory that is not the store's (that is shared memory)."""
    with open(f"/proc/{larder.process.pid}/status") as file:
        anon = next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon"))
    return len(os.listdir(f"/proc/{larder.process.pid}/fd")), anon


def settle(larder, connections=0):
    """Until nothing is under way any more."""
    return larder.wait(lambda s: s["proxy.connections"] <= connections and s["proxy.requests_active"] == 0)


def wait_descriptors(larder, most):
    """Until it holds no more than these; connections of ours to the origin that are kept take their time."""
    end = time.monotonic() + WAIT
    while own(larder)[0] > most and time.monotonic() < end:
        time.sleep(0.05)
    return own(larder)[0]


def wait_memory(larder, most):
    """The allocator gives memory back little by little (jemalloc: over ten seconds)."""
    end = time.monotonic() + WAIT / 2
    while own(larder)[1] > most and time.monotonic() < end:
        larder.get(PAGE)
        time.sleep(0.2)
    return own(larder)[1]


def probe(larder, seconds, core):
    """The good client: 500 hits a second over four connections. What each of these waits for when the time is up is no failure."""
    command = [BENCH, "load", f"http://127.0.0.1:{larder.port}{PAGE}", "--rate", "500", "--connections", "4", "--json"]
    done = subprocess.run(pinned(core, [*command, "--seconds", str(seconds)]), capture_output=True, text=True, timeout=seconds + WAIT)
    seen = json.loads(done.stdout)
    bad = sum(seen["errors"].values()) + seen["status_errors"] + max(0, seen["unfinished"] - 4)
    return {"answers": seen["answers"], "bad": bad, "p50": seen["latency_us"]["response"]["p50"],
            "p99": seen["latency_us"]["response"]["p99"]}


def measure(larder, counts, seconds, core):
    """One attack, with all that must hold afterwards but its p99."""
    descriptors, memory = own(larder)
    attack = Attack(larder.port, counts, core)
    row = probe(larder, seconds, core)
    row["did"] = attack.close()
    settle(larder)
    row["descriptors"] = wait_descriptors(larder, descriptors) - descriptors
    row["memory"] = wait_memory(larder, memory + MEMORY) - memory
    return row


def rounds(larder, options, core):
    """By attack: a list of what was measured in each round."""
    counts = {name: max(1, int(count * options.scale)) for name, count in ATTACKS.items()}
    plans = {"quiet": {}, **{name: {name: count} for name, count in counts.items()}, "all": counts}
    measure(larder, counts, 1, core)  # what is held for good is held from now on: slabs, connections of the pool
    rows = {name: [] for name in plans}
    for turn in range(options.rounds):
        for name, plan in plans.items():
            print(f"\r\033[Kround {turn + 1} of {options.rounds}: {name}", end="", file=sys.stderr, flush=True)
            rows[name].append(measure(larder, plan, options.seconds, core))
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    return rows


def judge(rows):
    """By attack: medians, and what is wrong."""
    table = {}
    for name, seen in rows.items():
        row = {key: statistics.median(r[key] for r in seen) for key in ("p50", "p99")}
        row["ratio"] = statistics.median(r["p99"] / q["p99"] for r, q in zip(seen, rows["quiet"]))
        row["did"] = {key: statistics.median(r["did"][key] for r in seen) for key in seen[0]["did"]}
        row["wrong"] = [f"{r['bad']} requests of the good client failed" for r in seen if r["bad"] or not r["answers"]]
        row["wrong"] += [f"{r['descriptors']} descriptors were left" for r in seen if r["descriptors"] > 0]
        row["wrong"] += [f"{r['memory'] >> 20} MiB were left" for r in seen if r["memory"] > MEMORY]
        if row["ratio"] > SLOWER:
            row["wrong"].append(f"p99 is {row['ratio']:.1f} times that of the quiet")
        table[name] = row
    return table


def show(table):
    print(f"{'':10}{'p50 µs':>9}{'p99 µs':>9}{'× quiet':>9}   what the bad ones did")
    for name, row in table.items():
        did = ", ".join(f"{key} {value:.0f}" for key, value in row["did"].items())
        print(f"{name:10}{row['p50']:9.0f}{row['p99']:9.0f}{row['ratio']:9.2f}   {did}")
        for wrong in row["wrong"]:
            print(f"{'':10}WRONG: {wrong}")
    failed = sum(bool(row["wrong"]) for row in table.values())
    print(f"{len(table) - failed} passed, {failed} failed")


def main():
    parser = argparse.ArgumentParser(prog="./dev hostile", description="What a good client sees of larder while bad ones are there.")
    parser.add_argument("--seconds", type=int, default=10, help="each measurement takes so long (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="and is repeated so often (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="how many bad clients, against the usual number of them (default: 1.0)")
    parser.add_argument("--json", action="store_true", help="print the table for programs")
    options = parser.parse_args()

    cores = sorted(os.sched_getaffinity(0))
    server, others = (cores[0], cores[-1]) if len(cores) > 1 and shutil.which("taskset") else (None, None)
    origin = Origin(others)
    try:
        larder = Larder(origin=origin, workers=1, ram="256M")
        if server is not None:
            subprocess.run(["taskset", "-a", "-c", "-p", str(server), str(larder.process.pid)], check=True, capture_output=True)
        try:
            table = judge(rounds(larder, options, others))
        finally:
            larder.close()
    finally:
        origin.close()
    if options.json:
        print(json.dumps(table))
    else:
        show(table)
    return any(row["wrong"] for row in table.values())


if __name__ == "__main__":
    sys.exit(main())
