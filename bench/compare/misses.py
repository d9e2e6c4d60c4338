"""misses.py: what a cold miss costs: small cacheable bodies, each request for an object that nobody has asked for before.

     load ──▶ server ──▶ origin          the origin is on the load's core, and is not counted: only the server's process tree is

So many requests as the server answers in --seconds, all of them fetched: the origin must have seen exactly as many. `busy` is how
much of its core the server took: near 1 the rate is the server's own limit, below it the load and the origin were the limit.
`kept` is the share of the last round's objects that were hits afterwards: who stores less does less.
"""

import mmap
import os

from bed import AGE, base_of, bed, costs, measure, print_costs
from process import Failed, asked, load

TRIAL = 2000  # requests that show how fast a server is
MOST, ROOM = 300_000, 1024  # misses of a server in all, and MiB of cache in which each of the peers has room for them


def touch(size):
    """Uses so much memory, and gives it back. What a virtual machine has never used costs a fault of its host for each page, and
    that would be paid by who takes memory when it is wanted, and not by who took all of it at the start."""
    size = min(size, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    piece = bytes(1 << 20)
    with mmap.mmap(-1, max(size, mmap.PAGESIZE)) as room:
        for _ in range(size // len(piece)):
            room.write(piece)


def path_of(number):
    return f"/size/1k/{AGE}/object/{{}}?round={number}"


def planned(server, arguments):
    """How many misses a round has."""
    if arguments.requests is not None:
        return arguments.requests
    seen = load(server, path_of("trial"), "--connections", str(arguments.connections), "--objects", str(TRIAL), "--requests",
                str(TRIAL))
    return max(1, min(int(arguments.seconds * seen["answers"] / seen["seconds"]), MOST // arguments.rounds))


def measure_misses(server, origin, number, count, arguments):
    before = asked(origin)
    row = measure(server, path_of(number), arguments, "--objects", count, "--requests", count)
    if asked(origin) - before != count:
        raise Failed(f"{server.name}: {count} misses were {asked(origin) - before} requests to the origin")
    return row | {"busy": row["cpu"] * row["rate"] / 1e6}


def kept(server, origin, number, count):
    """The share of a round's objects that are hits now."""
    before = asked(origin)
    load(server, path_of(number), "--objects", str(count), "--requests", str(count))
    return 1 - (asked(origin) - before) / count


def run(arguments):
    if arguments.requests is None:
        touch(len(arguments.servers) * (ROOM << 20))
    with bed(arguments.servers, ROOM) as (origin, servers):
        counts = {server.name: planned(server, arguments) for server in servers}
        rounds = [{server.name: measure_misses(server, origin, number, counts[server.name], arguments) for server in servers}
                  for number in range(arguments.rounds)]
        table = costs(rounds, base_of(arguments.servers))
        for server in servers:
            table[server.name]["kept"] = kept(server, origin, arguments.rounds - 1, counts[server.name])
    return table


def tell(table, arguments):
    print("\ncold misses of 1 KB, each another object")
    print_costs("", "miss", base_of(arguments.servers), table, [("busy", "busy", ".2f"), ("kept", "kept", ".1%")])
