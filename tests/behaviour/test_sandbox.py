"""What larder gives up before it serves: system calls, files, cores. Builds with sanitizers have no sandbox, see conftest.py."""

import ctypes
import os
import struct

import pytest

from origin import cacheable
from server import run, threads


def hide(*numbers):
    """As a container may: system calls of these numbers answer ENOSYS, from now on and for what is started."""
    code = [(0x20, 0, 0, 0)]  # the number of the call
    for number in numbers:
        code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 38)]
    code += [(0x06, 0, 0, 0x7FFF0000)]
    raw = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(raw)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0


LANDLOCK_CREATE_RULESET = 444  # on every processor
LANDLOCK = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) > 0  # asks for its version


def test_the_threads_of_the_store_take_the_core_from_nobody(origin, larder):
    """They say so themselves, behind the filter."""
    policies = []
    for thread in threads(larder):
        with open(f"/proc/{thread['Pid'][0]}/stat") as file:
            policies.append(int(file.read().rsplit(")", 1)[1].split()[38]))
    assert os.SCHED_BATCH in policies and os.SCHED_OTHER in policies


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
def test_every_thread_is_confined(origin, larder):
    found = threads(larder)
    assert len(found) >= 4  # control, log, store, workers
    for thread in found:
        assert thread["NoNewPrivs"] == ["1"] and thread["Seccomp"] == ["2"], thread
    assert any("sandbox: no core, no new privileges, files by Landlock" in line for line in larder.log), larder.log


def test_without_a_sandbox(origin, start):
    larder = start("--sandbox", "off")
    for thread in threads(larder):
        assert thread["NoNewPrivs"] == ["0"] and thread["Seccomp"] == ["0"]
    larder.stats()
    assert any("sandbox: off" in line for line in larder.log)


def test_strict_needs_all_of_it(tmp_path):
    done = run("run", "--listen", "127.0.0.1:0", "--origin", "127.0.0.1:1", "--admin", tmp_path / "x.sock",
               "--sandbox", "strict", preexec_fn=lambda: hide(LANDLOCK_CREATE_RULESET))
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("larder run: sandbox strict: this kernel has no Landlock") and "write sandbox on" in done.stderr
    assert os.listdir(tmp_path) == []


def test_on_takes_what_there_is(origin, start):
    larder = start(preexec_fn=lambda: hide(LANDLOCK_CREATE_RULESET))
    origin.on("/a", cacheable(b"x"))
    assert larder.get("/a").body == b"x"
    assert any("sandbox: no core, no new privileges, any file (this kernel has no Landlock" in line for line in larder.log)
    assert all(thread["Seccomp"] == ["2"] for thread in threads(larder))
