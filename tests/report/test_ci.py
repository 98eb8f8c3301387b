"""What continuous integration shows of a run: golden Markdown by situation, annotations, properties of tests.

The golden files are read by people when they change: ``GOLDEN=write pytest tests/report/test_ci.py`` writes them anew.
"""
# the expected value stands on the left

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import PRUNED, measured

from suite.expect import fails
from suite.metrics import METRICS
from suite.records import Expectation, Verdict, VerdictKind
from suite.report import ci

GOLDEN = Path(__file__).parent / "golden"
SPEED = measured(PRUNED, "speedup", 2.01, low=1.98, high=2.03)


def entry(metric="speedup", value=2.24, low=2.13, line=12):
    known = METRICS[metric]
    return Expectation(
        workload="digits_cnn", technique=PRUNED, metric=metric, level="any", value=value, unit=known.unit,
        better=known.better, tier=known.tier, low=low, high=None, path="expectations/any/digits_cnn.toml", line=line,
    )  # fmt: skip


def verdict(kind, found=SPEED, expected=None, reason="", detectable=None):
    return Verdict(
        kind=VerdictKind(kind), cell=SPEED.cell, metric=found.metric if found else "", group="speed",
        measurement=found, expectation=expected, reason=reason, detectable=detectable,
    )  # fmt: skip


PASS = verdict("pass", measured(PRUNED, "speedup_b1", 1.2), entry("speedup_b1", 1.2, 1.0))
REGRESSED = verdict(
    "regressed", SPEED, entry(), "2.01 [1.98, 2.03] lies below low = 2.13; 2.02 again in a fresh process", 0.071
)
UNSURE = verdict("inconclusive", SPEED, entry(low=2.0), "the interval of 2.01 [1.98, 2.03] holds low = 2", 0.13)
BROKEN = verdict("error", None, None, "ZeroDivisionError: no channel | is left\n(my_network.py:12)")
SITUATIONS = {
    "everything_holds": (0, [PASS]),
    "a_slowdown": (1, [PASS, UNSURE, REGRESSED]),
    "a_cell_that_raises": (1, [BROKEN, PASS]),
    "too_much_is_inconclusive": (10, [UNSURE]),
    "nothing_was_gated": (11, []),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_step_summary_says_what_failed_by_how_much_against_what_and_how_sure(situation):
    """As the golden file of its situation has it."""
    code, verdicts = SITUATIONS[situation]
    text = ci.step_summary(verdicts, code=code, fails=fails, tables="| a table |" if verdicts else "")
    path = GOLDEN / f"{situation}.md"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


def test_no_golden_file_is_left_over():
    """Each belongs to a situation that is tested."""
    assert set(SITUATIONS) == {path.stem for path in GOLDEN.glob("*.md")}


def test_an_annotation_stands_on_the_line_of_the_bound():
    """A failure is an error, what is only reported a warning; files are named from the checkout."""
    error, warning = ci.annotated([UNSURE, REGRESSED], fails=fails, root=Path())
    assert error.startswith("::error file=expectations/any/digits_cnn.toml,line=12,title=regressed structured_pruning(")
    assert "ratio=0.5%2Cepochs=5) speedup::digits_cnn-structured_pruning" in error
    assert error.endswith("bound >= 2.13: 2.01 [1.98, 2.03] lies below low = 2.13; 2.02 again in a fresh process")
    assert warning.startswith("::warning file=")


def test_an_annotation_without_a_bound_names_no_file():
    """What raised has none, and its line breaks are escaped."""
    (line,) = ci.annotated([BROKEN], fails=fails, root=Path())
    assert line.startswith("::error title=error structured_pruning(")
    assert line.endswith("ZeroDivisionError: no channel | is left (my_network.py:12)")


def test_a_bound_outside_of_the_checkout_keeps_its_path(tmp_path):
    """Expectations that are shipped lie elsewhere."""
    (line,) = ci.annotated([REGRESSED], fails=fails, root=tmp_path)
    assert "file=expectations/any/digits_cnn.toml" in line
    inside = entry()
    moved = Path.cwd() / "below"
    (line,) = ci.annotated([verdict("regressed", SPEED, inside)], fails=fails, root=moved.parent)
    assert "file=expectations/any/digits_cnn.toml" in line


@given(st.integers(0, 30), st.integers(0, 30))
def test_no_more_annotations_than_are_shown(errors, warnings):
    """GitHub shows ten of a kind: the worst ones."""
    lines = ci.annotated([UNSURE] * warnings + [REGRESSED] * errors, fails=fails, root=Path())
    assert min(10, errors) == sum(line.startswith("::error") for line in lines)
    assert min(10, warnings) == sum(line.startswith("::warning") for line in lines)


@given(st.text())
def test_an_annotation_is_one_line_whatever_it_says(reason):
    """Nothing that a user's code raises ends the command or starts another one."""
    (line,) = ci.annotated([verdict("error", None, None, reason)], fails=fails, root=Path())
    assert 1 == len(line.split("\n"))
    assert "\r" not in line


def test_properties_hold_figure_interval_bound_and_verdict():
    """For JUnit: what a dashboard needs without reading our files."""
    assert [
        ("speedup.verdict", "regressed"), ("speedup.value", "2.01"), ("speedup.low", "1.98"), ("speedup.high", "2.03"),
        ("speedup.bound_low", "2.13"), ("speedup.reason", REGRESSED.reason),
    ] == ci.properties([REGRESSED])  # fmt: skip
    assert ("speedup_b1.verdict", "pass") in ci.properties([PASS])


def test_outside_of_github_nothing_is_told(tmp_path):
    """No file is written and no line printed."""
    path = tmp_path / "summary.md"
    environ = {ci.SUMMARY_FILE: str(path)}
    assert [] == ci.tell(environ, [REGRESSED], code=1, fails=fails, tables=tmp_path / "none.md")
    assert not path.exists()


def test_under_github_the_summary_is_appended_and_lines_returned(tmp_path):
    """Another step's summary stays; the run's tables are folded in."""
    path, tables = tmp_path / "summary.md", tmp_path / "tradeoffs.md"
    path.write_text("before\n", "utf-8")
    tables.write_text("# Trade-offs\n", "utf-8")
    environ = {ci.GITHUB: "true", ci.SUMMARY_FILE: str(path), ci.ROOT: str(tmp_path)}
    assert 1 == len(ci.tell(environ, [REGRESSED, PASS], code=1, fails=fails, tables=tables))
    text = path.read_text("utf-8")
    assert text.startswith("before\n## The gate failed\n")
    assert "# Trade-offs\n\n</details>" in text
