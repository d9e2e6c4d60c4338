"""A real site behind a real server: Debian's Python manual, served by nginx, crawled through larder."""

import hashlib
import os
import shutil
import socket
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from server import Larder
from wire import Client

TREE = "/usr/share/doc/python3.11/html"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

CONFIG = """
{user}
worker_processes 1;
daemon off;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_vary on;
    gzip_proxied any;
    gzip_min_length 256;
    gzip_types text/plain text/css application/javascript;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location = /ready {{ return 204; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def wait_until_ready(process, port):
    while process.poll() is None:
        try:
            with Client(("127.0.0.1", port)) as client:
                assert client.get("/ready").status == 204
                return
        except ConnectionRefusedError:
            continue
    raise AssertionError("nginx ended: " + process.stderr.read().decode())


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "root"
    shutil.copytree(TREE, root, symlinks=False, ignore_dangling_symlinks=True)
    for path, _, files in os.walk(root):
        os.chmod(path, 0o755)
        for name in files:
            os.chmod(os.path.join(path, name), 0o644)
    os.chmod(folder, 0o755)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker could not read the folder
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, root=root, user=user))
    process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-e", "stderr"], stderr=subprocess.PIPE)
    wait_until_ready(process, port)
    process.folder, process.port, process.root = folder, port, root
    yield process
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture
def larder(nginx):
    larder = Larder(origin=f"127.0.0.1:{nginx.port}", ttl="1h", ram="1G")  # its longest file has 3.6 MB
    yield larder
    larder.close()


def paths(root):
    found = []
    for folder, _, files in os.walk(root):
        found += ["/" + os.path.relpath(os.path.join(folder, name), root) for name in files]
    assert len(found) > 1000
    return sorted(found)


def crawl(address, targets, fields, version):
    """The digest of each file's body, by path, over a few connections at once."""

    def part(targets):
        seen, client = {}, None
        for path in targets:
            if client is None or version == "HTTP/1.0":
                client = Client(address)
            answer = client.get(urllib.parse.quote(path), *fields, version=version)
            assert answer.status == 200 and answer.whole, (path, answer)
            seen[path] = hashlib.sha256(answer.body).hexdigest()
        return seen

    digests = {}
    with ThreadPoolExecutor(8) as pool:
        for seen in pool.map(part, [targets[i::8] for i in range(8)]):
            digests.update(seen)
    return digests


@pytest.mark.parametrize("fields, version", [
    ((), "HTTP/1.1"),
    ((("Accept-Encoding", "gzip"),), "HTTP/1.1"),
    ((), "HTTP/1.0"),
], ids=["plain", "gzip", "http-1.0"])
def test_every_byte_twice_and_the_origin_once(nginx, larder, fields, version):
    targets = paths(nginx.root)
    truth = crawl(("127.0.0.1", nginx.port), targets, fields, version)
    first = crawl(larder.address, targets, fields, version)
    larder.wait(lambda s: s["proxy.stored"] == len(targets) and s["store.append_failed"] == 0
                and s["store.appends"] >= len(targets))
    fetched = larder.stats()["origin.fetches"]
    second = crawl(larder.address, targets, fields, version)
    assert first == truth and second == truth
    stats = larder.stats()
    assert fetched == len(targets) and stats["origin.fetches"] == fetched
    # What is still on its way into the store is read from its flight.
    assert stats["proxy.hits"] + stats["proxy.followers"] == len(targets)


def test_encodings_do_not_mix(nginx, larder):
    targets = [path for path in paths(nginx.root) if path.endswith(".html")][:50]
    plain, gzip = (), (("Accept-Encoding", "gzip, deflate, br"),)
    truth = {fields: crawl(("127.0.0.1", nginx.port), targets, fields, "HTTP/1.1") for fields in (plain, gzip)}
    assert truth[plain] != truth[gzip]
    for _ in range(2):
        for fields in (plain, gzip):
            assert crawl(larder.address, targets, fields, "HTTP/1.1") == truth[fields]
        larder.wait(lambda s: s["proxy.stored"] == 2 * len(targets) and s["store.objects"] == 3 * len(targets))


def test_curl(nginx, larder):
    """As a person tries it: curl, HTTP/1.0 and 1.1."""
    with open(os.path.join(nginx.root, "index.html"), "rb") as file:
        truth = file.read()
    for flag in ("--http1.0", "--http1.1"):
        for _ in range(2):
            done = subprocess.run(["curl", "-sS", flag, f"http://127.0.0.1:{larder.port}/index.html"],
                                  capture_output=True, timeout=60)
            assert done.returncode == 0 and done.stdout == truth
