"""house.py: an origin that trusts nothing, and pages that tell what it was asked.

It takes what larder sends apart by itself, by the letter of RFC 9112, and keeps the verdict. Its pages have in them all that an origin
might build a page from: so a page that was made for a strange request, and is then given to another client, is not the page that this one
would have got.
"""

import hashlib
import re
import socket
import threading

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(rb"[\t \x21-\x7e\x80-\xff]*")
# What larder says of itself, and what every client may say; all other fields make another page.
KNOWN = {"host", "via", "cdn-loop", "surrogate-capability", "content-length", "transfer-encoding", "connection", "accept-encoding",
         "expect", "range", "if-none-match", "if-modified-since", "if-match", "if-range", "if-unmodified-since", "te", "upgrade",
         "cache-control", "pragma", "content-type", "user-agent", "x-harmless"}
OURS = {("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "test")}


class Broken(Exception):
    """What came is not HTTP/1.1 by the letter."""


class Incomplete(Exception):
    """The connection ended before the request did."""


class Request:
    def __init__(self, raw, line, fields, body):
        self.raw, self.line, self.fields, self.body = raw, line, fields, body
        self.method, self.target, self.version = line.split(" ")

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def strange(self):
        """What larder was not the one to say, or not like this."""
        return sorted((key.lower(), value) for key, value in self.fields
                      if key.lower() not in KNOWN and (key.lower(), value) not in OURS)

    def page(self):
        seen = repr((self.method, self.target, self.all("host"), self.strange(), self.body))
        return f"{self.method} {self.target} {hashlib.sha256(seen.encode()).hexdigest()}\n".encode()


class Stream:
    """Bytes of a connection, and the requests in them."""

    def __init__(self, sock):
        self.sock, self.held = sock, b""

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Incomplete(self.held)
        self.held += data

    def line(self):
        while b"\n" not in self.held:
            self.more()
        line, self.held = self.held.split(b"\n", 1)
        self.raw += line + b"\n"
        if not line.endswith(b"\r") or b"\r" in line[:-1] or b"\0" in line:
            raise Broken(f"a line that ends oddly: {line!r}")
        return line[:-1]

    def exactly(self, size):
        while len(self.held) < size:
            self.more()
        data, self.held = self.held[:size], self.held[size:]
        self.raw += data
        return data

    def fields(self):
        found = []
        while line := self.line():
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
                raise Broken(f"no field: {line!r}")
            found.append((name.decode(), value.decode("latin-1").strip(" \t")))
        return found

    def chunked(self):
        body = b""
        while True:
            line = self.line()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", line):
                raise Broken(f"no chunk size of larder's own: {line!r}")
            size = int(line, 16)
            if size == 0:
                if self.fields():
                    raise Broken("trailers")
                return body
            body += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise Broken("no CRLF behind a chunk")

    def body(self, fields):
        lengths = [value for name, value in fields if name.lower() == "content-length"]
        codings = [value for name, value in fields if name.lower() == "transfer-encoding"]
        if len(lengths) + len(codings) > 1 or (codings and codings != ["chunked"]):
            raise Broken(f"more than one framing: {lengths} {codings}")
        if lengths and not re.fullmatch(r"[0-9]+", lengths[0]):
            raise Broken(f"no length: {lengths}")
        return self.chunked() if codings else self.exactly(int(lengths[0])) if lengths else b""

    def request(self, go_on):
        self.raw = b""
        line = self.line()
        if not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [/*][\x21-\x7e]* HTTP/1\.1", line):
            raise Broken(f"no request line of larder's own: {line!r}")
        fields = self.fields()
        if sum(name.lower() == "host" for name, _ in fields) != 1:
            raise Broken(f"not one Host: {fields}")
        if any(name.lower() == "expect" for name, _ in fields):
            go_on()
        return Request(self.raw, line.decode(), fields, self.body(fields))


def clean(path, host="test"):
    """The page of a request that nobody meddled with."""
    return Request(b"", f"GET {path} HTTP/1.1", [("Host", host)], b"").page()


class Origin:
    """`answers`: bytes to send for a path, and what to do then, instead of a page."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.answers = {}
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.requests, self.broken, self.connections, self.ended = [], [], 0, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock, number):
        stream = Stream(sock)
        try:
            while self._one(stream, sock, number):
                pass
        except (Incomplete, OSError):
            pass
        except Broken as broken:
            with self.lock:
                self.broken.append(str(broken))
        finally:
            sock.close()
            with self.changed:
                self.ended += 1
                self.changed.notify_all()

    def _one(self, stream, sock, number):
        request = stream.request(lambda: sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
        request.connection = number
        with self.lock:
            self.requests.append(request)
            own = self.answers.get(request.target.split("?")[0])
        if own is None:
            page = request.page()
            sock.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(page)
                         + (b"" if request.method == "HEAD" else page))
            return True
        data, then = own
        sock.sendall(data)
        if then == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return then == "keep"
