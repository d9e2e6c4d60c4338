"""What every behaviour test may ask for: an origin, and larders before it that end with the test."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))

# Builds with sanitizers are neither confined nor hardened: tests/unit/server/test_sandbox.c has what they say instead.
collect_ignore = ["test_sandbox.py", "test_hardening.py"] if os.environ.get("LARDER_BUILD") in ("asan", "tsan") else []

import pytest  # noqa: E402

from origin import Origin  # noqa: E402
from server import Larder  # noqa: E402


@pytest.fixture
def origin():
    origin = Origin()
    yield origin
    origin.close()
    assert not origin.errors, origin.errors


@pytest.fixture
def start(origin):
    """start(...) gives a larder before the origin; see server.Larder for the arguments."""
    running = []

    def begin(*arguments, **more):
        more.setdefault("origin", origin)
        larder = Larder(*arguments, **more)
        running.append(larder)
        return larder

    yield begin
    for larder in running:
        larder.close()


@pytest.fixture
def larder(start):
    return start()
