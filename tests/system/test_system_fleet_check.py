"""Runs of a made-up fleet, merged and checked by the real commands: counts, not times."""
# the expected value stands on the left

import csv

import pytest
from fleet_samples import UNEXPECTED, Fleet, made_up

pytestmark = pytest.mark.system

TECHNIQUES = made_up(2)  # of three a sweep would be judged, too


def test_a_fleet_is_merged_and_checked_machine_by_machine(suite, tmp_path):
    """Forty machines; each becomes a run of its own, judged by the bounds of its family."""
    fleet = Fleet(folder=tmp_path / "parts", expectations=tmp_path / "expectations", machines=40, techniques=TECHNIQUES)
    parts = fleet.make()
    done = suite("merge", *map(str, parts), "--out", "merged", "--no-tables", cwd=tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert fleet.machines == done.stdout.count("1 parts of cpu-x86_64-made-")
    done = suite("check", "merged", "--csv", "verdicts.csv", cwd=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    unverified, lost = fleet.machines * len(TECHNIQUES) * len(UNEXPECTED), len(fleet.lossy)
    assert f"40 runs, {lost} of them no pass; {fleet.rows} verdicts:" in done.stdout
    assert f"{fleet.rows - unverified - lost} pass, {unverified} unverified, {lost} regressed" in done.stdout
    rows = list(csv.DictReader((tmp_path / "verdicts.csv").read_text("utf-8").splitlines()))
    regressed = {row["machine"] for row in rows if row["verdict"] == "regressed"}
    assert {f"cpu-x86_64-made-{number:04}-2c" for number in fleet.lossy} == regressed
