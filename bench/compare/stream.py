"""stream.py: whether a long body goes through without being held in memory: one miss, larger than the store, and the peak of it.

     load, one connection ──▶ server, fresh, with a store of 256 MB ──▶ origin: 1 GB

`peak` is the most that the process tree ever occupied (VmHWM), `before` the same after a few small requests. A store in shared memory
counts as far as its pages are in use by the process, so up to those 256 MB; files do not count, and lie on a disk here. A server
that does not bring the whole body is told as that.
"""

import sys

from bed import FEW, SMALL, bed, medians
from process import Failed, load

STORE = 256  # MiB


def measure(name, arguments):
    """None: the body did not come."""
    with bed([name], STORE, disk=True) as (_, [server]):
        load(server, SMALL, "--connections", "1", "--requests", "20")
        before = server.peak()
        try:
            seen = load(server, f"/size/{arguments.body}/max-age/86400", "--connections", "1", "--requests", "1", "--timeout", "300s")
        except Failed as why:
            print(f"compare: stream: {why}", file=sys.stderr)
            return None
        peak = server.peak()
    return {"peak": peak, "before": before, "grown": peak - before, "bytes": seen["body_bytes"],
            "bytes_per_second": seen["body_bytes"] / seen["seconds"]}


def run(arguments):
    rounds = [{name: measure(name, arguments) for name in arguments.servers} for _ in range(min(FEW, arguments.rounds))]
    whole = [name for name in arguments.servers if all(r[name] for r in rounds)]
    table = medians([{name: r[name] for name in whole} for r in rounds], "peak")
    return {name: table.get(name) for name in arguments.servers}


def tell(table, arguments):
    print(f"\na body of {arguments.body} through a store of {STORE} MB, in MB")
    print(f"{'':14}{'before':>9}{'peak':>9}{'least':>9}{'most':>9}{'MB/s':>9}")
    for name, row in table.items():
        if row is None:
            print(f"{name:14}   the body did not come whole")
            continue
        figures = (row["before"], row["peak"], row["least"], row["most"], row["bytes_per_second"])
        print(f"{name:14}" + "".join(f"{figure / 1e6:9,.1f}" for figure in figures))
