"""What the operating system says about a turn: who had the core."""
# the expected value stands on the left

import subprocess
import sys
import time

import numpy as np
import pytest

from suite.measure.sampler import counters
from suite.measure.sampler.counters import Usage, preempted


def usage(**changes):
    return Usage(**{"forced": 3, "waited": 5, "cpu": 1.0, **changes})


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (usage(cpu=1.010), False),
        (usage(cpu=1.006, forced=4), True),
        (usage(cpu=1.010, forced=4), False),
        (usage(cpu=1.006, waited=6), False),
        (usage(cpu=1.006, waited=6, forced=4), True),
        (usage(cpu=1.006), True),
    ],
    ids=["undisturbed", "time slice lost", "a kernel thread's moment", "waited by itself", "both", "hypervisor"],
)
def test_a_turn_is_preempted_when_the_core_was_somebody_elses(after, expected):
    """10 ms of wall time against CPU time and switches."""
    assert expected == preempted(usage(), after, 0.010)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts by thread")
def test_work_uses_cpu_time_and_sleep_is_a_switch_of_ones_own():
    """The real counters: sleeping is waiting, computing is not. One of many naps is left alone on a busy machine."""
    read = counters.thread_counters()
    naps = []
    for _ in range(50):
        before = read()
        time.sleep(0.01)
        naps.append((before, read()))
    before, slept = naps[-1]
    np.random.default_rng(0).random(3_000_000).sort()
    worked = read()
    assert slept.waited > before.waited
    assert worked.cpu - slept.cpu > slept.cpu - before.cpu
    assert not all(preempted(first, last, 0.01) for first, last in naps)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts by thread")
def test_a_rival_on_the_same_core_is_noticed():
    """Two processes on one core: most turns of 20 ms lose a slice to the other one."""
    code = (
        "import os, time; from suite.measure.sampler.counters import preempted, thread_counters\n"
        "core = max(os.sched_getaffinity(0)); os.sched_setaffinity(0, {core})\n"
        "rival, end = os.fork(), time.time() + 10\n"
        "while not rival and time.time() < end: pass\n"
        "if not rival: os._exit(0)\n"
        "time.sleep(0.2); read, hits = thread_counters(), 0\n"
        "for _ in range(40):\n"
        "    before, start = read(), time.perf_counter()\n"
        "    while time.perf_counter() - start < 0.02: pass\n"
        "    wall = time.perf_counter() - start; hits += preempted(before, read(), wall)\n"
        "os.kill(rival, 9); os.waitpid(rival, 0); print(hits)"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(child.stdout) > 20


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_nothing_is_counted_by_thread(monkeypatch, platform):
    """There rounds are never dropped, and nothing fails."""
    monkeypatch.setattr(sys, "platform", platform)
    assert counters.thread_counters() is None
