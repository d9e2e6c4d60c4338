"""origin.py: an origin that does as the test says, byte by byte, and remembers what it was asked.

    origin = Origin()
    origin.on("/a", answer(body=b"hello", fields=[("Cache-Control", "max-age=60")]))
    origin.on("/b", lambda exchange: ...)          # anything, with exchange.send and the Gates below

A Gate holds the origin at a place until the test opens it, and lets the test wait until the origin has come there. So
no test sleeps to hit the right moment.
"""

import socket
import threading

from wire import Cut, Reader

WAIT = 60  # seconds after which a test that waits for something has failed


class Gate:
    def __init__(self):
        self.reached = threading.Semaphore(0)
        self.opened = threading.Event()

    def hold(self):
        """The origin: I am here; go on when the gate is opened."""
        self.reached.release()
        assert self.opened.wait(WAIT), "nobody opened the gate"

    def wait(self):
        """The test: until the origin has come to the gate (once more)."""
        assert self.reached.acquire(timeout=WAIT), "the origin never came to the gate"

    def open(self):
        self.opened.set()


class Exchange:
    """One request, in the hands of a handler."""

    def __init__(self, origin, sock, reader, request):
        self.origin = origin
        self.sock = sock
        self.reader = reader
        self.request = request
        self.keep = True

    def send(self, data):
        self.sock.sendall(data)

    def head(self, status=200, fields=(), reason="OK"):
        lines = [f"HTTP/1.1 {status} {reason}"] + [f"{name}: {value}" for name, value in fields]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end_chunks(self):
        self.send(b"0\r\n\r\n")

    def answer(self, status=200, fields=(), body=b""):
        fields = list(fields)
        if status not in (204, 304) and not any(name.lower() == "content-length" for name, _ in fields):
            fields.append(("Content-Length", str(len(body))))
        self.head(status, fields)
        if self.request.method != "HEAD":
            self.send(body)

    def close(self):
        self.keep = False

    def reset(self):
        """Breaks the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.keep = False


def answer(status=200, fields=(), body=b""):
    return lambda exchange: exchange.answer(status, fields, body)


def cacheable(body=b"hello", *fields, seconds=60):
    return answer(fields=[("Cache-Control", f"max-age={seconds}"), *fields], body=body)


def held(gate, handler):
    """The handler, once the gate is open."""
    def wait(exchange):
        gate.hold()
        handler(exchange)
    return wait


def aged(control, body=b"old", *fields, age=100):
    """An answer that was so many seconds old when it came: what is stale is made in no time."""
    return answer(fields=[("Cache-Control", control), ("Age", str(age)), *fields], body=body)


class Origin:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.handlers = {}
        self.default = answer(404, body=b"nothing here")
        self.requests = []
        self.connections = 0
        self.errors = []
        self.lock = threading.Lock()
        self.open = set()
        self.stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def on(self, path, handler):
        self.handlers[path] = handler

    def asked(self, path=None):
        """The requests so far, of one path (without query) or all."""
        with self.lock:
            return [r for r in self.requests if path is None or r.target.split("?")[0] == path]

    def close(self):
        self.stopping = True
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def drop_connections(self):
        """Closes every connection that is open now, as an origin does whose keep-alive time is over."""
        with self.lock:
            for sock in self.open:
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        reader = Reader(sock)
        try:
            while self._one(sock, reader):
                pass
        except (Cut, OSError):
            pass
        except Exception as error:  # a broken handler is a broken test
            self.errors.append(error)
            raise
        finally:
            with self.lock:
                self.open.discard(sock)
            sock.close()

    def _one(self, sock, reader):
        head = reader.head()
        handler = self.handlers.get(head.target.split("?")[0], self.default)
        raw = getattr(handler, "raw", False)
        if not raw:
            self._body(reader, head)
        with self.lock:
            self.requests.append(head)
        exchange = Exchange(self, sock, reader, head)
        handler(exchange)
        return exchange.keep

    @staticmethod
    def _body(reader, head):
        if head.get("Transfer-Encoding", "").lower() == "chunked":
            reader.chunks(head)
        elif head.get("Content-Length"):
            head.body = reader.exactly(int(head.get("Content-Length")))


def raw(handler):
    """A handler that reads the request's body itself."""
    handler.raw = True
    return handler
