"""idle.py: what a connection costs that waits: kept alive, one request made, its answer read whole.

     server, fresh and warm ─▶ resident memory ─▶ N connections, one after the other, a hit on each ─▶ resident memory

The difference, divided by N, is what the process tree pays in user space; what the kernel holds for a socket is the same for all.
What a server has set aside before does not show (nginx: a slot for each of worker_connections), nor does a log in memory (Varnish),
which many requests have filled by then. Each measurement has a server of its own. All connections must still be open at the end,
and the first and the last answer again.
"""

import http.client
import resource
import select
import socket
import struct
import sys
import time

from bed import FEW, SMALL, bed, medians
from process import Failed, load

PORTS = 20_000  # from one address of ours
OUR_OWN = 64    # files that are no such connections
WARM = 100_000  # requests before
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing leaves nothing behind that would keep the port


def allowed(counts):
    """Those for which there are enough open files, after the limit has been raised as far as it goes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    there = [count for count in counts if hard == resource.RLIM_INFINITY or count + OUR_OWN <= hard]
    for count in counts:
        if count not in there:
            print(f"compare: {count} connections need more open files than the {hard} allowed (ulimit -Hn), and are left out",
                  file=sys.stderr)
    return there


class Idlers:
    """Connections that made one request and wait."""

    def __init__(self, server):
        self.server = server
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            connection.close()

    def grow(self, count):
        while len(self.connections) < count:
            source = f"127.0.0.{1 + len(self.connections) // PORTS}"
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30, source_address=(source, 0))
            self.connections.append(connection)
            self.ask(connection)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def ask(self, connection):
        try:
            connection.request("GET", SMALL)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as why:
            raise Failed(f"{self.server.name}: connection {len(self.connections)}: {why}") from why
        if answer.status != 200 or connection.sock is None:
            raise Failed(f"{self.server.name}: connection {len(self.connections)} was not kept ({answer.status})")

    def check(self):
        """All are open, and have nothing to tell."""
        poll = select.poll()
        for connection in self.connections:
            poll.register(connection.sock, select.POLLIN)
        if closed := len(poll.poll(0)):
            raise Failed(f"{self.server.name}: {closed} of {len(self.connections)} connections were closed while they were idle")
        for connection in (self.connections[0], self.connections[-1]):
            before = connection.sock
            self.ask(connection)
            if connection.sock is not before:
                raise Failed(f"{self.server.name}: an idle connection had to be made again")


def settled(server):
    """Its resident memory, once it is the same three times in a row: some give back buffers a moment later."""
    seen = []
    until = time.monotonic() + 5
    while len(seen) < 3 or (len(set(seen[-3:])) > 1 and time.monotonic() < until):
        seen.append(server.resident())
        time.sleep(0.05)
    return seen[-1]


def measure(name, counts, arguments):
    """For each count the bytes for a connection."""
    with bed([name]) as (_, [server]), Idlers(server) as idlers:
        load(server, SMALL, "--connections", str(arguments.connections), "--requests",
             str(arguments.requests or WARM))
        before, found = settled(server), {}
        for count in sorted(counts):
            idlers.grow(count)
            found[count] = {"bytes": (settled(server) - before) / count, "before": before}
        idlers.check()
    return found


def run(arguments):
    counts = allowed(arguments.idle)
    if not counts:
        return {}
    rounds = [{name: measure(name, counts, arguments) for name in arguments.servers} for _ in range(min(FEW, arguments.rounds))]
    return {str(count): medians([{name: found[count] for name, found in r.items()} for r in rounds], "bytes") for count in counts}


def tell(tables, arguments):
    print(f"\nbytes of resident memory for an idle connection (medians of {min(FEW, arguments.rounds)} rounds, least and most)")
    print(f"{'':14}" + "".join(f"{int(count):>10,}{'least':>9}{'most':>9}" for count in tables))
    for name in arguments.servers if tables else ():
        print(f"{name:14}" + "".join(f"{t[name]['bytes']:10,.0f}{t[name]['least']:9,.0f}{t[name]['most']:9,.0f}"
                                     for t in tables.values()))
