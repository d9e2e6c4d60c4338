"""bed.py: what all parts of compare have in common: servers before one stub origin, rounds in turns, medians, the table of costs.

     bed: origin ──▶ each server, fresh and cold          rounds: │ a · b · c │ a · b · c │ ... ──▶ medians, ratios to one

Rounds are interleaved since machines drift: what is compared ran side by side, and a ratio is taken within a round.
"""

import contextlib
import os
import shutil
import statistics
import sys
import tempfile

from peers import PEERS, RAM
from process import BENCH, ORIGIN_CORE, Failed, Server, asked, load

AGE = "max-age/86400"
SMALL = f"/size/1k/{AGE}"
MEMORY, ROOM = "/dev/shm", 6 << 30  # where files are in memory; bytes that it must have
FILES = {"nginx"}  # whose cache is files, which cost it less there. Traffic Server's one large file costs it more there
FEW = 3            # rounds that suffice for memory: it does not drift


def installed(names):
    there = [name for name in names if shutil.which(PEERS[name][1])]
    for name in names:
        if name not in there:
            print(f"compare: {name} is not installed, and left out", file=sys.stderr)
    if not there:
        raise Failed("none of the servers is installed")
    return there


def memory():
    """A folder whose files are in memory; None: there is none, or not enough room."""
    try:
        there = os.statvfs(MEMORY)
    except OSError:
        return None
    return MEMORY if there.f_bavail * there.f_frsize >= ROOM else None


@contextlib.contextmanager
def bed(names, ram=RAM, disk=False):
    """An origin and these servers before it, all of them fresh; gone at the end. `disk`: nobody's files are in memory."""
    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(Server("origin", [BENCH, "origin", "--listen", "127.0.0.1:0"], says_port=True,
                                            core=ORIGIN_CORE))
        servers = []
        for name in names:
            where = memory() if name in FILES and not disk else None
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-", dir=where))
            os.chmod(folder, 0o777)  # some run as another user
            servers.append(stack.enter_context(PEERS[name][0](folder, origin.address, ram)))
        yield origin, servers


@contextlib.contextmanager
def only_hits(origin, what):
    """Ends the run when the origin was asked meanwhile."""
    before = asked(origin)
    yield
    if asked(origin) != before:
        raise Failed(f"{what}: the origin was asked {asked(origin) - before} times: these were not only hits")


def effort(arguments):
    """How much one measurement is: so long, or so many."""
    if arguments.requests is not None:
        return ["--requests", str(arguments.requests)]
    return ["--seconds", str(arguments.seconds)]


def measure(server, path, arguments, *flags):
    """What the load made of the server, and the server's process tree of the load: µs for each answer."""
    before = server.processor_time()
    seen = load(server, path, "--connections", str(arguments.connections), *map(str, flags))
    after = server.processor_time()
    user, system = ((after[i] - before[i]) / seen["answers"] * 1e6 for i in (0, 1))
    return {"cpu": user + system, "user": user, "system": system, "rate": seen["answers"] / seen["seconds"],
            "p99": seen["latency_us"]["service"]["p99"]}


# ── medians ──


def medians(rounds, spread):
    """By server: the median of each figure over the rounds, and the `least` and `most` of the one called `spread`."""
    table = {}
    for name in rounds[0]:
        table[name] = {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]}
        table[name]["least"], table[name]["most"] = (f(r[name][spread] for r in rounds) for f in (min, max))
    return table


def costs(rounds, base):
    """Medians of what measure() gave, and `ratio`: the median of the ratio to `base` in the same round."""
    table = medians(rounds, "cpu")
    for name, row in table.items():
        row["ratio"] = statistics.median(ratio(r[name]["cpu"], r[base]["cpu"]) for r in rounds)
    return table


def ratio(part, whole):
    """A round too short for the clock has none; it counts as 1."""
    return part / whole if whole > 0 else 1.0


def base_of(servers):
    """Whose ratio to itself is told: larder, else the first."""
    return "larder" if "larder" in servers else servers[0]


# ── text ──


def print_costs(title, unit, base, table, extra=()):
    """`extra`: further columns as (title, member, format)."""
    plural = unit + ("es" if unit.endswith("s") else "s")
    print(f"\n{title:14}{'µs/' + unit:>10}{'× ' + base:>10}{'user':>8}{'system':>8}{'least':>8}{'most':>8}{plural + '/s':>12}"
          f"{'p99 µs':>10}" + "".join(f"{name:>9}" for name, _, _ in extra))
    for name, row in table.items():
        print(f"{name:14}{row['cpu']:10.2f}{row['ratio']:10.2f}{row['user']:8.2f}{row['system']:8.2f}{row['least']:8.2f}"
              f"{row['most']:8.2f}{row['rate']:12,.0f}{row['p99']:10,.0f}" + "".join(f"{row[key]:>9{form}}" for _, key, form in extra))
