"""attack.py: the bad clients of hostile.py: many connections, in one loop, none of which is up to any good.

    attack.py PORT idle=2000 drip=500 ...       "ready" when all have begun; at the end of stdin they hang up, and what each kind did is JSON

Each kind is a class: begin() makes one connection and its first step, step() is called in turn every `pause` seconds for each. A
connection that larder has closed is begun anew; it is counted, for that is what larder shall do.
"""

import errno
import heapq
import json
import resource
import select
import socket
import sys
import time

HEAD = b"GET %b HTTP/1.1\r\nHost: test\r\nUser-Agent: nobody\r\n"
BIG = b"/size/32M/max-age/86400"
PAGE = b"/size/1k/max-age/86400"
SLOW = b"/size/64k/drip/300ms/no-store"
JOINED = b"/size/64k/delay/200ms/max-age/1"


def connect(port, receive=None):
    """Not waited for: what cannot be had at once is had with the next step. Source addresses are many, so that ports are enough."""
    sock = socket.socket()
    if receive is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.settimeout(5)
    sock.connect(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


def send(sock, data):
    """How many bytes went out; none when there is no room. OSError: larder has hung up."""
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def receive(sock, size=65536):
    """None: nothing there. b"": the end."""
    try:
        return sock.recv(size)
    except BlockingIOError:
        return None


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


class Kind:
    """One kind of bad client. did: how often it got to do it; refused: how often larder ended it."""
    pause = 1.0

    def __init__(self, port):
        self.port = port
        self.did = self.refused = 0

    def begin(self):
        raise NotImplementedError

    def step(self, sock):
        """The next step of one. None: it is over, another one begins."""
        raise NotImplementedError


class Idle(Kind):
    pause = 5.0

    def begin(self):
        sock = connect(self.port)
        send(sock, HEAD % PAGE + b"\r\n")
        self.did += 1
        return sock

    def step(self, sock):
        if receive(sock) == b"":
            raise ConnectionResetError
        return sock


class Drip(Kind):
    def begin(self):
        sock = connect(self.port)
        send(sock, b"GET / HTTP/1.1\r\nHost: test\r\nX-Long: ")
        return sock

    def step(self, sock):
        if receive(sock) == b"":
            raise ConnectionResetError
        self.did += send(sock, b"x")
        return sock


class Readers(Kind):
    def begin(self):
        sock = connect(self.port, receive=4096)
        send(sock, HEAD % BIG + b"\r\n")
        return sock

    def step(self, sock):
        data = receive(sock, 1024)
        if data == b"":
            raise ConnectionResetError
        self.did += data is not None
        return sock


class Uploads(Kind):
    def begin(self):
        sock = connect(self.port)
        send(sock, b"POST /size/1k HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
        return sock

    def step(self, sock):
        self.did += send(sock, b"eight by")
        if receive(sock) == b"":
            raise ConnectionResetError
        return sock


class Churn(Kind):
    """Half of them ask, the other half do not."""
    pause = 0.5

    def begin(self):
        self.did += 1
        sock = connect(self.port)
        if self.did % 2:
            send(sock, HEAD % PAGE + b"\r\n")
        return sock

    def step(self, sock):
        sock.close()
        return None


class Resets(Kind):
    """By turns: before the first byte, within a head, before the head of an answer, within a body from the store and from the origin,
    within an upload, behind a fetch of others, with requests in the pipeline, and at rest."""
    pause = 0.5
    states = [b"", HEAD % PAGE, HEAD % JOINED + b"\r\n", HEAD % BIG + b"\r\n", HEAD % SLOW + b"\r\n",
              b"POST /size/1k HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nFF\r\n",
              b"PUT /size/1k HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf", (HEAD % BIG + b"\r\n") * 5,
              HEAD % PAGE + b"\r\n"]

    def begin(self):
        self.did += 1
        sock = connect(self.port)
        if state := self.states[self.did % len(self.states)]:
            send(sock, state)
        return sock

    def step(self, sock):
        reset(sock)
        return None


KINDS = {"idle": Idle, "drip": Drip, "readers": Readers, "uploads": Uploads, "churn": Churn, "resets": Resets}


def begin(kind):
    """A new one, or None when larder (or the system) takes no more for now."""
    try:
        return kind.begin()
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        kind.refused += 1
        return None


def step(kind, sock):
    try:
        return kind.step(sock) if sock is not None else None
    except OSError:
        kind.refused += 1
        sock.close()
        return None


def run(members):
    """Each has its step when its time has come, until stdin ends."""
    now = time.monotonic()
    due = [(now + kind.pause * i / len(members), i, kind, sock) for i, (kind, sock) in enumerate(members)]
    heapq.heapify(due)
    while True:
        at, i, kind, sock = due[0]
        if select.select([sys.stdin], [], [], max(0.0, at - time.monotonic()))[0]:
            return [sock for _, _, _, sock in due if sock is not None]
        sock = step(kind, sock) or begin(kind)
        heapq.heapreplace(due, (max(at, time.monotonic() - 1) + kind.pause, i, kind, sock))


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port = int(sys.argv[1])
    wanted = [word.split("=") for word in sys.argv[2:]]
    kinds = {name: KINDS[name](port) for name, _ in wanted}
    members = [(kinds[name], begin(kinds[name])) for name, count in wanted for _ in range(int(count))]
    print("ready", flush=True)
    if members:
        for sock in run(members):
            sock.close()
    else:
        sys.stdin.read()
    print(json.dumps({f"{name} {what}": getattr(kind, key) for name, kind in kinds.items()
                      for what, key in (("did", "did"), ("refused", "refused")) if getattr(kind, key) or key == "did"}))


if __name__ == "__main__":
    main()
