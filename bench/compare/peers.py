"""peers.py: the servers that are compared, each as its best user would set it up for this: one worker, a cache in memory, no log (but for larder:
that its cost counts with the access log on is what it claims).

A peer is a function of (folder, origin, ram) that writes its configuration into the folder and returns a Server. What is not
installed is left out, and said.
"""

import os
import shutil

from process import BENCH, LARDER, Server, free_port

RAM = 512  # MiB for what is cached

NGINX = """
worker_processes 1;
daemon off;
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on; # tcp_nopush beside it costs 40 ms for each answer of 100 KB here
    keepalive_requests 1000000000;
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=one:100m max_size=2g;
    upstream origin {{ server {origin}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache one;
            proxy_cache_lock on;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    no strict-limits # as many as there are files for: it counts two for each connection
    maxconn 16384
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 60s
    timeout http-keep-alive 600s
cache one
    total-max-size {ram}
    max-object-size 20000000
    max-age 86400
frontend clients
    bind 127.0.0.1:{port}
    http-request cache-use one
    http-response cache-store one
    default_backend origin
backend origin
    server origin {origin}
"""

SQUID = """
http_port 127.0.0.1:{port} accel defaultsite=localhost no-vhost
cache_peer {address} parent {origin_port} 0 no-query no-digest no-netdb-exchange originserver name=origin
http_access allow all
cache_mem {ram} MB
maximum_object_size 16 MB
maximum_object_size_in_memory 16 MB
memory_cache_shared off
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
pinger_enable off
shutdown_lifetime 0 seconds
client_persistent_connections on
pipeline_prefetch 0
max_filedescriptors 16384
"""

ATS_RECORDS = """
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.cache.ram_cache.size INT {ram_bytes}
CONFIG proxy.config.cache.ram_cache_cutoff INT 16777216
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 600
"""


def write(folder, name, text, **values):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text.format(folder=folder, **values))
    return path


def larder(folder, origin, ram=RAM):
    """With its access log, which the others do not write here."""
    return Server("larder", [LARDER, "run", "--listen", "127.0.0.1:0", "--origin", origin, "--workers", "1", "--ram", f"{ram}M",
                             "--admin", os.path.join(folder, "admin.sock"), "--log", os.path.join(folder, "access.log")],
                  says_port=True)


def nginx(folder, origin, ram=RAM):
    port = free_port()
    path = write(folder, "nginx.conf", NGINX, port=port, origin=origin)
    return Server("nginx", [shutil.which("nginx"), "-c", path, "-e", "stderr"], port)


def varnish(folder, origin, ram=RAM):
    port = free_port()
    return Server("varnish", [shutil.which("varnishd"), "-F", "-n", os.path.join(folder, "varnish"), "-j", "none",
                              "-a", f"127.0.0.1:{port}", "-b", origin, "-s", f"malloc,{ram}m", "-p", "timeout_idle=600"], port)


def haproxy(folder, origin, ram=RAM):
    port = free_port()
    path = write(folder, "haproxy.cfg", HAPROXY, port=port, origin=origin, ram=ram)
    return Server("haproxy", [shutil.which("haproxy"), "-db", "-f", path], port)


def squid(folder, origin, ram=RAM):
    port = free_port()
    address, origin_port = origin.rsplit(":", 1)
    path = write(folder, "squid.conf", SQUID, port=port, address=address, origin_port=origin_port, ram=ram)
    return Server("squid", [shutil.which("squid"), "-N", "-f", path], port)


def ats(folder, origin, ram=RAM):
    """Its folders are laid out by its own tool; what it does not find there it takes from the package."""
    port = free_port()
    root = os.path.join(folder, "ats")
    etc = "/etc/trafficserver"
    shutil.copytree(etc, os.path.join(root, "etc"), dirs_exist_ok=True)
    for name in ("cache", "run", "log"):
        os.makedirs(os.path.join(root, name))
    write(root, "runroot.yaml", ATS_LAYOUT)
    write(root, "etc/records.config", ATS_RECORDS, port=port, ram_bytes=ram << 20)
    write(root, "etc/storage.config", "{folder}/cache {ram}M\n", ram=ram)
    write(root, "etc/remap.config", "map http://127.0.0.1:{port}/ http://{origin}/\n", port=port, origin=origin)
    return Server("ats", [shutil.which("traffic_server"), f"--run-root={root}/runroot.yaml"], port)


ATS_LAYOUT = """prefix: {folder}
exec_prefix: {folder}
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {folder}/etc
datadir: {folder}/cache
includedir: /usr/include
libdir: /usr/lib
libexecdir: /usr/lib/trafficserver/modules
localstatedir: {folder}
runtimedir: {folder}/run
logdir: {folder}/log
cachedir: {folder}/cache
"""


def floor(size):
    """Not a cache: the least that an answer of that size can cost."""
    return Server("floor", [BENCH, "floor", "--listen", "127.0.0.1:0", "--size", size], says_port=True)


# name: (what starts it, its program, how it tells its version)
PEERS = {
    "larder": (larder, LARDER, ["version"]),
    "nginx": (nginx, "nginx", ["-v"]),
    "varnish": (varnish, "varnishd", ["-V"]),
    "haproxy": (haproxy, "haproxy", ["-v"]),
    "ats": (ats, "traffic_server", ["-V"]),
    "squid": (squid, "squid", ["-v"]),
}
