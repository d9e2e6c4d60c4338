"""faults.py: larder under load while memory, sockets and the disk fail at random.

    ./dev faults [--minutes 10] [--seed N]

The program is larder-faults: larder, and a shim that lets calls fail (shim.c). Pages, versions and purges are those of tests/crash. Meanwhile an answer
may be an error, or break off so that one sees it, or not come at all; what comes as whole is right, and what was purged with a word of success stays
away. Afterwards the faults end, and then every page is answered, descriptors are what they were, and an order to stop is obeyed with 0 (and no leak,
where a sanitizer looks).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../harness"), os.path.join(HERE, "../crash")]

import crash  # noqa: E402
import server  # noqa: E402
from crash import WAIT, BrokenOff, World, Wrong, check  # noqa: E402
from origin import Origin  # noqa: E402
from wire import Cut, compose  # noqa: E402

RATES = "malloc=200,accept4=20000,recv=2000,sendmsg=2000,connect=20000,socket=20000,epoll_ctl=20000,epoll_wait=1000,pwritev=20000,pread=20000,fdatasync=100000"
OFTEN = "malloc=2000,accept4=20000,recv=5000,sendmsg=5000,connect=20000,socket=20000,epoll_ctl=20000,epoll_wait=5000,pwritev=20000,pread=20000,fdatasync=100000"
LOST = (BrokenOff, Cut, OSError, ValueError, IndexError, AssertionError)


class Load(crash.Load):
    """Clients that begin anew whenever something fails."""

    def __init__(self, world, larder, seed):
        self.failed = 0
        super().__init__(world, larder, crash.Seen(), seed)

    def _run(self, seed):
        rng = random.Random(seed)
        while not self.stopping.is_set() and not self.failures:
            try:
                with self.larder.client() as client:
                    client.sock.settimeout(WAIT)
                    while not self.stopping.is_set():
                        self._one(rng, client)
            except Wrong as wrong:
                self.failures.append(wrong)
            except TimeoutError as error:
                self.failures.append(Wrong(f"no answer, and no end: {error!r}"))
            except LOST:
                self.failed += 1
                if self.larder.process.poll() is not None:
                    self.failures.append(Wrong(f"larder is gone: {self.larder.process.returncode}"))

    def _one(self, rng, client):
        page = rng.choice(self.world.pages)
        what = rng.random()
        if what < 0.03:
            crash.purge(self.world, self.larder, page)  # raises, or it is done
        elif what < 0.08:
            self.world.change(page)
        elif what < 0.11:
            client.send(compose("POST", page.path, body=b"x" * rng.randrange(1, 50000)))
            client.reader.answer("POST")
        elif what < 0.15:
            first = rng.randrange(0, page.size)
            client.get(page.path, ("Range", f"bytes={first}-{first + 1000}"))
        else:
            self._get(rng, client, page)

    def _get(self, rng, client, page):
        kind, floor = rng.choice(page.kinds()), page.floor
        message = client.get(page.path, *([("X-Kind", kind)] if kind else []))
        if message.status == 200 or message.status < 500:
            check(self.world, page, kind, floor, 0, message)
        else:
            self.failed += 1


def descriptors(larder):
    return len(os.listdir(f"/proc/{larder.process.pid}/fd"))


def expect_health(world, larder):
    """When nothing fails any more, everything is as it should be."""
    larder.process.send_signal(signal.SIGUSR2)
    deadline = time.monotonic() + WAIT
    for page in world.pages:
        while True:
            try:
                with larder.client() as client:
                    check(world, page, page.kinds()[0], page.floor, 0, client.get(page.path, *([("X-Kind", page.kinds()[0])] if page.varies else [])))
                break
            except LOST as error:  # what had begun before
                if time.monotonic() > deadline:
                    raise Wrong(f"still not well: {error!r}") from error
                time.sleep(0.02)
    larder.wait(lambda s: s["proxy.connections"] == 0 and s["proxy.requests_active"] == 0 and s["origin.connections"] == s["origin.connections_unused"])


def counts_of(report):
    with open(report) as file:
        return {name: int(count) for name, count in (line.split() for line in file)}


def run(seconds, seed, disk=True, rates=RATES):
    world = World("faults", "16M", 300, seed)
    origin = Origin()
    origin.default = world.answer
    report = os.path.join(world.directory, "report")
    os.environ.update(LARDER_FAULTS=f"seed={seed},{rates}", LARDER_FAULTS_REPORT=report)
    program, server.LARDER = server.LARDER, os.path.join(os.path.dirname(server.LARDER), "larder-faults")
    try:
        larder = server.Larder(*(("--cache", os.path.join(world.directory, "store"), "16M") if disk else ()), "--sandbox", "off",
                               "--log", os.path.join(world.directory, "access.log"), origin=origin, ram="16M")
    finally:
        server.LARDER = program
        del os.environ["LARDER_FAULTS"], os.environ["LARDER_FAULTS_REPORT"]
    try:
        quiet = descriptors(larder)
        load = Load(world, larder, seed)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not load.failures:
            load.stopping.wait(timeout=0.05)
        load.stop()
        expect_health(world, larder)
        left = descriptors(larder) - quiet - int(larder.stats()["origin.connections"])
        if left > 4:  # the admin connections that just asked, and the pair of the resolver
            raise Wrong(f"{left} descriptors are left")
        if (status := larder.stop()) != 0:
            raise Wrong(f"an orderly stop ended with {status}")
        log = "".join(larder.log)
        for word in ("ERROR: ", "WARNING: ThreadSanitizer", "panic", "runtime error"):
            if word in log:
                raise Wrong(f"larder says {word!r}")
        given = counts_of(report)
    except BaseException:
        if larder.process.poll() is None:
            larder.stop(signal.SIGKILL)
        print(f"seed {seed}; the log of larder:\n" + "".join(larder.log[-60:]), file=sys.stderr)
        raise
    finally:
        origin.close()
        shutil.rmtree(world.directory, ignore_errors=True)
        shutil.rmtree(larder.folder, ignore_errors=True)
    return world, load, given


def tell(world, load, given):
    faults = ", ".join(f"{name} {count}" for name, count in given.items())
    return f"{world.answers} right answers, {world.hits} of them hits, {load.failed} errors and broken connections; nothing was wrong. Faults: {faults}"


def main():
    parser = argparse.ArgumentParser(prog="dev faults", description="larder under load while calls fail at random")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    try:
        for disk in (True, False):
            print(("in files: " if disk else "in memory: ") + tell(*run(arguments.minutes * 30, seed, disk)), flush=True)
    except Wrong as wrong:
        print(f"WRONG: {wrong}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
