"""``suite claims audit``: which cells it times, and what a user reads; nothing is trained or timed."""
# the expected value stands on the left

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
from claim_samples import claim, claims

from suite.claims.measuring import timed
from suite.cli.claims_audit import code, told
from suite.cli.main import main
from suite.core.errors import SuiteError
from suite.core.machine import child, core, quiet
from suite.measure.integrity import fresh_inputs as module
from suite.measure.integrity.fresh_inputs import FreshInputs
from suite.measure.sampler.samples import Ratio

LEDGER = """
[FAST]
kind = "empirical"
source = "ours"
statement = "It is faster."
holds = "speedup(ours) > 1"
cells = { ours = "digits_cnn/channels_last" }

[SMALL]
kind = "empirical"
source = "ours"
statement = "It is smaller."
holds = "parameters(ours) < 1000"
cells = { ours = "digits_cnn/narrow(width=0.5)" }
"""


def fresh(value, low, high, suspect=None):
    return FreshInputs(ratio=Ratio(value=value, low=low, high=high, n=50, confidence=0.99), suspect=suspect)


def test_cells_whose_speed_a_claim_asks_for_are_timed():
    """Each once, with all claims on it; counts, scores and training steps are not."""
    parts = '{ a = "speedup(ours) > 1 and train_step_speedup(other) > 1", b = "throughput(ours) * 2 > 1" }'
    assert {("w/fast", None): ["A-1"]} == timed([claim(parts)])
    assert {} == timed([claim('"parameters(ours) < accuracy(other)"')])
    sweep = claims("""
[B]
kind = "empirical"
source = "ours"
statement = "It gets faster."
holds = 'rises(speedup_b1(all)) and amdahl(0.5) > 1'
cells = { all = ["w/fast", "w/slow"] }
""")
    assert {("w/fast", None): ["A-1"], ("w/fast", 1): ["B"], ("w/slow", 1): ["B"]} == timed([claim(), *sweep])
    assert {("w/fast", 1): ["A-1"]} == timed([claim('"latency_p50(ours) + latency_p99(ours) < 1"')])


def test_a_line_says_the_ratio_its_interval_and_what_is_doubtful():
    """And the exit code follows."""
    assert "alike, fresh inputs take 1.002 [0.998, 1.006] times as long as inputs that come again" == told(
        fresh(1.002, 0.998, 1.006)
    )
    assert told(fresh(9.0, 8.0, 10.0)).startswith("apart, fresh inputs take 9 [8, 10]")
    copied = Ratio(value=9.0, low=8.0, high=10.0, n=50, confidence=0.99)
    learnt = Ratio(value=1.02, low=1.01, high=1.03, n=50, confidence=0.99)
    assert told(replace(fresh(1.0, 1.0, 1.0), learnt=learnt, copied=copied)) == (
        "apart, fresh inputs take 1 [1, 1] times as long as inputs that come again, 1.02 [1.01, 1.03] times as long as "
        "copies of one batch; those that come again 9 [8, 10] times as long as one tensor"
    )
    doubtful = fresh(1.0, None, None, "the core was taken")
    assert "open, fresh inputs take 1 times as long as inputs that come again; the core was taken" == told(doubtful)
    assert [0, 1, 10] == [code(one) for one in (fresh(1.0, 0.99, 1.01), fresh(9.0, 8.0, 10.0), doubtful)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "ours.toml").write_text(LEDGER, "utf-8")
    return tmp_path


@pytest.fixture
def played(monkeypatch):
    """The command in this process, with fakes in the places of the training and of the clock."""
    asked = []

    def get(_, workload, composition, seed):
        asked.append((workload.name, composition.name, seed))
        if composition.name == "narrow(width=0.5)":
            raise SuiteError("it cannot be had here")
        return SimpleNamespace()

    monkeypatch.setattr(quiet, "is_quiet", lambda _: (True, ""))
    monkeypatch.setattr(quiet, "pin", lambda: None)
    monkeypatch.setattr(quiet, "apply_threads", lambda: None)
    monkeypatch.setattr("suite.bench.trained_store.TrainedStore.get", get)
    monkeypatch.setattr(module, "fresh_inputs", lambda *_, **__: fresh(1.0, 0.99, 1.01))
    return asked


