"""crash.py: larder is killed under load, again and again, and each answer is held against the origin's truth.

    ./dev crash [--rounds 200] [--seed N]

One round: start on the directory that the round before left, look at every page, load, then kill -9 at a random
moment (while it starts, under load, at rest, or while it stops), or now and then an orderly stop. There are two
directories: a small store in which all is evicted and copied all the time, and one of several shards.

What must hold, always:
  * a body is the one that its own head names (page, version, variant), whole;
  * after a purge was confirmed, nothing is answered that is older than it, in this run or in any later one;
  * within one run nobody sees an older version after a newer one;
  * after a kill at rest 95 % of what the store held are there again. (In practice it is all.)

What chance decides is drawn from the seed, which is printed; the moments themselves are the machine's.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../harness"))

from origin import Origin  # noqa: E402
from server import Larder  # noqa: E402
from wire import Cut  # noqa: E402

KINDS = ("a", "b", "c")
THREADS = 4
WAIT = 60


class Wrong(Exception):
    """What must never happen."""


class BrokenOff(Exception):
    """An answer that ended too soon: fine when larder was killed, and only then."""


# ---- the truth ----


class Page:
    def __init__(self, number, rng):
        self.path = f"/page/{number}"
        self.size = int(rng.paretovariate(0.9) * 2000) % 90000 + 1
        self.varies = number % 7 == 0
        self.lifetime = 1 if number % 5 == 0 else 3600
        self.version = 1   # what the origin has now
        self.floor = 0     # older versions were purged

    def kinds(self):
        return KINDS if self.varies else ("",)

    def body(self, version, kind):
        return random.Random(f"{self.path} {version} {kind}").randbytes(self.size + version % 100)


class World:
    """The pages of one directory. Guard: lock."""

    def __init__(self, name, size, pages, seed):
        self.name = name
        self.size = size
        self.directory = tempfile.mkdtemp(prefix=f"larder-crash-{name}-")
        rng = random.Random(f"{seed} {name}")
        self.pages = [Page(number, rng) for number in range(pages)]
        self.lock = threading.Lock()
        self.hits = self.answers = self.purges = 0
        self.used = False  # a run has left something in the directory

    def by_path(self, path):
        return self.pages[int(path.rsplit("/", 1)[1])]

    def answer(self, exchange):
        """The origin's side."""
        page = self.by_path(exchange.request.target)
        kind = exchange.request.get("X-Kind", "a") if page.varies else ""
        with self.lock:
            version = page.version
        tag = f'"{version}"'
        fields = [("Cache-Control", f"max-age={page.lifetime}"), ("ETag", tag), ("X-Version", str(version)),
                  ("X-Variant", kind or "-")]
        if page.varies:
            fields.append(("Vary", "X-Kind"))
        if exchange.request.get("If-None-Match") == tag:
            exchange.answer(304, fields)
        else:
            exchange.answer(200, fields, page.body(version, kind))

    def change(self, page):
        with self.lock:
            page.version += 1
            return page.version


class Seen:
    """The newest version that was seen of each page in this run. Guard: lock."""

    def __init__(self):
        self.versions = {}
        self.lock = threading.Lock()

    def before(self, key):
        with self.lock:
            return self.versions.get(key, 0)

    def after(self, key, version):
        with self.lock:
            self.versions[key] = max(version, self.versions.get(key, 0))


def check(world, page, kind, floor, least, message):
    if not message.whole:
        raise BrokenOff(f"{page.path}: {message!r}")
    if message.status != 200:
        raise Wrong(f"{page.path}: {message!r}")
    version = int(message.get("X-Version"))
    if message.get("X-Variant") != (kind or "-"):
        raise Wrong(f"{page.path}: variant {message.get('X-Variant')} for who asked for {kind}")
    if message.body != page.body(version, kind):
        raise Wrong(f"{page.path}: the body is not that of version {version}: {message!r}")
    if version < floor:
        raise Wrong(f"{page.path}: version {version} came back, but {floor - 1} and older were purged: {message!r}")
    if version < least:
        raise Wrong(f"{page.path}: version {version} after {least} in one run: {message!r}")
    if version > page.version:
        raise Wrong(f"{page.path}: version {version}, which the origin never had")
    with world.lock:
        world.answers += 1
        world.hits += ";hit" in message.get("Cache-Status", "").replace(" ", "")
    return version


def ask(world, seen, client, page, kind):
    key = (page.path, kind)
    floor, least = page.floor, seen.before(key)  # as they are before we ask
    message = client.get(page.path, *([("X-Kind", kind)] if kind else []))
    version = check(world, page, kind, floor, least, message)
    seen.after(key, version)


def purge(world, larder, page):
    """The page changes, then what was before is purged: once that is confirmed, it is gone."""
    version = world.change(page)
    larder.purge(page.path)
    with world.lock:
        page.floor = max(page.floor, version)
        world.purges += 1


# ---- the load ----


