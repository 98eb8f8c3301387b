"""The noise that a study found, kept with the stored expectations."""
# the expected value stands on the left

import argparse
from dataclasses import replace

import pytest
import tiny

from suite.analysis.aa import stored
from suite.cli.aa import _store
from suite.core.machine.hardware import machine_key
from suite.core.metrics import measured
from suite.gate import load_all

ENTRY = """schema = 1

[origin]
date = 2026-11-20
machine = "{machine}"
threads = 1

["baseline".speedup]
value = 1.0
low = 0.99
unit = "1"
better = "higher"
tier = "family"
processes = 5
noise = 0.001
"""


def speedup(value, **details):
    return {
        "speedup": measured(
            tiny.BASELINE_CELL,
            "speedup",
            value,
            low=value - 0.003,
            high=value + 0.003,
            confidence=0.99,
            n=50,
            **details,
        ),
        "throughput": measured(tiny.BASELINE_CELL, "throughput", 5.0),
    }


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "expectations" / machine_key("cpu") / "halves.toml"
    path.parent.mkdir(parents=True)
    path.write_text(ENTRY.format(machine=machine_key("cpu")), "utf-8")
    return tmp_path / "expectations"


def test_ratios_are_means_over_processes_with_their_spread():
    """Of times that are no ratios nothing is known; a process that was disturbed does not count."""
    (found,) = stored.ratios([*(speedup(value) for value in (1.0, 1.01, 0.99, 1.0)), speedup(0.2, suspect="preempted")])
    assert ("speedup", 4, pytest.approx(1.0, abs=1e-4), pytest.approx(0.00816, abs=1e-4)) == (
        found.metric, found.processes, found.value, found.noise,
    )  # fmt: skip
    assert [] == stored.ratios([speedup(1.0), speedup(1.01), speedup(1.0)])


def test_more_noise_widens_the_stored_bound(directory, monkeypatch, tmp_path, capsys):
    """0.8 % between processes and 0.1 % before: the bound stands four times their root mean square away."""
    monkeypatch.chdir(tmp_path)
    found = [[speedup(value) for value in (1.0, 1.01, 0.99, 1.0)]]
    _store(found, argparse.Namespace(expect_dir=directory, processes=4), tmp_path / "aa-run", {"halves": "d1"})
    assert "1 entries know this run's noise" in capsys.readouterr().out
    (entry,) = load_all(directory)
    assert (pytest.approx(0.00582, abs=1e-4), 2) == (entry.noise, len(entry.seen))  # of 0.001 and 0.00816
    assert 1 - 8 * 0.00582 < entry.low < 1 - 4 * 0.00582
    assert "d1" == entry.origin.data_digest


def test_less_noise_sharpens_nothing(directory, tmp_path, monkeypatch):
    """Processes of one hour know nothing of the next one."""
    monkeypatch.chdir(tmp_path)
    _store(
        [[speedup(1.0)] * 4],
        argparse.Namespace(expect_dir=directory, processes=4),
        tmp_path / "aa-run",
        {"halves": "d1"},
    )
    (entry,) = load_all(directory)
    assert 0.001 == entry.noise
    assert entry.low <= 0.99


def test_a_cell_without_an_entry_is_said_and_not_stored(directory, tmp_path, monkeypatch, capsys):
    """It has to be recorded first."""
    monkeypatch.chdir(tmp_path)
    other = replace(tiny.BASELINE_CELL, workload="doubles")
    found = [[{"speedup": replace(speedup(value)["speedup"], cell=other)} for value in (1.0, 1.01, 0.99, 1.0)]]
    _store(found, argparse.Namespace(expect_dir=directory, processes=4), tmp_path / "aa-run", {"halves": "d1"})
    said = capsys.readouterr().out
    assert "record it with several processes first" in said
    assert "0 entries know this run's noise" in said


def test_nothing_is_stored_of_processes_that_none_trusts(directory, tmp_path, capsys):
    """All were disturbed."""
    found = [[speedup(1.0, suspect="preempted")] * 5]
    _store(found, argparse.Namespace(expect_dir=directory, processes=5), tmp_path, {})
    assert "nothing to store" in capsys.readouterr().out
