"""latency.py: what clients wait for at half load: hits of 1 KB in an open loop, whose latency counts from when a request was due.

     own    each server at half of what it can do, so all are equally busy: this is "latency at 50 % load". Who can do more has
            more requests a second to answer in the same time
     same   all at half of what the slowest can do: what one and the same traffic feels like behind each

What a server can do is the median of closed loops, in the same run and on the same cores. `load` is how much of its core the load
itself took: near 1 it is the load that is late. How late, together with the kernel, is seen at the floor: a bare loop that sends
the same bytes, asked at the same rate in the same round. Nobody is faster than that but by chance.
"""

import statistics

from bed import SMALL, bed, effort, medians, only_hits
from peers import floor
from process import load

PERCENTILES = ("p50", "p90", "p99", "p99.9")
TAIL = ("p99", "p99.9")
TRIALS = 3


def limit_of(trials, name):
    return statistics.median(trial[name] for trial in trials)


def saturate(servers, arguments):
    """Answers a second in a closed loop, by server."""
    flags = ["--connections", str(arguments.connections),
             *(["--seconds", "1"] if arguments.requests is None else effort(arguments))]
    trials = []
    for _ in range(TRIALS):
        seen = {server.name: load(server, SMALL, *flags) for server in servers}
        trials.append({name: one["answers"] / one["seconds"] for name, one in seen.items()})
    return {server.name: limit_of(trials, server.name) for server in servers}


def rates_of(limits):
    """Requests a second, for each way and server."""
    return {"own": {name: max(1, int(limit / 2)) for name, limit in limits.items()},
            "same": dict.fromkeys(limits, max(1, int(min(limits.values()) / 2)))}


def measure(server, rate, arguments):
    seen = load(server, SMALL, "--connections", str(arguments.connections), "--rate", str(rate), *effort(arguments))
    rate_seen = seen["answers"] / seen["seconds"]
    return {"due": rate, "rate": rate_seen, "load": seen["cpu_us_per_answer"] * rate_seen / 1e6} | {
        name: seen["latency_us"]["response"][name] for name in PERCENTILES}


def measure_all(servers, bare, rates, arguments):
    """One round: each server at its rate, and the floor once at each of these rates."""
    beside = {rate: measure(bare, rate, arguments) for rate in sorted(set(rates.values()))}
    return {server.name: measure(server, rates[server.name], arguments)
            | {f"floor {name}": beside[rates[server.name]][name] for name in TAIL} for server in servers}


def run(arguments):
    with bed(arguments.servers) as (origin, servers), floor("1k") as bare:
        for server in servers:
            load(server, SMALL, "--connections", "1", "--requests", "20")
        with only_hits(origin, "latency"):
            rates = rates_of(saturate(servers, arguments))
            rounds = [{way: measure_all(servers, bare, rates[way], arguments) for way in rates} for _ in range(arguments.rounds)]
    return {way: medians([r[way] for r in rounds], "p99") for way in rates}


TITLES = {"own": "half of what each can do", "same": "half of what the slowest can do"}


def tell(tables, arguments):
    for way, table in tables.items():
        print(f"\nlatency of hits of 1 KB in an open loop, at {TITLES[way]}; µs")
        print(f"{'':14}{'due/s':>10}{'answers/s':>12}" + "".join(f"{name:>9}" for name in PERCENTILES)
              + f"{'p99: least':>12}{'most':>9}{'load':>7}{'floor: p99':>12}{'p99.9':>9}")
        for name, row in table.items():
            print(f"{name:14}{row['due']:10,.0f}{row['rate']:12,.0f}" + "".join(f"{row[key]:9,.0f}" for key in PERCENTILES)
                  + f"{row['least']:12,.0f}{row['most']:9,.0f}{row['load']:7.2f}"
                  + f"{row['floor p99']:12,.0f}{row['floor p99.9']:9,.0f}")