class Load:
    """Clients that go on until they are told to stop, or larder is gone."""

    def __init__(self, world, larder, seen, seed):
        self.world, self.larder, self.seen = world, larder, seen
        self.stopping = threading.Event()
        self.killed = False
        self.failures = []
        self.threads = [threading.Thread(target=self._run, args=(f"{seed} {i}",), daemon=True) for i in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=WAIT)
            if thread.is_alive():
                raise Wrong("a client waits for ever")
        if self.failures:
            raise self.failures[0]

    def _run(self, seed):
        rng = random.Random(seed)
        try:
            with self.larder.client() as client:
                while not self.stopping.is_set():
                    self._one(rng, client)
        except Wrong as wrong:
            self.failures.append(wrong)
        except (BrokenOff, Cut, OSError, ValueError, IndexError, AssertionError) as error:
            if not self.killed:
                self.failures.append(Wrong(f"larder broke off by itself: {error!r}"))

    def _one(self, rng, client):
        page = self.world.pages[min(int(rng.expovariate(6) * len(self.world.pages)), len(self.world.pages) - 1)]
        what = rng.random()
        if what < 0.04:
            purge(self.world, self.larder, page)
        elif what < 0.10:
            self.world.change(page)
        else:
            ask(self.world, self.seen, client, page, rng.choice(page.kinds()))


# ---- rounds ----


class Rounds:
    def __init__(self, seed, say):
        self.rng = random.Random(seed)
        self.seed = seed
        self.say = say
        self.worlds = [World("small", "8M", 500, seed), World("shards", "128M", 200, seed)]
        self.expected = {world.name: None for world in self.worlds}  # records that the next start must find
        self.recovered = self.kills = 0

    def close(self):
        for world in self.worlds:
            shutil.rmtree(world.directory, ignore_errors=True)

    def run(self, count):
        for number in range(count):
            world = self.worlds[self.rng.random() < 0.25]
            origin = Origin()
            origin.default = world.answer
            try:
                self.one(number, world, origin)
            finally:
                origin.close()
            if origin.errors:
                raise origin.errors[0]

    def one(self, number, world, origin):
        larder = Larder("--cache", world.directory, world.size, origin=origin)
        try:
            self.live(number, world, larder)
        except BaseException:
            larder.stop(signal.SIGKILL)
            self.say(f"round {number}, seed {self.seed}; the log of larder:\n" + "".join(larder.log[-20:]))
            raise
        finally:
            shutil.rmtree(larder.folder, ignore_errors=True)

    def live(self, number, world, larder):
        end = self.rng.choices(("start", "load", "rest", "stop", "clean"), (10, 45, 25, 10, 10))[0]
        expected, self.expected[world.name] = self.expected[world.name], None
        if end == "start":
            world.used = True
            time.sleep(self.rng.random() * 0.03)
            self.kill(larder)
            return
        self.look_at_all(world, larder, Seen())  # while it recovers the newest may be on its way to the store
        self.wait_recovered(world, larder)
        self.count_recovered(larder, expected)
        seen = Seen()
        load = Load(world, larder, seen, f"{self.seed} {number}")
        time.sleep(0.05 + self.rng.random() * 0.4)
        if end == "load":
            load.killed = True
            self.kill(larder)
            load.stop()
            return
        load.stop()
        if end == "rest":
            self.rest(world, larder)
            self.kill(larder)
        else:
            self.stop(larder, gently=end == "clean")

    def look_at_all(self, world, larder, seen):
        """Every page once, from the first moment on: while the shards recover, too."""
        with larder.client() as client:
            for page in world.pages:
                for kind in page.kinds():
                    ask(world, seen, client, page, kind)

    def rest(self, world, larder):
        """Until what was fetched is stored: then what is there is known."""
        before = -1
        while before != (before := larder.stats()["store.appends"]):
            time.sleep(0.02)
        self.expected[world.name] = larder.stats()["store.objects"]

    def wait_recovered(self, world, larder):
        deadline = time.monotonic() + WAIT
        while world.used and not any("store: recovered" in line for line in larder.log):
            if time.monotonic() > deadline:
                raise Wrong("the recovery does not end")
            time.sleep(0.002)
        world.used = True

    def count_recovered(self, larder, expected):
        stats = larder.stats()
        found = stats["store.recovered"] + stats["store.recovery_expired"]
        self.recovered += stats["store.recovered"]
        if expected is not None and found < 0.95 * expected:
            raise Wrong(f"of {expected} records {found} are back: " + "".join(larder.log))

    def kill(self, larder):
        self.kills += 1
        larder.stop(signal.SIGKILL)
        self.check_log(larder)

    def stop(self, larder, gently):
        if gently:
            status = larder.stop()
            if status != 0:
                raise Wrong(f"an orderly stop ended with {status}")
        else:
            larder.process.send_signal(signal.SIGTERM)
            time.sleep(self.rng.random() * 0.05)
            self.kill(larder)
        self.check_log(larder)

    @staticmethod
    def check_log(larder):
        """Only the process is killed here, so nothing may be damaged or lost."""
        log = "".join(larder.log)
        for word in ("ERROR: ", "WARNING: ThreadSanitizer", "panic", "Z error", " empty", "damaged", "not synced"):
            if word in log:
                raise Wrong(f"larder says {word!r}:\n{log}")


def run(rounds, seed, say=print):
    """Plays so many rounds; raises Wrong. What it did, in words."""
    play = Rounds(seed, say)
    try:
        play.run(rounds)
    finally:
        play.close()
    answers = sum(world.answers for world in play.worlds)
    hits = sum(world.hits for world in play.worlds)
    purges = sum(world.purges for world in play.worlds)
    if hits < answers / 4:
        raise Wrong(f"only {hits} of {answers} answers came from the store: this play proves nothing")
    return (f"{rounds} rounds, {play.kills} kills: {answers} answers, {hits} of them hits, {purges} purges, "
            f"{play.recovered} records found again; nothing was wrong")


def main():
    parser = argparse.ArgumentParser(prog="dev crash", description="kill larder under load, and look at every answer")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    try:
        print(run(arguments.rounds, seed))
    except Wrong as wrong:
        print(f"WRONG: {wrong}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
