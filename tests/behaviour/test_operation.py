"""What an operator does: start, look, purge, stop; and what larder says when something is wrong."""

import os
import signal
import socket
import stat
import threading

import pytest

from origin import Gate, answer, cacheable
from server import run


LIMITS = """
    admin ADMIN
    ram 16M
    limits { %s }
    site * {
        listen 127.0.0.1:0
        origin %s
    }
"""


def test_admin_socket_is_private(origin, larder):
    assert stat.S_IMODE(os.stat(larder.admin).st_mode) == 0o600


def test_purge_by_command(origin, larder):
    origin.on("/a", cacheable(b"x"))
    larder.get("/a")
    larder.wait_stored()
    done = run("purge", "http://test/a", "--admin", larder.admin)
    assert done.returncode == 0 and "purged 1 object" in done.stdout
    assert larder.get("/a").get("Cache-Status").startswith("larder;fwd=uri-miss")
    larder.wait_stored(2)
    nothing = run("purge", "http://test/never-seen", "--admin", larder.admin)
    assert nothing.returncode == 0 and "0 objects" in nothing.stdout
    wrong = run("purge", "not-a-url", "--admin", larder.admin)
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1


def test_purge_by_command_counts_the_variants(origin, larder):
    origin.on("/a", cacheable(b"x", ("Vary", "Accept-Language")))
    for language in ("de", "en", "fr"):
        larder.get("/a", ("Accept-Language", language))
    larder.wait(lambda s: s["store.objects"] == 4)  # three variants, and what they vary by
    done = run("purge", "http://test/a", "--admin", larder.admin)
    assert done.returncode == 0 and "purged 3 objects" in done.stdout


def test_purge_meets_a_flight(origin, larder):
    """What is fetched while the purge comes is delivered, but not kept."""
    gate = Gate()

    def handler(exchange):
        gate.hold()
        exchange.answer(200, [("Cache-Control", "max-age=60")], b"old")

    origin.on("/a", handler)
    client = larder.client()
    client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait()
    assert larder.purge("/a") == 0
    origin.on("/a", cacheable(b"new"))
    assert larder.get("/a").body == b"new"
    larder.wait_stored()
    gate.open()
    assert client.reader.answer().body == b"old"
    client.close()
    assert larder.get("/a").body == b"new"


def test_stats(origin, larder):
    origin.on("/a", cacheable(b"x"))
    larder.get("/a")
    larder.wait_stored()
    larder.get("/a")
    text = run("stats", "--admin", larder.admin)
    assert text.returncode == 0 and "hits" in text.stdout
    _, body = larder.api("GET", "/v1/stats")
    for metric in body["metrics"]:
        assert metric["help"].endswith(".") and metric["unit"] and metric["kind"] in ("counter", "gauge")


@pytest.mark.parametrize("method, path, body, status", [
    ("GET", "/v1/nothing", None, 404),
    ("DELETE", "/v1/stats", None, 405),
    ("POST", "/v1/purge", {"nothing": 1}, 400),
    ("POST", "/v1/purge", {"url": "x"}, 400),
])
def test_admin_errors_are_sentences(origin, larder, method, path, body, status):
    seen, answer_ = larder.api(method, path, body)
    assert seen == status and isinstance(answer_["error"], str) and len(answer_["error"]) > 10


def test_a_full_admin_socket_says_so(origin, larder):
    held = [socket.socket(socket.AF_UNIX) for _ in range(64)]
    for sock in held:
        sock.connect(larder.admin)
    done = run("stats", "--admin", larder.admin)
    assert done.returncode == 1
    assert done.stderr == "larder stats: There are too many connections to the admin socket.\n"
    for sock in held:
        sock.close()


def test_graceful_stop_ends_exchanges(origin, start):
    larder = start()
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [("Content-Length", "10")])
        exchange.send(b"first")
        gate.hold()
        exchange.send(b"later")

    origin.on("/a", handler)
    busy, idle = larder.client(), larder.client()
    origin.on("/b", answer(body=b"x"))
    idle.get("/b")
    busy.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    assert busy.reader.head().status == 200
    stopping = threading.Thread(target=larder.stop)
    stopping.start()
    assert idle.is_closed()
    gate.open()
    assert busy.reader.exactly(10) == b"firstlater"
    assert busy.is_closed()
    stopping.join()
    with pytest.raises(OSError):
        socket.create_connection(larder.address, 1)


def test_the_second_signal_ends_it_at_once(origin, start):
    larder = start()
    gate = Gate()
    origin.on("/a", lambda x: gate.hold())
    client, idle = larder.client(), larder.client()
    client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait()
    larder.process.send_signal(signal.SIGTERM)
    assert idle.is_closed()
    assert larder.stop(signal.SIGTERM) == 0
    assert client.is_closed()
    gate.open()


def test_the_stop_has_a_deadline(origin, start):
    """An answer that never ends does not keep larder alive."""
    larder = start(config=LIMITS % ("stop-timeout 50ms", origin.address))
    gate = Gate()

    def handler(exchange):
        exchange.head(200, [("Content-Length", "10")])
        exchange.send(b"first")
        gate.hold()

    origin.on("/a", handler)
    with larder.client() as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.reader.head().status == 200 and client.reader.exactly(5) == b"first"
        assert larder.stop() == 0
        assert client.is_closed()
    gate.open()


