"""The quiet process: its environment, how it knows itself, and its core."""

# the expected value stands on the left

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import UsageError
from suite.core.machine import allocator, core, quiet


def test_a_quiet_environment_is_recognised_as_quiet():
    """What `environment` builds, `is_quiet` accepts."""
    assert (True, "") == quiet.is_quiet(quiet.environment({}), glibc=True)


def test_the_environment_sets_allocator_threads_and_hash_seed():
    """Every setting that was measured to matter is there."""
    made = quiet.environment({}, threads=3)
    assert {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "1073741824",
        "MALLOC_TOP_PAD_": "67108864",
        "OMP_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
        "OPENBLAS_NUM_THREADS": "3",
        "SUITE_THREADS": "3",
        "PYTHONHASHSEED": "0",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "SUITE_QUIET": "1",
    } == made


def test_what_the_user_chose_for_inductor_stays():
    """That is a default; the allocator and the threads are not."""
    base = {"TORCHINDUCTOR_COMPILE_THREADS": "4", "OMP_NUM_THREADS": "9"}
    assert ("4", "1") == tuple(quiet.environment(base)[name] for name in base)


def test_cublas_is_not_constrained_in_timed_processes():
    """Deterministic workspaces are for quality; what the user sets stays."""
    assert "CUBLAS_WORKSPACE_CONFIG" not in quiet.environment({})
    assert quiet.environment({"CUBLAS_WORKSPACE_CONFIG": ":16:8"})["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_for_an_accelerator_the_host_has_all_its_cores(monkeypatch):
    """It launches, loads and compiles beside the device: no thread count of one, no compile worker of one."""
    monkeypatch.setattr(quiet, "available_cores", lambda: 12)
    made = quiet.environment({}, threads=1, accelerator=True)
    assert ("12", "12", "1") == tuple(made[n] for n in ("OMP_NUM_THREADS", "SUITE_THREADS", "SUITE_ACCELERATOR"))
    assert "TORCHINDUCTOR_COMPILE_THREADS" not in made
    assert (True, "") == quiet.is_quiet(made, glibc=True)


def test_a_child_measures_what_its_parent_measures_unless_told_otherwise(monkeypatch):
    """A worker of a run on an accelerator is not pinned either."""
    monkeypatch.setattr(quiet, "available_cores", lambda: 12)
    parent = quiet.environment({}, accelerator=True)
    assert "1" == quiet.environment(parent, threads=3)["SUITE_ACCELERATOR"]
    on_cpu = quiet.environment(parent, threads=3, accelerator=False)
    assert "SUITE_ACCELERATOR" not in on_cpu
    assert "3" == on_cpu["SUITE_THREADS"]


@given(base=st.dictionaries(st.sampled_from(["PATH", "HOME", "LANG", "MALLOC_ARENA_MAX"]), st.text()))
def test_the_default_environment_undoes_the_allocator_and_nothing_else(base):
    """The pass that measures the resident set sees the allocator as users see it."""
    made = quiet.environment(base)
    assert {k: v for k, v in made.items() if k not in quiet.MALLOC} == quiet.default_environment(made)


def test_no_threads_are_refused():
    """Zero threads is a mistake, named with its value."""
    with pytest.raises(UsageError, match="threads=0"):
        quiet.environment({}, threads=0)


def test_an_ordinary_process_is_not_quiet_and_is_told_how_to_become_so():
    """The reason names the command."""
    found, reason = quiet.is_quiet({})
    assert not found
    assert "start it with `suite bench`" in reason


@pytest.mark.parametrize("name", quiet.MALLOC)
def test_a_missing_allocator_setting_is_named(name):
    """Each of the three counts, and the reason says which is wrong."""
    environ = quiet.environment({})
    del environ[name]
    found, reason = quiet.is_quiet(environ, glibc=True)
    assert not found
    assert f"{name} is not set" in reason


def test_without_glibc_the_allocator_settings_are_not_required():
    """musl and macOS have no such settings."""
    assert (True, "") == quiet.is_quiet(quiet.default_environment(quiet.environment({})), glibc=False)


def test_another_number_of_threads_than_announced_is_not_quiet():
    """Threads changed after the start spoil comparisons."""
    found, reason = quiet.is_quiet({**quiet.environment({}), "OMP_NUM_THREADS": "8"})
    assert not found
    assert "OMP_NUM_THREADS is 8 while SUITE_THREADS is 1" in reason


def test_a_process_on_a_core_that_another_run_holds_is_not_quiet():
    """The reason names the core."""
    found, reason = quiet.is_quiet({**quiet.environment({}), "SUITE_CORE_TAKEN": "5"}, glibc=True)
    assert not found
    assert "another run holds core 5" in reason


def quiet_process(monkeypatch):
    """This process with the environment of a quiet one."""
    for name, value in quiet.environment({}).items():
        monkeypatch.setenv(name, value)
    for name in ("LD_PRELOAD", core.TAKEN):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("faults", "preload", "expected"),
    [
        (0, None, ""),
        (8, None, ""),
        (16385, None, "16385 page faults for 64 MiB allocated again; report it with the output of `ldd --version`"),
        (32, "/usr/lib/libjemalloc.so", "unset LD_PRELOAD (/usr/lib/libjemalloc.so)"),
    ],
)
def test_an_allocator_that_gives_memory_back_all_the_same_is_not_quiet(monkeypatch, faults, preload, expected):
    """Settings are believed for what they do: an old glibc refuses some in silence."""
    quiet_process(monkeypatch)
    if preload:
        monkeypatch.setenv("LD_PRELOAD", preload)
    monkeypatch.setattr(allocator, "faults_again", lambda: faults)
    found, reason = quiet.is_quiet(glibc=True)
    assert found == (not expected)
    assert expected in reason


