"""A short play of tests/faults: calls fail at random, and what is answered is right. `./dev faults` plays it for long."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../faults"))

import faults  # noqa: E402


@pytest.mark.parametrize("disk", [True, False], ids=["files", "memory"])
def test_faults_cost_answers_and_nothing_else(disk):
    world, load, given = faults.run(2, seed=20261126, disk=disk, rates=faults.OFTEN)
    print(faults.tell(world, load, given))
    assert world.hits > 100
    assert all(given[kind] > 0 for kind in ("malloc", "recv", "sendmsg", "epoll_wait", "pwritev"))