@pytest.mark.parametrize("arguments, says", [
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--bogus"], "--bogus"),
    (["run", "--listen", "nonsense", "--origin", "127.0.0.1:1"], "nonsense"),
    (["run", "--listen", "127.0.0.1:99999", "--origin", "127.0.0.1:1"], "99999"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--ram", "0"], "ram"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--ram", "10"], "10"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "https://127.0.0.1:1"], "https"),
    (["run", "--listen", "127.0.0.1:0"], "origin"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--cache", "/no/such/folder/c", "0"], '"0"'),
    (["run", "-c", "/no/such/file"], "/no/such/file"),
    (["run", "-c", "/proc/self/mem"], "cannot read /proc/self/mem"),  # also root cannot
    (["run", "-c", "/proc"], "cannot read /proc"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--cache", "/proc/nothing", "64M"], "/proc/nothing"),
    (["run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--admin", "/no/such/folder/x.sock"],
     "/no/such/folder/x.sock"),
    (["nonsense"], "nonsense"),
    (["stats", "--admin", "/no/such/socket"], "/no/such/socket"),
])
def test_bad_input_is_one_line(arguments, says, tmp_path):
    if arguments[0] == "run" and "--admin" not in arguments:
        arguments = [*arguments, "--admin", str(tmp_path / "x.sock")]
    done = run(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and says in done.stderr, done.stderr


def test_a_taken_port_is_an_error(origin, larder, tmp_path):
    for listener in (f"127.0.0.1:{larder.port}", f"127.0.0.1:{origin.port}"):
        done = run("run", "--listen", listener, "--origin", "127.0.0.1:1", "--admin", tmp_path / "x.sock")
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert listener in done.stderr and "in use" in done.stderr
        assert not os.path.exists(tmp_path / "x.sock")


def test_one_taken_port_of_several(origin, larder, tmp_path):
    """Nothing is started by half: no port is held, no socket and no store are left behind."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "larder.conf"
    config.write_text(f"""
        admin {tmp_path}/x.sock
        cache {tmp_path}/store 64M
        listen 127.0.0.1:{port} 127.0.0.1:{larder.port}
        site * {{ origin 127.0.0.1:1 }}
    """)
    done = run("run", "-c", config)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"127.0.0.1:{larder.port}: address already in use" in done.stderr
    assert os.listdir(tmp_path) == ["larder.conf"]


def test_a_cache_in_the_way_of_a_file(tmp_path):
    (tmp_path / "store").write_text("mine")
    done = run("run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--cache", tmp_path / "store", "64M",
               "--admin", tmp_path / "x.sock")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and str(tmp_path / "store") in done.stderr
    assert os.listdir(tmp_path) == ["store"] and (tmp_path / "store").read_text() == "mine"


def test_one_process_per_store(origin, start, tmp_path):
    larder = start("--cache", str(tmp_path / "store"), "64M")
    done = run("run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--cache", tmp_path / "store", "64M",
               "--admin", tmp_path / "x.sock")
    assert done.returncode == 1 and str(larder.process.pid) in done.stderr and done.stderr.count("\n") == 1


def test_the_quick_start_configuration(origin, start):
    larder = start(config="""
cache FOLDER/store 64M
admin ADMIN
site example.com {
    listen 127.0.0.1:0
    origin %s
    ttl    2m
}
""" % origin.address)
    origin.on("/a", answer(body=b"x"))
    larder.get("/a", host="example.com")
    larder.wait_stored()
    assert larder.get("/a", host="example.com").get("Cache-Status").startswith("larder;hit")


def test_diagnostics_point_at_the_place(tmp_path):
    path = tmp_path / "larder.conf"
    path.write_text("site example.com {\n    listen :80\n    orign 127.0.0.1:8080\n    ttl 10\n}\n")
    done = run("check", path)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert f'{path}:3:5: error: unknown directive "orign"' in text and 'did you mean "origin"?' in text
    assert f"{path}:4:9: error:" in text and '"10" has no unit; write 10s, 10m or 10h' in text


def test_a_bad_configuration_starts_nothing(tmp_path):
    path = tmp_path / "larder.conf"
    path.write_text("site example.com {\n    orign 127.0.0.1:8080\n}\n")
    done = run("run", "-c", path)
    assert done.returncode == 1 and done.stdout == ""
    assert f'{path}:2:5: error: unknown directive "orign" in site "example.com"\n' in done.stderr
    assert '      |     ^~~~~ did you mean "origin"?\n' in done.stderr
    assert done.stderr.endswith("2 errors: configuration not loaded\n")


def test_limits_of_time(origin, start):
    with start(config=LIMITS % ("idle-timeout 50ms", origin.address)).client() as idle:
        assert idle.is_closed()
    with start(config=LIMITS % ("head-timeout 50ms", origin.address)).client() as slow:
        slow.send(b"GET / HTTP/1.1\r\nHo")
        assert slow.reader.answer().status == 408 and slow.is_closed()
