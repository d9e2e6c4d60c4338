"""compare: what a cache hit costs, larder beside its peers and beside the least that it could cost, in one run.

     for each size: ┌─ round ─────────────────────────────┐
                    │ floor · larder · nginx · varnish ... │ × rounds ──▶ medians, ratios to the floor
                    └─────────────────────────────────────┘
     each server alone on core 0 with one worker; the load (larder-bench) on core 1; one stub origin behind all

Processor time is user and system of a server's whole process tree while it was loaded, divided by the answers. Rounds are
interleaved since machines drift. What matters is the ratio. A run in which the origin was asked again, or an answer was not
200, did not measure hits: it ends with an error.

    ./dev compare                                 installs the peers, builds, then runs this
    bench/compare --servers larder,nginx --sizes 1k,100k --rounds 5 --seconds 5 --json
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from peers import PEERS, floor
from process import BENCH, Failed, Server, asked, load

AGE = "max-age/86400"


def measure(server, path, arguments):
    before = server.processor_time()
    seen = load(server, path, "--connections", str(arguments.connections), "--seconds", str(arguments.seconds))
    after = server.processor_time()
    user, system = ((after[i] - before[i]) / seen["answers"] * 1e6 for i in (0, 1))
    return {"cpu": user + system, "user": user, "system": system, "rate": seen["answers"] / seen["seconds"],
            "p99": seen["latency_us"]["service"]["p99"]}


def measure_size(size, servers, origin, arguments):
    """One row of measurements for each round."""
    path = f"/size/{size}/{AGE}"
    with floor(size) as bare:
        for server in servers:
            load(server, path, "--connections", "1", "--requests", "20")  # now it is stored
            load(server, path, "--connections", str(arguments.connections), "--seconds", "1")
        before = asked(origin)
        rounds = [{server.name: measure(server, path, arguments) for server in [bare, *servers]}
                  for _ in range(arguments.rounds)]
        if asked(origin) != before:
            raise Failed("the origin was asked: these were not only hits")
    return rounds


def start_all(names, folder, origin, stack):
    servers = []
    for name in names:
        begin, program, _ = PEERS[name]
        if shutil.which(program) is None:
            print(f"compare: {name} is not installed, and left out", file=sys.stderr)
            continue
        own = os.path.join(folder, name)
        os.mkdir(own)
        os.chmod(own, 0o777)  # some run as another user
        servers.append(stack.enter_context(begin(own, origin.address)))
    return servers


def measure_all(arguments):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-"))
        os.chmod(folder, 0o755)
        origin = stack.enter_context(Server("origin", [BENCH, "origin", "--listen", "127.0.0.1:0"], says_port=True))
        servers = start_all(arguments.servers, folder, origin, stack)
        return {size: measure_size(size, servers, origin, arguments) for size in arguments.sizes}


def medians(rounds):
    """By server: the median of each figure, its spread, and the median of its ratio to the floor in the same round."""
    rows = {}
    for name in rounds[0]:
        row = {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]}
        row["least"], row["most"] = (f(r[name]["cpu"] for r in rounds) for f in (min, max))
        row["ratio"] = statistics.median(r[name]["cpu"] / r["floor"]["cpu"] for r in rounds)
        rows[name] = row
    return rows


def version(name):
    _, program, arguments = PEERS[name]
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().split("\n")[0]


def print_table(size, rows):
    print(f"\n{size:10}{'µs/hit':>10}{'× floor':>9}{'user':>8}{'system':>8}{'least':>8}{'most':>8}{'hits/s':>12}{'p99 µs':>10}")
    for name, row in rows.items():
        print(f"{name:10}{row['cpu']:10.2f}{row['ratio']:9.2f}{row['user']:8.2f}{row['system']:8.2f}"
              f"{row['least']:8.2f}{row['most']:8.2f}{row['rate']:12,.0f}{row['p99']:10,.0f}")


def run(arguments):
    tables = {size: medians(rounds) for size, rounds in measure_all(arguments).items()}
    versions = {name: version(name) for name in next(iter(tables.values())) if name != "floor"}
    if arguments.json:
        json.dump({"rounds": arguments.rounds, "seconds": arguments.seconds, "connections": arguments.connections,
                   "versions": versions, "sizes": tables}, sys.stdout)
        print()
        return
    for text in versions.values():
        print(text)
    print(f"hits, keep-alive, {arguments.connections} connections, one worker on core 0, medians of {arguments.rounds} "
          f"interleaved rounds of {arguments.seconds} s")
    for size, rows in tables.items():
        print_table(size, rows)


def names_of(text):
    names = text.split(",")
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"\"{name}\" is none of {', '.join(PEERS)}")
    return names


def main():
    parser = argparse.ArgumentParser(prog="compare", description="What a cache hit costs, larder beside its peers.")
    parser.add_argument("--servers", type=names_of, default=list(PEERS), help=f"of {','.join(PEERS)}; all")
    parser.add_argument("--sizes", type=lambda text: text.split(","), default=["1k", "16k", "100k", "1M"],
                        help="of the bodies; 1k,16k,100k,1M")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    try:
        run(parser.parse_args())
    except Failed as why:
        sys.exit(f"compare: {why}")


main()
