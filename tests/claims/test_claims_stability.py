"""``suite claims stability``: what a user reads, on a results folder with raw samples."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
from claim_samples import measured

from suite.cli.claims_stability import reader
from suite.cli.main import main
from suite.core.machine.hardware import where
from suite.core.records import RunHeader
from suite.report.results.folder import RunFolder

LEDGER = """
[FAST]
kind = "empirical"
source = "ours"
statement = "It is faster."
holds = "speedup(ours) > {limit}"
cells = {{ ours = "digits_cnn/channels_last" }}
"""
RAW = {"seconds_baseline": np.linspace(2.0, 2.2, 40), "seconds_technique": np.ones(40)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims").mkdir()
    return tmp_path


def ledger(folder, limit):
    (folder / "claims" / "ours.toml").write_text(LEDGER.format(limit=limit), "utf-8")
    main(["claims", "lock", "FAST", "--ledger=claims"])


def left(folder):
    header = RunHeader(
        run="left", started="2999-01-01T00:00:00+00:00", command="suite bench", commit="abc", where=where("cpu"),
        seeds=(0,), profile="quick", quiet=True,
    )  # fmt: skip
    made = RunFolder.create(folder / "runs", header)
    one = measured(2.1, 2.06, 2.14, technique="channels_last", control="baseline")
    one = replace(one, cell=replace(one.cell, workload="digits_cnn"))
    made.append(replace(one, samples=made.keep_samples(one.cell, "inference", RAW)))
    return made


def test_a_ledger_that_another_run_would_judge_alike_passes(folder, capsys):
    """The share that changes is told."""
    ledger(folder, limit=1.5)
    assert 0 == main(["claims", "stability", str(left(folder).path), "--ledger=claims"])
    assert (
        "20 judgements of resampled figures change 0 % of 1 decided verdicts, 0 % of the 1 measured ones; 0 times to "
        "another decided one" in capsys.readouterr().out
    )


def test_a_verdict_at_its_limit_fails(folder, capsys):
    """It is named, with what it became."""
    ledger(folder, limit=2.059)
    assert 1 == main(["claims", "stability", str(left(folder).path), "--ledger=claims", "--draws=40"])
    assert "FAST                     holds; in 40 draws undecided " in capsys.readouterr().out


def test_a_folder_that_decides_nothing_is_no_success(folder, capsys):
    """Nor are no draws."""
    ledger(folder, limit=2.1)
    path = str(left(folder).path)
    assert 12 == main(["claims", "stability", path, "--ledger=claims"])
    assert 11 == main(["claims", "stability", path, "--ledger=claims", "--draws=0"])
    assert "--draws must be at least 1, got 0" in capsys.readouterr().err


def test_raw_samples_are_read_from_the_run_that_has_them(folder):
    """Of what has none there are none."""
    run = left(folder)
    (one,) = run.measurements()
    read = reader([run])
    assert RAW["seconds_baseline"].tolist() == read(one)["seconds_baseline"].tolist()
    assert None is read(replace(one, samples="lost"))
    assert None is read(replace(one, samples=None))
