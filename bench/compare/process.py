"""process.py: servers as processes, pinned; what they took; and the load on the other core."""

import json
import os
import re
import select
import socket
import subprocess
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("LARDER_BUILD", os.path.join(HERE, "../../build/release"))
LARDER = os.path.join(BUILD, "larder")
BENCH = os.path.join(BUILD, "larder-bench")
SERVER_CORE, LOAD_CORE = "0", "1"
ORIGIN_CORE = "2" if (os.cpu_count() or 1) > 2 else LOAD_CORE  # where an origin is that works while others are measured


class Failed(Exception):
    """What is told in one line."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def children(pid):
    """The process and all below it."""
    tree = [pid]
    for parent in tree:
        for task in os.listdir(f"/proc/{parent}/task"):
            with open(f"/proc/{parent}/task/{task}/children") as file:
                tree += [int(child) for child in file.read().split()]
    return tree


class Server:
    """A process with a listening port. `says_port`: it prints "listening on ADDRESS:PORT"."""

    def __init__(self, name, command, port=None, says_port=False, core=SERVER_CORE):
        self.name = name
        self.process = subprocess.Popen(["taskset", "-c", core, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        try:
            self.port = self.told_port() if says_port else self.open_port(port)
        except Failed:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def told_port(self):
        for line in self.process.stdout:
            if match := re.search(r"listening on \S+:(\d+)", line):
                return int(match.group(1))
        raise Failed(f"{self.name} did not start")

    def open_port(self, port):
        """The port, once something answers there."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} did not start: {self.process.stdout.read().strip()[-300:]}")
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                select.select([self.process.stdout], [], [], 0.05)  # its words, or a moment
                time.sleep(0.02)
        raise Failed(f"{self.name} does not listen")

    def processor_time(self):
        """User and system seconds of the process tree so far."""
        total = [0.0, 0.0]
        for member in children(self.process.pid):
            with open(f"/proc/{member}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            total[0] += int(fields[11]) / os.sysconf("SC_CLK_TCK")
            total[1] += int(fields[12]) / os.sysconf("SC_CLK_TCK")
        return total

    def memory(self):
        """Bytes of memory that are its own: anonymous, and shared memory in which caches lie."""
        total = 0
        for member in children(self.process.pid):
            with open(f"/proc/{member}/status") as file:
                total += sum(int(kib) for kib in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", file.read(), re.M))
        return total * 1024

    def resident(self):
        """Bytes of memory that the process tree occupies; what several processes share counts once."""
        return self.summed("smaps_rollup", "Pss")

    def peak(self):
        """The most that each process of the tree has occupied since it began, added up."""
        return self.summed("status", "VmHWM")

    def summed(self, name, member):
        total = 0
        for process in children(self.process.pid):
            try:
                with open(f"/proc/{process}/{name}") as file:
                    total += sum(int(kib) for kib in re.findall(rf"^{member}:\s+(\d+) kB", file.read(), re.M))
            except PermissionError as why:
                raise Failed(f"{self.name}: its memory cannot be read; another user's processes need root") from why
        return total * 1024


def asked(origin):
    """How many requests the origin has seen."""
    with urllib.request.urlopen(f"http://{origin.address}/-/requests") as answer:
        return json.load(answer)["total"]


def counters(admin):
    """What a larder has counted, by name."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(admin)
        sock.sendall(b"GET /v1/stats HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: sock.recv(1 << 16), b"")).decode()
    rows = json.loads(text[text.index("\r\n\r\n") + 4:])["metrics"]
    return {row["name"]: row["value"] for row in rows}


def load(server, path, *flags):
    """What larder-bench load saw of it, from the other core."""
    done = subprocess.run(["taskset", "-c", LOAD_CORE, BENCH, "load", f"http://{server.address}{path}", "--json", *flags],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{server.name}: the load failed: {done.stderr.strip() or 'no good answers'}")
    seen = json.loads(done.stdout)
    if sum(seen["errors"].values()) or seen["status"] != {"200": seen["answers"]}:
        raise Failed(f"{server.name}: not all answers were good: {seen['status']}, errors {seen['errors']}")
    return seen
