"""larder-bench floor: what servers are held against must answer as they do, or the ratio means nothing."""

import json
import signal
import subprocess

import pytest

from server import BENCH, bench


@pytest.fixture
def floor():
    running = []

    def begin(size, *flags):
        command = [BENCH, "floor", "--listen", "127.0.0.1:0", "--size", size, *flags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process.stdout.readline().split()[-1]

    yield begin
    for process in running:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()


@pytest.mark.parametrize("flags", [(), ("--sendfile",)], ids=["copied", "sendfile"])
@pytest.mark.parametrize("size, length", [("0", 0), ("1k", 1024), ("3M", 3 << 20)])
def test_each_request_gets_the_whole_answer(floor, size, length, flags):
    done = bench("load", f"http://{floor(size, *flags)}/any", "--connections", 4, "--requests", 40, "--json")
    seen = json.loads(done.stdout)
    assert seen["status"] == {"200": 40} and seen["body_bytes"] == 40 * length and sum(seen["errors"].values()) == 0


def test_what_is_wrong_is_told():
    done = bench("floor")
    assert done.returncode == 1 and "--listen ADDR:PORT is missing" in done.stderr
    done = bench("floor", "--listen", "nowhere")
    assert done.returncode == 1 and done.stderr.startswith("larder-bench floor: --listen")
