"""A second run takes the first one's trainings and says so; minutes and history are those of real runs."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.system

OF_ONE = ("--workload=tiny", "--technique=baseline", "--technique=doubled")


@pytest.fixture(scope="module")
def twice(lab_text, tmp_path_factory, bench, calm):
    """A user's repository after two runs with --reuse, and what they said."""
    folder = tmp_path_factory.mktemp("twice")
    (folder / "lab.py").write_text(lab_text, "utf-8")
    return folder, [bench(*OF_ONE, *calm, "--reuse", "--expect=report", cwd=folder) for _ in range(2)]


def test_the_second_run_trains_nothing_and_says_so(twice):
    """No line of training; the summary tells what was reused and what was therefore not measured."""
    _, (first, second) = twice
    assert (0, 0) == (first.returncode, second.returncode), second.stdout + second.stderr
    assert "training tiny baseline: seed 0" in first.stdout
    assert "training tiny" not in second.stdout
    assert re.search(r"reused: \d+ metrics of quality and size in 2 cells", second.stdout)
    assert "reused:" not in first.stdout


def test_its_figures_are_the_first_runs_but_for_what_training_costs(twice, records):
    """Accuracy and counts agree to the last digit; seconds of training are not there."""
    folder, _ = twice
    first, second = (
        {(m["cell"]["technique"], m["metric"]): m for m in records(path, "measurement")}
        for path in sorted(path for path in folder.glob("reports/2*/results.jsonl"))
    )
    costs = {key for key in first if key[1] in ("train_seconds", "time_to_target")}
    assert set(first) - costs == set(second)
    assert costs
    assert {key: found["value"] for key, found in first.items() if key not in costs} == {
        key: found["value"] for key, found in second.items()
    }
    assert {True} == {found["reused"] for found in second.values()}
    assert {False} == {found["reused"] for found in first.values()}


def test_the_second_run_knows_how_long_it_takes(twice):
    """The first one guesses and says so; the second goes by the first."""
    _, (first, second) = twice
    assert re.search(r"2 cells: about \d.* \(a guess", first.stdout)
    assert re.search(r"2 cells: about \d+ s by the run of \d{4}-\d\d-\d\d", second.stdout)


def test_what_lies_in_the_cache_serves_no_other_code(twice, lab_text, bench, calm, tmp_path):
    """One more line in the user's file, and everything is trained again."""
    folder, _ = twice
    (tmp_path / "lab.py").write_text(lab_text + "\nCHANGED = True\n", "utf-8")
    cache = f"--cache-dir={folder / 'reports' / 'cache'}"
    done = bench(*OF_ONE, *calm, "--reuse", cache, "--expect=report", cwd=tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "training tiny doubled(factor=2): seed 0" in done.stdout
    assert "reused:" not in done.stdout


def test_few_minutes_leave_cells_out_by_name_and_make_the_gate_partial(lab, bench):
    """By a guess both cells take a quarter of a minute: one fits into a fifth, the baseline first."""
    groups = ("--partial", "-k", "quality or size or memory")
    done = bench(*OF_ONE, *groups, "--max-minutes=0.2", cwd=lab)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "1 cell: about 7 s (a guess" in done.stdout
    left = "1 of 2 cells is left out, so the run is partial: tiny-doubled(factor=2)-cpu (about 7 s by a guess)"
    assert 2 == done.stdout.count(left)
    assert "3 passed, 5 deselected" in done.stdout
    assert "to measure the rest, add --resume reports/" in done.stdout


def test_recording_takes_neither(lab, bench):
    """What is recorded is trained, and whole."""
    for option in ("--reuse", "--max-minutes=5"):
        done = bench(*OF_ONE, option, "--expect=record", cwd=lab)
        assert 11 == done.returncode
        assert f"drop {option.partition('=')[0]}" in done.stdout + done.stderr
    assert not (lab / "expectations").exists()