@pytest.mark.usefixtures("folder")
def test_the_networks_of_a_ledger_are_trained_and_timed(played, capsys):
    """One seed of each."""
    assert 0 == main(["claims", "audit", "--ledger=claims"])
    assert [("digits_cnn", "channels_last", 0)] == played
    assert (
        "digits_cnn/channels_last, batch 64: alike, fresh inputs take 1 [0.99, 1.01] times as long"
        in capsys.readouterr().out
    )


def test_a_cell_is_timed_at_the_batches_that_its_claims_use(folder, played, monkeypatch, capsys):
    """Of the serving batch and of one item; a core that is shared decides nothing."""
    batches = []

    def timing(*_, batch, **__):
        batches.append(batch)
        return fresh(1.0, 0.99, 1.01)

    monkeypatch.setattr(module, "fresh_inputs", timing)
    ledger = folder / "claims" / "ours.toml"
    ledger.write_text(LEDGER.replace("speedup(ours) > 1", "speedup(ours) > 1 and speedup_b1(ours) > 1"), "utf-8")
    assert 0 == main(["claims", "audit", "--ledger=claims"])
    assert [64, 1] == batches
    assert 2 == len(played)
    answers = iter([(True, ""), *2 * [(False, "another run holds core 3")]])
    monkeypatch.setattr(quiet, "is_quiet", lambda _: next(answers))
    capsys.readouterr()
    assert 10 == main(["claims", "audit", "--ledger=claims"])
    said = capsys.readouterr().out
    assert "digits_cnn/channels_last, batch 1: open, fresh" in said
    assert "come again; another run holds core 3 (FAST)" in said


@pytest.mark.usefixtures("played")
def test_the_worst_cell_gives_the_exit_code(folder, monkeypatch, capsys):
    """A cell that cannot be had is told; a cache fails."""
    ledger = folder / "claims" / "ours.toml"
    ledger.write_text(LEDGER.replace("parameters(ours) < 1000", "speedup(ours) > 1"), "utf-8")
    assert 12 == main(["claims", "audit", "--ledger=claims"])
    assert "digits_cnn/narrow(width=0.5): not audited: it cannot be had here" in capsys.readouterr().out
    monkeypatch.setattr(module, "fresh_inputs", lambda *_, **__: fresh(9.0, 8.0, 10.0))
    assert 1 == main(["claims", "audit", "--ledger=claims"])


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_audited_is_refused(capsys):
    """No seconds; no claim on speed."""
    assert 11 == main(["claims", "audit", "--ledger=claims", "--seconds=0"])
    assert "--seconds must be above 0, got 0" in capsys.readouterr().err
    assert 11 == main(["claims", "audit", "SMALL", "--ledger=claims"])
    assert "no claim rests on how fast a network is served" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_process_that_is_not_quiet_starts_one_that_is(monkeypatch):
    """With the same arguments; a core that is shared, which would keep it from being quiet, is not passed on."""
    started, before = [], os.environ.get("OMP_NUM_THREADS")
    for name in (core.CORE, core.TAKEN, core.ALLOWED):
        monkeypatch.setenv(name, "3")
    monkeypatch.setattr(quiet, "is_quiet", lambda _: (False, "it is not"))
    monkeypatch.setattr("sys.argv", ["suite", "claims", "audit", "--ledger=claims"])

    def run(command, *, env, check):
        assert set() == {core.CORE, core.TAKEN, core.ALLOWED} & env.keys()
        started.append((command[-3:], env["OMP_NUM_THREADS"], check))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(child.subprocess, "run", run)
    assert 7 == main(["claims", "audit", "--ledger=claims"])
    assert [(["claims", "audit", "--ledger=claims"], "1", False)] == started
    assert before == os.environ.get("OMP_NUM_THREADS")
