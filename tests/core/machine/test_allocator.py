"""Whether the allocator keeps memory, found out by page faults."""
# the expected value stands on the left

from __future__ import annotations

import itertools
import mmap
import os
import subprocess
import sys

import pytest

from suite.core.machine import allocator, quiet

glibc = pytest.mark.skipif(not quiet.on_glibc(), reason="the settings are glibc's")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count page faults")
def test_page_faults_are_real():
    """Touching newly mapped memory raises the count: what malloc returns may have been touched before."""
    before = allocator.minor_faults()
    with mmap.mmap(-1, allocator.BLOCK) as fresh:
        fresh.write(bytes(allocator.BLOCK))
    assert allocator.minor_faults() > before


def test_the_first_time_may_fault_and_the_best_of_three_counts():
    """New memory has to come from somewhere, and a fault of something else is no proof."""
    readings = itertools.accumulate([0, 7, 0, 3, 0, 5])
    assert 3 == allocator.least_faults(lambda: None, lambda: next(readings))


def in_a_process(**environment):
    code = "from suite.core.machine.allocator import faults_again; print(faults_again())"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return int(subprocess.check_output([sys.executable, "-c", code], env={**plain, **environment}))


@glibc
def test_a_quiet_processs_allocator_keeps_what_it_has():
    """The real thing, under the settings of the quiet process."""
    assert in_a_process(**quiet.MALLOC) <= allocator.MOST_FAULTS


@glibc
@pytest.mark.parametrize(
    "kept", [(), ("MALLOC_MMAP_MAX_",), ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")], ids=["none", "one", "refused"]
)
def test_a_part_of_the_settings_does_not_do_and_is_found_out(kept):
    """As where glibc refuses the threshold that its old spelling used: the block faults in again as a whole."""
    assert in_a_process(**{name: quiet.MALLOC[name] for name in kept}) > allocator.MOST_FAULTS
