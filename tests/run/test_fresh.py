"""A fresh process rebuilds a cell from its name, and says what went wrong where it cannot."""
# the expected value stands on the left

import subprocess
from pathlib import Path

import pytest
import tiny
from suite.measure.fresh import FreshProcessError, Workers

from suite.measure.speed import Budget
from suite.records import Cell

SHORT = Budget(batch=0.05, single=0.05, latency=0.02, training=0.05)
CELL = Cell(workload="from_a_file", technique="channels_last", device="cpu")
USER_FILE = f"""
import sys

sys.path.append({str(Path(tiny.__file__).parent)!r})
import tiny
from suite import workload

@workload(target=0.9, batch={{"cpu": 16}})
def from_a_file(seed):
    '''The tiny workload, as a user would declare it.'''
    return tiny.recipe(seed)
"""


@pytest.fixture(scope="module")
def pair():
    return tiny.fitted(), tiny.fitted(layout="channels_last")


def speed(workers, pair, training):
    return workers.speed(CELL, *pair, batch=16, training=training, budget=SHORT, processes=1)


def test_a_worker_measures_a_cell_that_a_users_file_declares(tmp_path, pair):
    """The cell travels as its name, the file to load and the trained weights; timings come back as measurements."""
    path = tmp_path / "mine.py"
    path.write_text(USER_FILE, "utf-8")
    with Workers(load=[str(path)]) as workers:
        (found,) = speed(workers, pair, training=True)
    assert {
        "speedup",
        "speedup_b1",
        "speedup_vs_channels_last",
        "throughput",
        "latency_p50",
        "latency_p99",
        "train_step_speedup",
    } == set(found)
    assert {CELL} == {one.cell for one in found.values()}
    assert all(one.value > 0 for one in found.values())


def dying(code, stderr):
    return lambda *_args, **_more: subprocess.CompletedProcess([], code, stdout="", stderr=stderr)


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("Traceback\n  somewhere\nRuntimeError: it broke\n\n", "RuntimeError: it broke"),
        ("", "it printed nothing"),
    ],
)
@pytest.mark.parametrize("code", [1, -9, 0])
def test_a_worker_without_an_answer_is_named_with_its_cell_and_last_line(monkeypatch, pair, code, stderr, expected):
    """Killed, failed, or gone without a word."""
    monkeypatch.setattr(subprocess, "run", dying(code, stderr))
    with Workers() as workers, pytest.raises(FreshProcessError) as error:
        speed(workers, pair, training=False)
    assert f"a fresh process for {CELL} ended with {code}: {expected}" == str(error.value)


def test_a_worker_that_hangs_is_an_error_that_names_the_cell(monkeypatch, pair):
    """A hung compiler ends one cell and not the run with a traceback."""

    def hang(*args, timeout, **_more):
        raise subprocess.TimeoutExpired(args[0], timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with Workers() as workers, pytest.raises(FreshProcessError, match=r"from_a_file-channels_last-cpu.*1800"):
        speed(workers, pair, training=False)


def test_the_folder_of_the_workers_goes_when_they_do(pair, monkeypatch):
    """Weights and requests lie there only while it is open, after an error too."""
    monkeypatch.setattr(subprocess, "run", dying(1, ""))
    workers = Workers()
    folder = Path(workers._folder.name)
    with workers, pytest.raises(FreshProcessError):
        speed(workers, pair, training=False)
    assert not folder.exists()
