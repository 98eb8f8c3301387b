"""All weight entries of torchvision's networks, and one of its networks measured."""
# the expected value stands on the left

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.system


@pytest.mark.timeout(300)
def test_every_entry_counts_what_torchvision_publishes(tmp_path, suite):
    """Parameters exactly, multiply-accumulates to the published decimals; the time is printed, 30 s are meant."""
    began = time.perf_counter()
    done = suite("zoo", "--check", cwd=tmp_path, timeout=300)
    *rows, verdict = done.stdout.splitlines()
    print(f"{len(rows) - 1} entries took {time.perf_counter() - began:.1f} s")  # noqa: T201  # shown by -s
    assert (0, "") == (done.returncode, done.stderr)
    assert f"{len(rows) - 1} of {len(rows) - 1} entries have the published" in verdict
    assert 134 <= len(rows) - 1  # as many as torchvision 0.29 has


@pytest.mark.timeout(600)
def test_a_network_of_the_zoo_is_measured(tmp_path, suite):
    """By name: no run holds it by itself."""
    options = ("--technique=channels_last", "--quick", "--expect=off", "--device=cpu")
    done = suite("bench", "--workload=zoo_mobilenet_v3_small", *options, cwd=tmp_path, timeout=300)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "zoo_mobilenet_v3_small on cpu" in done.stdout
