"""compare: what a cache costs its machine and its users, larder beside its peers, in one run.

     hits     one object of each size, beside the least that it could cost          ─┐
     zipf     many objects of mixed sizes                                             ├─▶ processor time for each answer (bed.py)
     misses   each request another object, all of them fetched                      ─┘
     idle     connections that wait                                                 ───▶ bytes of memory for each (idle.py)
     latency  an open loop at half load                                             ───▶ percentiles (latency.py)
     stream   a body larger than the store                                          ───▶ the peak of memory (stream.py)

     each server alone on core 0 with one worker; the load (larder-bench) on core 1; one stub origin behind all

Processor time is user and system of a server's whole process tree while it was loaded, divided by the answers. Rounds are
interleaved since machines drift. What matters is the ratio. A run in which the origin was asked for a hit, or was not asked for a
miss, or an answer was not 200, did not measure what it says: it ends with an error.

    ./dev compare                                 installs the peers, builds, then runs this
    bench/compare --part hits,latency --servers larder,nginx --sizes 1k,100k --rounds 5 --seconds 5 --json
"""

import argparse
import json
import subprocess
import sys

import hits
import idle
import latency
import misses
import stream
from bed import installed
from peers import PEERS
from process import Failed

# name: (its member of the JSON, what measures it, what prints it)
PARTS = {
    "hits": ("sizes", hits.run_sizes, hits.tell_sizes),
    "zipf": ("zipf", hits.run_zipf, hits.tell_zipf),
    "misses": ("misses", misses.run, misses.tell),
    "idle": ("idle", idle.run, idle.tell),
    "latency": ("latency", latency.run, latency.tell),
    "stream": ("stream", stream.run, stream.tell),
}


def version(name):
    _, program, arguments = PEERS[name]
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().split("\n")[0]


def measure(part, arguments):
    if sys.stderr.isatty():
        print(f"compare: {part} ...", file=sys.stderr)
    return PARTS[part][1](arguments)


def run(arguments):
    arguments.servers = installed(arguments.servers)
    tables = {part: measure(part, arguments) for part in arguments.part}
    versions = {name: version(name) for name in arguments.servers}
    if arguments.json:
        told = {name: getattr(arguments, name) for name in ("rounds", "seconds", "requests", "connections", "objects", "body")}
        json.dump(told | {"versions": versions} | {PARTS[part][0]: table for part, table in tables.items()}, sys.stdout)
        print()
        return
    for text in versions.values():
        print(text)
    each = f"{arguments.requests} requests" if arguments.requests is not None else f"{arguments.seconds} s"
    print(f"keep-alive, {arguments.connections} connections, one worker on core 0, medians of {arguments.rounds} interleaved "
          f"rounds of {each}")
    for part, table in tables.items():
        PARTS[part][2](table, arguments)


# ── the command line ──


def choice(known):
    def names_of(text):
        names = list(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"\"{name}\" is none of {', '.join(known)}")
        return names
    return names_of


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"\"{text}\" is not a number from 1 on")
    return int(text)


def main():
    parser = argparse.ArgumentParser(prog="compare", description="What a cache costs, larder beside its peers.")
    parser.add_argument("--part", type=choice(PARTS), default=list(PARTS), help=f"of {','.join(PARTS)}; all")
    parser.add_argument("--servers", type=choice(PEERS), default=list(PEERS), help=f"of {','.join(PEERS)}; all")
    parser.add_argument("--sizes", type=lambda text: text.split(","), default=["1k", "16k", "100k", "1M"],
                        help="hits: of the bodies; 1k,16k,100k,1M")
    parser.add_argument("--objects", type=positive, default=10000, help="zipf: how many; 10000")
    parser.add_argument("--idle", type=lambda text: list(map(positive, text.split(","))), default=[1000, 10000],
                        help="idle: how many connections; 1000,10000")
    parser.add_argument("--body", default="1G", help="stream: its size; 1G")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--seconds", type=positive, default=5, help="of each measurement; 5")
    parser.add_argument("--requests", type=positive, help="instead of --seconds: so many, for a trial whose times mean nothing")
    parser.add_argument("--connections", type=positive, default=64)
    parser.add_argument("--json", action="store_true")
    try:
        run(parser.parse_args())
    except Failed as why:
        sys.exit(f"compare: {why}")


main()
