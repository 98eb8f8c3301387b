"""``suite claims judge``: another machine's claims, from the results that it left."""
# the expected value stands on the left

import json
from dataclasses import replace

import pytest
from claim_samples import measured

from suite.claims.store import JudgedLedger
from suite.cli.main import main
from suite.core.machine.hardware import machine_key
from suite.core.records import RunHeader, Where
from suite.report.results.folder import RunFolder

LEDGER = """
[FAST]
kind = "empirical"
source = "ours"
statement = "It is twice as fast."
holds = "speedup(ours) >= 2"
cells = { ours = "digits_cnn/channels_last" }
expected = { "other-2c" = "holds" }

[SUM]
kind = "mathematics"
source = "ours"
statement = "Two and two is four."
holds = "amdahl(0.5) == 2"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "ours.toml").write_text(LEDGER, "utf-8")
    main(["claims", "lock", "--ledger=claims"])
    return tmp_path


def left(folder, machine="other-2c", **told):
    """A results folder with one cell: when its run ``started``, its ``name``, the ``value`` of a ``metric``."""
    where = Where(machine=machine, family="cpu-x86_64-avx2", device="cpu", threads=1, versions={"torch": "2.9"})
    header = RunHeader(
        run=told.get("name", "left"), started=told.get("started", "2999-01-01T00:00:00+00:00"), command="suite bench",
        commit="abc", where=where, seeds=(0,), profile="quick", quiet=True,
    )  # fmt: skip
    made, value = RunFolder.create(folder / "runs", header), told.get("value", 2.5)
    one = measured(value, value - 0.1, value + 0.1, technique="channels_last")
    made.append(replace(one, metric=told.get("metric", "speedup"), cell=replace(one.cell, workload="digits_cnn")))
    return str(made.path)


def judge(*arguments):
    return main(["claims", "judge", *arguments, "--ledger=claims"])


def test_another_machines_results_are_judged_under_its_own_name(folder, capsys):
    """With its family's features; what is computed is left out."""
    assert 0 == judge(left(folder))
    said = capsys.readouterr().out
    assert "claims: 1 holds" in said
    assert "1 claims without cells are left out" in said
    kept = JudgedLedger.read(folder / "reports" / "claims" / "other-2c")
    assert ("other-2c", "cpu-x86_64-avx2", ("avx2",), "abc", False) == (
        kept.machine, kept.family, kept.features, kept.commit, kept.hindsight
    )  # fmt: skip
    assert ["FAST"] == [one.name for one in kept.findings]
    assert "| FAST" in (folder / "reports" / "claims" / "other-2c" / "claims.md").read_text("utf-8")


def test_a_verdict_that_is_not_the_expected_one_fails(folder):
    """As it does on this machine."""
    assert 1 == judge(left(folder, value=1.5))


def test_a_run_that_is_older_than_the_lock_is_judged_in_hindsight(folder, capsys):
    """And says so, in the file and on the page; a claim that was amended since is not judged."""
    old = left(folder, started="2000-01-01T00:00:00+00:00")
    assert 0 == judge(old, "--out=found")
    assert "The claims were locked later: judged in hindsight." in capsys.readouterr().out
    assert json.loads((folder / "found" / "claims.json").read_text("utf-8"))["hindsight"] is True
    own = left(folder, machine=machine_key("cpu"), started="2000-01-01T00:00:00+00:00", name="own")
    assert 1 == main(["claims", "run", f"--results={own}", "--ledger=claims"])
    capsys.readouterr()
    ledger = folder / "claims" / "ours.toml"
    ledger.write_text(LEDGER.replace(">= 2", ">= 2.2"), "utf-8")
    main(["claims", "lock", "FAST", "--ledger=claims"])
    assert 1 == judge(old, "--out=found")
    assert "was edited on" in capsys.readouterr().out


def test_results_of_an_earlier_version_are_told(folder, capsys):
    """A metric under its old name is read under today's; what is none today decides nothing."""
    assert 0 == judge(left(folder, metric="speedup_b64"))
    assert "older results: speedup_b64 is called speedup now" in capsys.readouterr().out
    assert 12 == judge(left(folder, metric="pace"), "--out=older")
    assert "older results: pace is no metric of this version" in capsys.readouterr().out


def test_a_folder_of_two_machines_or_over_anothers_claims_is_refused(folder, capsys):
    """No machine's timings come under another's name."""
    first, second = left(folder), left(folder, machine="third-2c")
    assert 11 == judge(first, second)
    assert "the results are of 2 machines" in capsys.readouterr().err
    assert 0 == judge(first, "--out=found")
    assert 11 == judge(second, "--out=found")
    assert "holds the claims of another machine" in capsys.readouterr().err
    assert 11 == main(["claims", "run", f"--results={first}", "--ledger=claims"])
    assert "judge them by `suite claims judge`" in capsys.readouterr().err.replace("\n", " ")


def test_a_ledger_that_holds_more_claims_is_not_written_over(folder, capsys):
    """This machine's own, with what is computed."""
    own = left(folder, machine=machine_key("cpu"))
    kept = folder / "reports" / "claims" / machine_key("cpu")
    main(["claims", "run", f"--results={own}", "--ledger=claims", f"--out={kept}"])
    before = (kept / "claims.json").read_bytes()
    capsys.readouterr()
    assert 11 == judge(own)
    said = " ".join(capsys.readouterr().err.split())
    assert "SUM is a claim of" in said
    assert "that this judgement lacks or did not test: it would be lost" in said
    assert "--out" in said
    assert before == (kept / "claims.json").read_bytes()
    judge(own, "--out=found")
    assert (folder / "found" / "claims.json").exists()


def test_lines_that_cannot_be_read_are_told_with_their_place(folder, capsys):
    """Results of a version that is not understood."""
    path = left(folder)
    (folder / "runs" / "left" / "results.jsonl").write_text('{"type": "heading"}\n', "utf-8")
    assert 11 == judge(path)
    assert "results.jsonl:1: not a record of this version" in capsys.readouterr().err.replace("\n", " ")
