"""What GitHub Actions shows of a run, by situation; the files in `golden` hold the whole text."""
# the expected value stands on the left

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from suite.core.records import Expectation, Verdict, VerdictKind
from suite.report import github

GOLDEN = Path(__file__).with_name("golden")
PATH = "expectations/cpu-x86_64-avx2/digits_cnn.toml"
FAILING = {VerdictKind.REGRESSED, VerdictKind.ERROR, VerdictKind.MISSING, VerdictKind.IMPROVED}


def command(verdict):
    """As `suite.bench.commands.rerun` prints it."""
    cell = verdict.cell
    return f"suite bench --workload {cell.workload} --technique '{cell.technique}' --device {cell.device}"


def verdict(kind, metric="speedup", value=None, *, low=None, high=None, line=12, details=None, **more):
    found = samples.measured(samples.PRUNED, metric, value, **(details or {}))
    entry = Expectation(
        workload=found.cell.workload, technique=found.cell.technique, metric=metric, level="any", value=1.0,
        unit=found.unit, better=found.better, tier=found.tier, low=low, high=high, path=PATH, line=line,
    )  # fmt: skip
    return Verdict(
        kind=VerdictKind(kind), cell=found.cell, metric=metric, group=found.group,
        measurement=None if value is None else found,
        expectation=None if low is None and high is None else entry, **more,
    )  # fmt: skip


TIMED = {"low": 1.9, "high": 2.06, "confidence": 0.99, "processes": 3}
SLOWER = verdict("regressed", value=1.98, low=2.17, details=TIMED, detectable=0.031, reason="in 3 of 3 processes")
WORSE = verdict("regressed", "accuracy", 0.96, low=0.97, line=20)
LARGER = verdict("regressed", "artefact_bytes", 81_000, high=80_000, line=31)
UNDECIDED = verdict(
    "inconclusive", value=2.2, low=2.17, details={"low": 2.1, "high": 2.3, "confidence": 0.99},
    reason="the interval contains the bound; 900 rounds would decide",
)  # fmt: skip
BROKEN = Verdict(
    kind=VerdictKind.ERROR, cell=SLOWER.cell, metric="", group="speed", reason="RuntimeError: a | b,\n  50 % done"
)
GONE = verdict("missing", low=2.17)
PASSED = verdict("pass", value=2.4, low=2.17)
SITUATIONS = {
    "regressed": [PASSED, SLOWER, WORSE, LARGER],
    "inconclusive": [PASSED, UNDECIDED],
    "nothing_failed": [PASSED],
    "nothing_measured": [],
    "broken_and_missing": [GONE, BROKEN],
}


def fails(one):
    return one.kind in FAILING


def summary(verdicts):
    return github.summary(samples.header(), verdicts, fails=fails, rerun=command)


def commands(verdicts, root=None):
    return github.commands(verdicts, fails=fails, root=root or Path.cwd())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_step_summary_is_the_golden_file(situation):
    """What failed, by how much, against which bound with its line, how sure, and how to run it again."""
    assert (GOLDEN / f"{situation}.md").read_text("utf-8") == summary(SITUATIONS[situation])


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_annotations_are_the_golden_file(situation):
    """An error for what fails, a warning for what does not, one a line, at the line of its entry."""
    expected = (GOLDEN / f"{situation}.annotations.txt").read_text("utf-8")
    assert expected == "".join(f"{line}\n" for line in commands(SITUATIONS[situation]))


def test_an_entry_outside_the_checkout_has_no_place(tmp_path):
    """GitHub could not show it: shipped expectations lie where the package is installed."""
    (line,) = commands([SLOWER], root=tmp_path)
    assert line.startswith("::error title=regressed speedup::")
    assert f"{PATH}:12" in line


def test_the_null_arm_of_the_run_stands_in_the_step_summary():
    """Where timings have one."""
    one = replace(SLOWER, measurement=replace(SLOWER.measurement, null=1.001))
    assert "null arm: the baseline against its own copy is 1.0010 in the median of 1 sample" in summary([one])
    assert "null arm" not in summary([SLOWER])


def test_failures_come_before_warnings():
    """GitHub shows ten of a step."""
    assert ["::error", "::warning"] == [line.split()[0] for line in commands([UNDECIDED, SLOWER])]


def test_a_verdict_that_fails_by_option_is_among_the_failures():
    """`--unverified=fail`: it needs no attention elsewhere."""
    new = verdict("unverified", value=2.0)
    assert [] == commands([new])
    (line,) = github.commands([new], fails=lambda _: True, root=Path.cwd())
    assert line.startswith("::error title=unverified speedup::")


def test_a_table_that_would_be_too_long_says_how_many_it_leaves_out():
    """GitHub refuses a summary above 1 MiB."""
    text = summary([SLOWER] * (github.MOST_ROWS + 7))
    assert "7 more are in `2026-11-23T15-04-05-cpu`" in text
    assert github.MOST_ROWS == text.count("| regressed |")


@given(reason=st.text(alphabet="a%:,|\n\r<", max_size=30))
def test_no_reason_breaks_a_command_or_a_row(reason):
    """A command is one line, a row has seven columns, whatever a technique raises."""
    odd = replace(SLOWER, reason=reason)
    (line,) = commands([odd])
    assert not {"\n", "\r"} & set(line)
    (row,) = [one for one in summary([odd]).splitlines() if one.startswith("| regressed")]
    assert 8 == row.replace(r"\|", "").count("|")


@pytest.mark.parametrize(("expected", "environment"), [(True, {"GITHUB_ACTIONS": "true"}), (False, {})])
def test_only_a_step_of_github_actions_is_one(expected, environment):
    """The variable that every runner sets."""
    assert expected is github.here(environment)


def test_a_run_that_cannot_be_used_says_so_first():
    """No failed figure is no good news where some were never measured."""
    text = github.summary(samples.header(), [PASSED], fails=fails, rerun=str, problem="2 of 4 groups were not measured")
    assert text.startswith("## not usable: 1 pass\n\n2 of 4 groups were not measured\n")


def test_the_problem_of_a_run_is_an_error_on_one_line():
    """It belongs to no entry."""
    assert "::error title=suite::nothing%0Agated" == github.unusable("nothing\ngated")


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.md")), ids=lambda file: file.name)
def test_the_commands_of_a_summary_are_ones_that_exist(file):
    """Whoever copies one gets no error of the command line."""
    from suite.cli.main import build_parser

    for line in file.read_text("utf-8").splitlines():
        if line.strip().startswith("suite "):
            build_parser().parse_args(shlex.split(line)[1:])
