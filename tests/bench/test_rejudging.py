"""Finished runs judged by the expectations that are stored now, each by those of its own machine."""
# the expected value stands on the left

import csv
from dataclasses import replace

import pytest
from fleet_samples import UNEXPECTED, VALUES, Fleet, made_up
from samples import header, measured

from suite.bench.rejudging import run_folders
from suite.cli.main import main
from suite.core.records import GroupEnd, RunEnd, Verdict, VerdictKind
from suite.report.results.folder import RunFolder

MACHINES, TECHNIQUES = 8, made_up(2)


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(
        folder=tmp_path / "runs", expectations=tmp_path / "expectations", machines=MACHINES, techniques=TECHNIQUES
    )
    made.make()
    return made


def check(fleet, *more, folders=None):
    return main([
        "check", *map(str, folders or [fleet.folder]), "--expect-dir", str(fleet.expectations), *more
    ])  # fmt: skip


def test_each_run_is_judged_by_the_expectations_of_its_machine(fleet, capsys):
    """Two machines have lost half of a speed-up; what nobody expects is unverified."""
    assert 1 == check(fleet)
    said = capsys.readouterr().out
    unverified = MACHINES * len(TECHNIQUES) * len(UNEXPECTED)
    assert f"8 runs, 2 of them no pass; {fleet.rows} verdicts:" in said
    assert f"{fleet.rows - unverified - 2} pass, {unverified} unverified, 2 regressed" in said
    assert [0, 7] == fleet.lossy
    assert "made-0007 (cpu-x86_64-made-0007-2c): exit code 1" in said
    assert f"REGRESSED digits_cnn-{TECHNIQUES[0]}-cpu speedup: 2 -> 1 [0.999, 1.001], -50.0 %, bound 1.8" in said


def test_every_verdict_that_is_no_pass_is_in_the_csv_file(fleet, tmp_path):
    check(fleet, "--csv", str(tmp_path / "verdicts.csv"))
    rows = list(csv.DictReader((tmp_path / "verdicts.csv").read_text("utf-8").splitlines()))
    lost = [row for row in rows if row["verdict"] == "regressed"]
    assert MACHINES * len(TECHNIQUES) * len(UNEXPECTED) + 2 == len(rows)
    assert [("cpu-x86_64-made-0000-2c", "speedup", "below"), ("cpu-x86_64-made-0007-2c", "speedup", "below")] == [
        (row["machine"], row["metric"], row["code"]) for row in lost
    ]


def test_runs_without_a_loss_pass_and_policies_are_those_of_a_bench(fleet):
    sound = [fleet.folder / "made-0001", fleet.folder / "made-0002"]
    assert 0 == check(fleet, folders=sound)
    assert 1 == check(fleet, "--unverified=fail", folders=sound)
    assert 0 == check(fleet, "--gate-tier=exact")


def test_the_verdicts_that_a_run_was_given_do_not_count(fleet):
    """Only what is stored now does."""
    folder = RunFolder.open(fleet.folder / "made-0001")
    one = folder.measurements()[0]
    last = next(record for record in folder.records() if isinstance(record, RunEnd))
    folder.append(
        Verdict(kind=VerdictKind.REGRESSED, cell=one.cell, metric=one.metric, group=one.group, measurement=one),
        replace(last, digest=""),
    )
    assert 0 == check(fleet, folders=[folder.path])


def test_an_expected_metric_that_a_finished_group_lacks_is_missing(fleet, tmp_path, capsys):
    folder = RunFolder.create(tmp_path / "short", header(profile="quick", groups=1))
    one = measured(TECHNIQUES[0], "accuracy", 0.99)
    folder.append(one, GroupEnd(cell=one.cell, group="size", metrics=0))
    folder.end(RunEnd(groups=1, done=1, whole=True, code=0))
    assert 1 == check(fleet, folders=[folder.path])
    assert f"MISSING digits_cnn-{TECHNIQUES[0]}-cpu artefact_bytes" in capsys.readouterr().out


def test_a_run_that_was_cut_is_no_pass(fleet, tmp_path, capsys):
    folder = RunFolder.create(tmp_path / "cut", header(profile="quick", groups=4))
    folder.append(measured(TECHNIQUES[0], "accuracy", 0.99))
    assert 12 == check(fleet, folders=[folder.path])
    assert "unfinished: 0 of 4 groups" in capsys.readouterr().out


def test_timings_of_a_run_with_biased_null_arms_are_inconclusive(fleet, tmp_path, capsys):
    where = replace(header().where, machine="cpu-x86_64-made-0000-2c", family="cpu-x86_64-made0")
    folder = RunFolder.create(tmp_path / "biased", header(profile="quick", where=where))
    folder.append(*(
        measured(name, metric, 1.0, low=0.999, high=1.001, null=1.05, samples=f"{name}-{metric}")
        for name in TECHNIQUES for metric in ("speedup", "speedup_b1")
    ))  # fmt: skip
    folder.append(*(
        measured(f"magnitude_pruning(sparsity=0.{number},epochs=3)", "speedup", 1.0, low=0.9, high=1.1, null=1.05,
                 samples=str(number))
        for number in range(1, 9)
    ))  # fmt: skip
    check(fleet, "--csv", str(tmp_path / "verdicts.csv"), folders=[folder.path])
    assert "null arms are biased" in (tmp_path / "verdicts.csv").read_text("utf-8")
    assert "REGRESSED" not in capsys.readouterr().out


def test_folders_are_found_once_and_a_folder_without_runs_is_refused(fleet, tmp_path, capsys):
    first = fleet.folder / "made-0000"
    assert MACHINES == len(run_folders([fleet.folder, first, first / "results.jsonl"]))
    (tmp_path / "empty").mkdir()
    assert 11 == check(fleet, folders=[tmp_path / "empty"])
    assert "no run in" in capsys.readouterr().err


def test_a_fleet_lists_some_runs_and_counts_the_rest(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("suite.cli.check.MOST_RUNS", 1)
    made = Fleet(folder=tmp_path / "runs", expectations=tmp_path / "exp", machines=8, techniques=TECHNIQUES[:1])
    made.make()
    check(made)
    said = capsys.readouterr().out
    assert "made-0000" in said
    assert "made-0007" not in said
    assert "and 1 more runs that are no pass" in said
    assert len(VALUES) == made.rows / MACHINES
