"""hits.py: what a hit costs, of one object and of many, beside the least that it could cost.

     sizes   one object, asked for again and again; for each size a floor of its own, a bare loop that sends the same bytes
     zipf    many objects of mixed sizes, drawn as the world draws: a few often, most seldom; all of them stored before
"""

import os
import tempfile

from bed import AGE, base_of, bed, costs, effort, measure, only_hits, print_costs
from peers import floor
from process import Failed, asked, load

EXPONENT = "0.9"
MIX = ("1k", "1k", "4k", "1k", "16k", "2k", "1k", "64k", "4k", "1k")  # by rank, in turn: 9.5 KB in the mean
PASSES = 4  # until all objects are stored


# ── one object ──


def measure_size(size, servers, origin, arguments):
    path = f"/size/{size}/{AGE}"
    with floor(size) as bare:
        for server in servers:
            load(server, path, "--connections", "1", "--requests", "20")  # now it is stored
            load(server, path, "--connections", str(arguments.connections), *(["--seconds", "1"] if arguments.requests is None
                                                                             else effort(arguments)))
        with only_hits(origin, f"bodies of {size}"):
            rounds = [{server.name: measure(server, path, arguments, *effort(arguments)) for server in [bare, *servers]}
                      for _ in range(arguments.rounds)]
    return costs(rounds, "floor")


def run_sizes(arguments):
    with bed(arguments.servers) as (origin, servers):
        return {size: measure_size(size, servers, origin, arguments) for size in arguments.sizes}


def tell_sizes(tables, arguments):
    for size, table in tables.items():
        print_costs(f"hits of {size}", "hit", "floor", table)


# ── many ──


def mixed(count):
    """The paths of so many objects."""
    return [f"/size/{MIX[number % len(MIX)]}/{AGE}/object/{number}" for number in range(count)]


def fill(server, origin, urls, count):
    """Each object once, and again until the origin is not asked any more."""
    for _ in range(PASSES):
        before = asked(origin)
        load(server, "", "--list", urls, "--requests", str(count))
        if asked(origin) == before:
            return
    raise Failed(f"{server.name}: it did not keep all {count} objects in {PASSES} passes")


def run_zipf(arguments):
    with tempfile.TemporaryDirectory(prefix="compare-") as folder, bed(arguments.servers) as (origin, servers):
        urls = os.path.join(folder, "urls")
        with open(urls, "w") as file:
            file.write("\n".join(mixed(arguments.objects)) + "\n")
        for server in servers:
            fill(server, origin, urls, arguments.objects)
        flags = ["--list", urls, "--zipf", EXPONENT, *effort(arguments)]
        with only_hits(origin, "zipf"):
            rounds = [{server.name: measure(server, "", arguments, *flags) for server in servers}
                      for _ in range(arguments.rounds)]
    return costs(rounds, base_of(arguments.servers))


def tell_zipf(table, arguments):
    print(f"\nhits of {arguments.objects:,} objects, 1 KB to 64 KB, drawn by Zipf {EXPONENT}")
    print_costs("", "hit", base_of(arguments.servers), table)
