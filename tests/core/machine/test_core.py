"""A core of one's own: the least loaded, held against other runs, shared with one's children."""
# the expected value stands on the left

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.machine import core

STAT = """cpu  100 0 100 800 0 0 0 0 0 0
cpu0 10 5 20 900 40 1 2 3 7 0
cpu1 50 0 50 300 0 0 0 0 0 0
intr 12345
ctxt 678
"""

linux = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this platform has no affinity")


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch, tmp_path):
    """Lock files of the test alone, four cores, none of them loaded, and nothing held afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(core, "busy_shares", dict)
    monkeypatch.setattr(core, "_held", [])
    for name in (core.CORE, core.TAKEN, core.ALLOWED):
        monkeypatch.setenv(name, "")  # so that what a test leaves there is undone
        monkeypatch.delenv(name)
    yield
    core.release()


def hold_elsewhere(*cores):
    """Another process that holds these cores until its input ends."""
    code = (
        "import sys, tempfile; from suite.core.machine import core\n"
        f"tempfile.tempdir = {tempfile.gettempdir()!r}\n"
        f"print([core._hold(one) for one in {cores!r}], flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert str([True] * len(cores)) == child.stdout.readline().strip()
    return child


def test_busy_and_all_ticks_are_read_for_each_core():
    """The line of all cores together and other lines do not count; waiting for a disk is idle."""
    assert {0: (10 + 5 + 20 + 1 + 2 + 3, 981 - 0, 3), 1: (100, 400, 0)} == core.parse_stat(STAT)


def test_a_run_is_told_what_its_cores_did_since_it_began(monkeypatch):
    """Of 100 ticks 4 of its own core were stolen; the other two were busy for 20 and 60."""
    before = {0: core.Ticks(5, 100, 1), 1: core.Ticks(0, 100, 0), 2: core.Ticks(7, 100, 0)}
    after = {0: core.Ticks(99, 200, 5), 1: core.Ticks(20, 200, 9), 2: core.Ticks(67, 200, 0)}
    readings = iter([before, after, before, {}])
    monkeypatch.setattr(core, "_ticks", lambda: next(readings))
    monkeypatch.setenv(core.CORE, "0")
    assert "cores: the other 2 worked 40% of the time, the hypervisor took 4.0% of core 0" == core.Watch().line()
    assert "" == core.Watch().line()  # a reading fails


def test_a_run_without_a_core_of_its_own_is_told_nothing():
    """Its threads may have been on any."""
    assert "" == core.Watch().line()


@linux
def test_a_process_stays_off_the_core_that_its_children_are_given(monkeypatch):
    """And comes back afterwards."""
    seen = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: seen.append(cores))
    with core.aside():
        assert "3" == os.environ[core.CORE]
        assert [{0, 1, 2}] == seen
    assert [{0, 1, 2}, {0, 1, 2, 3}] == seen


@linux
def test_with_one_core_there_is_nowhere_else_to_be(monkeypatch):
    """Driver and children share it."""
    seen = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: seen.append(cores))
    with core.aside():
        pass
    assert [{2}, {2}] == seen


@given(loads=st.dictionaries(st.integers(0, 63), st.floats(0, 1), min_size=1))
def test_the_least_loaded_core_comes_first_and_of_equals_the_last(loads):
    """All cores come, and none that is busier stands before another."""
    found = core.by_load(set(loads), loads)
    assert sorted(loads) == sorted(found)
    assert [(loads[one], -one) for one in found] == sorted((loads[one], -one) for one in found)


@linux
def test_the_share_is_of_the_time_between_two_readings(monkeypatch, tmp_path):
    """What a core did since it booted says nothing."""
    monkeypatch.undo()
    monkeypatch.setattr(core, "STAT", tmp_path / "stat")
    core.STAT.write_text("cpu0 1000 0 0 0 0 0 0 0\ncpu1 0 0 0 1000 0 0 0 0\n")
    later = "cpu0 1001 0 0 9 0 0 0 0\ncpu1 8 0 0 1002 0 0 0 0\n"
    assert pytest.approx({0: 0.1, 1: 0.8}) == core.busy_shares(wait=lambda _: core.STAT.write_text(later))


def test_a_system_that_does_not_say_is_no_error(monkeypatch, tmp_path):
    """The last core is taken then."""
    monkeypatch.undo()
    monkeypatch.setattr(core, "STAT", tmp_path / "absent")
    assert {} == core.busy_shares()


def test_the_least_loaded_core_is_taken_and_left_to_children(monkeypatch):
    """By environment."""
    monkeypatch.setattr(core, "busy_shares", lambda: {0: 0.5, 1: 0.1, 2: 0.9, 3: 0.2})
    assert (1, "1") == (core.choose(), os.environ["SUITE_CORE"])
    assert "SUITE_CORE_TAKEN" not in os.environ


def test_a_child_comes_to_its_parents_core_without_a_lock_of_its_own(monkeypatch):
    """The parent holds it and waits for the child."""
    rival = hold_elsewhere(2)
    monkeypatch.setenv("SUITE_CORE", "2")
    assert 2 == core.choose()
    rival.communicate()
    assert [] == core._held


@pytest.mark.parametrize("stale", ["", "9", "two"])
def test_a_core_that_cannot_be_used_is_not_inherited(monkeypatch, stale):
    """Another machine's, or nonsense."""
    monkeypatch.setenv("SUITE_CORE", stale)
    assert 3 == core.choose()


