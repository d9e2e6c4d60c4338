"""server.py: a real larder, started for a test and ended with it.

Its log is kept; a test that fails shows it. Counters are read over the admin socket, as an operator would.
"""

import glob
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from wire import Client, Reader

LARDER = os.environ.get("LARDER", os.path.join(os.path.dirname(__file__), "../../build/debug/larder"))
BENCH = os.environ.get("LARDER_BENCH", os.path.join(os.path.dirname(LARDER), "larder-bench"))
WAIT = 60


def settings(origin, *lines):
    """A configuration with these lines in its one site."""
    return "\n".join(["admin ADMIN", "workers 2", "ram 64M", "site * {", "listen 127.0.0.1:0",
                      f"origin {getattr(origin, 'address', origin)}", "ttl 0s", *lines, "}"])


def run(*arguments, **more):
    """Runs a command of larder to its end."""
    return subprocess.run([LARDER, *map(str, arguments)], capture_output=True, text=True, timeout=60, **more)


def bench(*arguments, **more):
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True, timeout=120, **more)


def threads(larder):
    """What /proc says of each of its threads, as {"Uid": ["0", "0", "0", "0"], ...}."""
    found = []
    for name in glob.glob(f"/proc/{larder.process.pid}/task/*/status"):
        with open(name) as file:
            found.append({line.split(":", 1)[0]: line.split(":", 1)[1].split() for line in file})
    return found


class Larder:
    def __init__(self, *arguments, origin=None, workers=2, ram="64M", ttl="0s", config=None, listen="127.0.0.1:0",
                 preexec_fn=None):
        self.folder = tempfile.mkdtemp(prefix="larder-test-")
        self.admin = os.path.join(self.folder, "admin.sock")
        command = [LARDER, "run"]
        if config is not None:
            path = os.path.join(self.folder, "larder.conf")
            with open(path, "w") as file:
                file.write(config.replace("ADMIN", self.admin).replace("FOLDER", self.folder))
            command += ["-c", path]
        else:
            command += ["--listen", listen, "--origin", getattr(origin, "address", origin), "--admin", self.admin,
                        "--workers", str(workers), "--ttl", ttl]
            if "--cache" not in arguments:
                command += ["--ram", ram]
        self.process = subprocess.Popen(command + list(arguments), stderr=subprocess.PIPE, text=True, preexec_fn=preexec_fn)
        self.log = []
        self.killed = False
        self.ports = queue.Queue()
        self.reading = threading.Thread(target=self._read_log, daemon=True)
        self.reading.start()
        self.port = self.ports.get(timeout=WAIT)
        if self.port is None:
            raise AssertionError("larder did not start:\n" + "".join(self.log))
        self.address = ("127.0.0.1", self.port)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)
            if match := re.search(r"listening on \S*:(\d+)", line):
                self.ports.put(int(match.group(1)))
        self.ports.put(None)

    def client(self):
        return Client(self.address)

    def get(self, target, *fields, **more):
        """One GET on a connection of its own."""
        with self.client() as client:
            return client.get(target, *fields, **more)

    def ask(self, method, target, fields=(), **more):
        with self.client() as client:
            return client.ask(method, target, fields, **more)

    def api(self, method, path, body=None):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(WAIT)
            sock.connect(self.admin)
            data = json.dumps(body).encode() if body is not None else b""
            sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: larder\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
            answer = Reader(sock).answer(method)
            return answer.status, json.loads(answer.body)

    def stats(self):
        """All counters as {"proxy.hits": 3, ...}."""
        status, body = self.api("GET", "/v1/stats")
        assert status == 200
        return {metric["name"]: metric["value"] for metric in body["metrics"]}

    def wait(self, condition):
        """Until the counters meet the condition: what is done after an answer (storing it) shows here."""
        deadline = time.monotonic() + WAIT
        while True:
            stats = self.stats()
            if condition(stats):
                return stats
            assert time.monotonic() < deadline, f"never came true: {stats}"
            time.sleep(0.002)

    def wait_stored(self, count=1):
        """So many records are written, or could not be, and nobody joins the fetches that brought them any more."""
        return self.wait(lambda s: s["store.appends"] + s["store.append_failed"] >= count and s["cache.flights"] == 0)

    def store(self, target, *fields, appends=1):
        """One GET whose answer is in the store afterwards, in so many records, and all of its slices."""
        before = self.stats()
        seen = self.get(target, *fields)
        self.wait(lambda s: s["store.appends"] >= before["store.appends"] + appends and s["cache.slices_in_memory"] == 0
                  and s["cache.flights"] <= before["cache.flights"])  # else the next request may join what has just been written
        return seen

    def purge(self, target):
        status, body = self.api("POST", "/v1/purge", {"url": f"http://test{target}"})
        assert status == 200, body
        return body["objects"]

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self.reading.join(timeout=WAIT)
        return status

    def kill(self):
        """kill -9; close() takes that for a good end."""
        self.killed = True
        self.stop(signal.SIGKILL)

    def close(self):
        status = self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        log = "".join(self.log)
        assert status == (-signal.SIGKILL if self.killed else 0), f"larder ended with {status}:\n{log}"
        assert "ERROR: " not in log and "WARNING: ThreadSanitizer" not in log, log
