"""``suite claims``: what a user types, on a small ledger of his own; nothing is measured."""
# the expected value stands on the left

import json

import pytest

from suite.cli.main import main

LEDGER = """
[SUM]
kind = "mathematics"
source = "ours"
statement = "The curve's slope at 20 is 0.03."
holds = "round(gompertz_slope(20), 2) == 0.03"
said = 0.03
measured = "gompertz_slope(20)"
expected = "holds"

[WRONG]
kind = "mathematics"
source = "ours"
statement = "It is 0.02."
holds = "round(gompertz_slope(20), 2) == 0.02"
expected = "refuted"
counterexample = "print(0.03)"

[FAST]
kind = "empirical"
source = "ours"
statement = "Half of the width is faster."
holds = "speedup(half) > 1"
cells = { half = "digits_cnn/narrow(width=0.5)" }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "ours.toml").write_text(LEDGER, "utf-8")
    return tmp_path


def claims(*arguments):
    given = [*arguments, "--ledger=claims"] if arguments[0] != "init" else arguments
    return main(["claims", *given])


def test_a_ledger_is_locked_judged_and_written(folder, capsys):
    """Exit code 0; a table, three files."""
    assert 0 == claims("lock")
    assert 0 == claims("run", "--quick", "--out=found")
    said = capsys.readouterr().out
    assert "claims: 1 refuted, 1 holds, 1 not testable here" in said
    assert "speedup of digits_cnn/narrow(width=0.5) was not measured" in said
    kept = json.loads((folder / "found" / "claims.json").read_text("utf-8"))
    assert ["holds", "refuted", "not testable here"] == [one["standing"] for one in kept["findings"]]
    assert "SUM,holds,holds" in (folder / "found" / "claims.csv").read_text("utf-8")
    assert "| WRONG" in (folder / "found" / "claims.md").read_text("utf-8")
    assert (folder / "found" / "comment.md").read_text("utf-8").startswith("<!-- suite claims -->\n### suite claims: ")


def test_what_is_not_locked_or_was_edited_fails(folder, capsys):
    """Until it is locked again by name."""
    assert 1 == claims("run", "--quick", "SUM")
    assert "is not locked: `suite claims lock SUM`" in capsys.readouterr().out
    claims("lock")
    ledger = folder / "claims" / "ours.toml"
    ledger.write_text(LEDGER.replace("slope(20), 2) == 0.02", "slope(20), 1) == 0.02"), "utf-8")
    assert 1 == claims("run", "--quick", "WRONG")
    assert 0 == claims("lock")
    assert "WRONG was edited since it was locked; `suite claims lock WRONG` accepts it" in capsys.readouterr().out
    assert 0 == claims("lock", "WRONG")
    assert 0 == claims("run", "--quick", "WRONG")


def test_a_standing_that_changed_fails(folder, capsys):
    """What was expected is said."""
    ledger = folder / "claims" / "ours.toml"
    ledger.write_text(LEDGER.replace('expected = "refuted"', 'expected = "holds"'), "utf-8")
    claims("lock")
    assert 1 == claims("run", "--quick")
    assert "! WRONG" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_run_of_which_nothing_was_judged_is_no_success():
    """Exit code 12."""
    claims("lock")
    assert 12 == claims("run", "--quick", "FAST", "--out=found")


@pytest.mark.usefixtures("folder")
def test_one_claim_is_shown_with_its_evidence(capfd):
    """Its counter-example runs on demand."""
    claims("lock")
    assert 0 == claims("show", "SUM")
    said = capfd.readouterr().out
    assert "figure: 0.029929066136, the source says 0.03" in said
    assert "entry: claims/ours.toml:2" in said
    assert 0 == claims("show", "WRONG", "--counterexample")
    assert "0.03\n" in capfd.readouterr().out
    assert 11 == claims("show", "SUM", "--counterexample")


@pytest.mark.usefixtures("folder")
def test_claims_are_listed(capsys):
    """With kind and source."""
    assert 0 == claims("list")
    assert 3 == len(capsys.readouterr().out.splitlines())


@pytest.mark.usefixtures("folder")
def test_an_unknown_claim_is_told_with_the_nearest(capsys):
    """Exit code 11."""
    assert 11 == claims("run", "--quick", "WRONGG")
    assert "unknown claim 'WRONGG'; did you mean WRONG?" in capsys.readouterr().err


def test_a_repository_without_claims_is_told_the_command(tmp_path, monkeypatch, capsys):
    """Exit code 11."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "expectations").mkdir()
    assert 11 == main(["claims", "list", f"--ledger={tmp_path / 'expectations'}"])
    assert "suite claims init" in capsys.readouterr().err