def test_where_the_c_library_is_another_its_allocator_is_not_tried_out(monkeypatch):
    """musl and macOS are not steered by these settings."""
    quiet_process(monkeypatch)
    monkeypatch.setattr(allocator, "faults_again", lambda: 99)
    assert (True, "") == quiet.is_quiet(glibc=False)


def test_a_child_started_in_the_environment_is_quiet_and_pins_itself_to_one_core():
    """The real thing: a fresh process, its own view of itself, its affinity, and what its own child is told."""
    code = (
        "import os; from suite.core.machine import core, quiet;"
        "cores = getattr(os, 'sched_getaffinity', lambda _: None);"
        "before, chosen, after = cores(0), quiet.pin(), cores(0);"
        "taken = core.TAKEN in os.environ;"  # this test may run beside a bench
        "print(quiet.is_quiet()[0] != taken, chosen in before if before else chosen is None,"
        "      after == {chosen} if before else True, os.environ.get('SUITE_CORE') == str(chosen) if before else True)"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SUITE_")}
    environ = quiet.environment({**plain, "PYTHONPATH": os.pathsep.join(sys.path)})
    child = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["True", "True", "True", "True"]


def test_for_an_accelerator_nothing_is_pinned(monkeypatch):
    """Launching, autograd and loading share the host's cores."""
    monkeypatch.delenv("SUITE_THREADS", raising=False)
    monkeypatch.setenv("SUITE_ACCELERATOR", "1")
    assert quiet.pin() is None


def test_several_threads_are_not_pinned(monkeypatch):
    """Two threads on one core would only wait for each other."""
    monkeypatch.setenv("SUITE_THREADS", "2")
    assert quiet.pin() is None


def test_a_sandbox_that_forbids_affinity_is_no_error(monkeypatch):
    """Timings are then noisier, not wrong."""

    def refuse(*_):
        raise PermissionError

    monkeypatch.delenv("SUITE_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setenv("SUITE_CORE", "0")
    assert quiet.pin() is None
    assert "SUITE_CORE" not in os.environ


def test_torch_is_given_the_number_of_threads(monkeypatch):
    """Workers apply what the environment says."""
    given_to_torch = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=given_to_torch.append))
    monkeypatch.setenv("SUITE_THREADS", "2")
    assert quiet.apply_threads() == 2
    assert given_to_torch == [2]


def test_outside_a_quiet_process_torch_is_left_alone(monkeypatch):
    """Without SUITE_THREADS nothing is changed, nor even imported."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delenv("SUITE_THREADS", raising=False)
    assert quiet.apply_threads() is None


def test_one_thread_is_meant_where_nothing_is_said():
    """The default of every bench process."""
    assert (1, 4) == (quiet.threads({}), quiet.threads({"SUITE_THREADS": "4"}))


@pytest.mark.parametrize("text", ["", "0", "two", "-1", "1.5"])
def test_a_bad_number_of_threads_is_named(text):
    """The message repeats the value that was found."""
    with pytest.raises(UsageError, match=f"SUITE_THREADS must be a whole number of at least 1, got '{text}'"):
        quiet.threads({"SUITE_THREADS": text})