def test_two_runs_do_not_meet_on_one_core():
    """The second goes to the next; when the first has ended, its core is free again."""
    rival = hold_elsewhere(3, 2)
    assert 1 == core.choose()
    core.release()
    rival.communicate()
    assert 3 == core.choose()


def test_where_all_cores_are_held_the_least_loaded_is_used_and_named():
    """Timings go on, and are marked."""
    rival = hold_elsewhere(0, 1, 2, 3)
    assert (3, "3") == (core.choose(), os.environ["SUITE_CORE_TAKEN"])
    rival.communicate()


def test_a_run_can_wait_for_a_core(monkeypatch, capsys):
    """Both runs then count."""
    rival = hold_elsewhere(0, 1, 2, 3)
    monkeypatch.setenv("SUITE_WAIT", "1")
    monkeypatch.setattr(core, "WAIT_SECONDS", 0.01)
    started = threading.Timer(0.2, rival.communicate)
    started.start()
    assert core.choose() in (0, 1, 2, 3)
    started.join()
    assert "SUITE_CORE_TAKEN" not in os.environ
    assert "waiting for one to end" in capsys.readouterr().err
    core.release()


def test_a_lock_file_that_cannot_be_opened_is_taken(monkeypatch, tmp_path):
    """Another user's file, or a folder of that name: it is no licence to share a core."""
    monkeypatch.setattr(core, "lock_path", lambda one: tmp_path / str(one))
    (tmp_path / "3").mkdir()
    assert 2 == core.choose()
    core.release()


def test_without_a_place_for_lock_files_the_core_is_used(monkeypatch, tmp_path):
    """Nobody can be told; that is no error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent" / "deeper"))
    monkeypatch.setattr(core, "lock_path", lambda one: tmp_path / "file" / str(one))
    (tmp_path / "file").write_text("in the way")
    assert 3 == core.choose()
    assert "SUITE_CORE_TAKEN" not in os.environ


def test_a_pinned_process_and_its_children_know_the_cores_of_their_run(monkeypatch):
    """Not those that they are pinned to."""
    assert {0, 1, 2, 3} == core.allowed_cores()
    core.choose()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert {0, 1, 2, 3} == core.allowed_cores()
    core.release()
    assert {3} == core.allowed_cores()


def test_without_affinity_all_cores_are_allowed_and_none_is_given(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert set(range(6)) == core.allowed_cores()
    with core.several(2) as cores:
        assert () == cores


@linux
def test_processes_at_once_have_their_own_core_and_free_ones(monkeypatch):
    """The least loaded; other runs cannot take them meanwhile, and can afterwards."""
    monkeypatch.setattr(core, "busy_shares", lambda: {0: 0.1, 1: 0.9, 2: 0.5, 3: 0.0})
    rival = hold_elsewhere(0)
    assert 3 == core.choose()
    with core.several(2) as cores:
        assert (3, 2) == cores
        assert not core._hold(2, [])
    assert core._hold(2)
    rival.communicate()


@linux
def test_where_other_runs_hold_the_rest_there_are_fewer_cores():
    """A process without a core of its own may have none at all."""
    rival = hold_elsewhere(0, 1, 2)
    with core.several(2) as cores:
        assert (3,) == cores
    assert 3 == core.choose()
    with core.several(2) as cores:
        assert (3,) == cores
    core.release()
    other = hold_elsewhere(3)
    with core.several(2) as cores:
        assert () == cores
    rival.communicate()
    other.communicate()