def test_ledgers_of_two_machines_are_merged(folder, capsys):
    """What only one decided is no comparison."""
    claims("lock")
    claims("run", "--quick", "--out=a")
    text = (folder / "a" / "claims.json").read_text("utf-8")
    machine = json.loads(text)["machine"]
    (folder / "b").mkdir()
    (folder / "b" / "claims.json").write_text(text.replace(machine, "other-machine"), "utf-8")
    assert 0 == claims("merge", "a", "b", "--out=both")
    assert "2 transfer, 0 differ, 1 decided on fewer than two" in capsys.readouterr().out
    assert "other-machine" in (folder / "both" / "matrix.md").read_text("utf-8")
    assert 11 == claims("merge", "a", "a")


@pytest.mark.usefixtures("folder")
def test_a_claim_of_ones_own_is_written_from_its_parts(capsys):
    """It can be read; a second one of its name is refused, as is a metric that is not known."""
    words = ("--workload=digits_cnn", "--technique=narrow(width=0.5)", '--statement=It is "small".')
    given = ("init", "OURS-1", *words, "--metric=parameters", "--at-most=1000")
    assert 0 == claims(*given)
    assert "claims/ours.toml: OURS-1" in capsys.readouterr().out
    assert 0 == claims("lock", "OURS-1")
    assert 11 == claims(*given)
    assert 11 == claims("init", "OURS-2", *words, "--metric=parameter", "--at-most=1")
    assert 11 == claims("init", "OURS-2", *words, "--metric=parameters")
    assert "when does it hold? give --at-least, --at-most or both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "statement", "said"),
    [
        ("OURS\x7f", "It is small.", "the name of a claim is one line of printable text, got 'OURS\\x7f'"),
        ("", "It is small.", "the name of a claim"),
        ("OURS-4", " ", "the statement of a claim"),
        ("OURS-4", "a\x00b", "the statement of a claim"),
    ],
)
def test_a_claim_that_no_command_could_read_is_not_written(folder, capsys, name, statement, said):
    """Its file would stop all others."""
    before = (folder / "claims" / "ours.toml").read_bytes()
    words = ("--workload=digits_cnn", "--technique=narrow(width=0.5)", "--metric=parameters", "--at-most=1000")
    assert 11 == claims("init", name, *words, f"--statement={statement}")
    assert said in " ".join(capsys.readouterr().err.split())
    assert before == (folder / "claims" / "ours.toml").read_bytes()


@pytest.mark.usefixtures("folder")
def test_a_claim_of_any_letters_can_be_read():
    """What JSON writes as a pair of surrogates is no TOML."""
    words = ("--workload=digits_cnn", "--technique=narrow(width=0.5)", "--metric=parameters", "--at-most=1000")
    assert 0 == claims("init", "OURS-\U0001f642", *words, "--statement=Ist es größer als \U0001f642?")
    assert 0 == claims("list")


def test_a_run_of_some_claims_does_not_take_the_place_of_a_ledger_that_says_more(folder, capsys):
    """Half an hour of measurements would be lost; neither do claims that were not tested this time."""
    claims("lock")
    claims("run", "--quick", "--out=found")
    before = (folder / "found" / "claims.json").read_bytes()
    capsys.readouterr()
    assert 0 == claims("run", "--quick", "SUM", "--out=found")
    said = capsys.readouterr().out
    assert "not written: WRONG and 1 more are claims of found/claims.json that this judgement lacks" in said
    assert before == (folder / "found" / "claims.json").read_bytes()
    tested = json.loads(before)
    tested["findings"][2]["standing"] = "holds"
    (folder / "found" / "claims.json").write_text(json.dumps(tested), "utf-8")
    claims("run", "--quick", "--out=found")
    assert "not written: FAST is a claim of found/claims.json" in capsys.readouterr().out
    (folder / "found" / "claims.json").write_text("{", "utf-8")
    claims("run", "--quick", "SUM", "--out=found")
    assert 1 == len(json.loads((folder / "found" / "claims.json").read_text("utf-8"))["findings"])


@pytest.mark.usefixtures("folder")
def test_a_limit_that_is_no_number_is_refused(capsys):
    """It would make the ledger unreadable."""
    words = ("--workload=digits_cnn", "--technique=narrow(width=0.5)", "--statement=It is small.")
    assert 11 == claims("init", "OURS-3", *words, "--metric=parameters", "--at-most=nan")
    assert "a limit must be a finite number, got nan" in capsys.readouterr().err


def test_a_run_that_left_no_folder_is_not_replaced_by_an_older_one(folder, monkeypatch):
    """Its figures are no evidence."""
    from claim_samples import claim

    from suite.claims import measuring
    from suite.core.errors import SetupError

    (folder / "reports" / "latest").mkdir(parents=True)
    monkeypatch.setattr(measuring.child, "run_to_end", lambda *_: 3)
    with pytest.raises(SetupError, match=r"could not be measured \(exit code 3\)"):
        measuring.measure([claim()], [], folder / "reports", print)
