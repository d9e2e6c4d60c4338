"""wire.py: HTTP/1 as bytes, from the outside: what a test sends and reads, with nothing mended on the way.

A Message keeps the head exactly as it came, in order and letter case. Bodies are read by the framing that the
head announces; whether an answer ended as it must is part of what is read (`whole`).
"""

import socket

CRLF = b"\r\n"


class Cut(Exception):
    """The connection ended in the middle of a message."""


class Message:
    def __init__(self, start, fields):
        self.start = start
        self.fields = fields
        self.body = b""
        self.whole = True
        self.interim = []
        self.trailers = []

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def status(self):
        return int(self.start.split(" ")[1])

    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    def __repr__(self):
        return f"<{self.start} {self.fields} {len(self.body)} bytes>"


class Reader:
    """Reads messages from a socket; never more than it needs of the next one is lost."""

    def __init__(self, sock):
        self.sock = sock
        self.held = b""

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            return False
        self.held += data
        return True

    def line(self):
        while CRLF not in self.held:
            if not self.more():
                raise Cut(f"in a line: {self.held!r}")
        line, self.held = self.held.split(CRLF, 1)
        return line.decode("latin-1")

    def exactly(self, size):
        while len(self.held) < size:
            if not self.more():
                raise Cut(f"after {len(self.held)} of {size} bytes")
        data, self.held = self.held[:size], self.held[size:]
        return data

    def sized(self, message, size):
        """A body of a known length; long ones are not copied again with each piece."""
        body = bytearray(self.held[:size])
        self.held = self.held[size:]
        try:
            while len(body) < size and (data := self.sock.recv(min(size - len(body), 1 << 20))):
                body += data
        finally:
            message.body = bytes(body)
            message.whole = len(body) == size

    def rest(self):
        while self.more():
            pass
        data, self.held = self.held, b""
        return data

    def fields(self):
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name, value.strip(" \t")))
        return fields

    def head(self):
        return Message(self.line(), self.fields())

    def chunks(self, message):
        while size := int(self.line().split(";")[0], 16):
            message.body += self.exactly(size)
            assert self.exactly(2) == CRLF
        message.trailers = self.fields()

    def request(self):
        message = self.head()
        if message.get("Transfer-Encoding", "").lower() == "chunked":
            self.chunks(message)
        elif message.get("Content-Length"):
            message.body = self.exactly(int(message.get("Content-Length")))
        return message

    def answer(self, method="GET"):
        interim = []
        message = self.head()
        while 100 <= message.status < 200 and message.status != 101:
            interim.append(message)
            message = self.head()
        message.interim = interim
        self.body(message, method)
        return message

    def body(self, message, method):
        if method == "HEAD" or message.status in (101, 204, 304):
            return
        try:
            if message.get("Transfer-Encoding", "").lower() == "chunked":
                self.chunks(message)
            elif message.get("Content-Length") is not None:
                self.sized(message, int(message.get("Content-Length")))
            else:
                message.body = self.rest()
        except (Cut, ConnectionResetError):
            message.whole = False


def compose(method, target, fields=(), body=b"", version="HTTP/1.1", host="test"):
    """A request as bytes. `fields` are pairs; Host is added unless one is given or `host` is None."""
    lines = [f"{method} {target} {version}"]
    if host is not None and not any(name.lower() == "host" for name, _ in fields):
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Client:
    """A connection to larder (or to anything that speaks HTTP/1)."""

    def __init__(self, address, timeout=60, source=None):
        self.sock = socket.create_connection(address, timeout, source)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, method, target, fields=(), **more):
        self.send(compose(method, target, fields, **more))
        return self.reader.answer(method)

    def get(self, target, *fields, **more):
        return self.ask("GET", target, fields, **more)

    def is_closed(self):
        """Waits for the peer's end."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def turned_away(address, source=None):
    """Whether a connection is closed before it has said anything."""
    try:
        with Client(address, source=source) as client:
            return client.is_closed()
    except ConnectionResetError:  # before connect() had returned
        return True
