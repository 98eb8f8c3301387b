"""Losses as people read them, and one line for cells of one cause."""
# the expected value stands on the left

import page_samples
import pytest
from samples import RUN, figures, measured

from suite.core.records import Reason, RunEnd, Verdict, VerdictKind
from suite.report.page.run_content import RunContent
from suite.report.page.verdict_section import MOST_LINES, command, loss, verdict_section


def section(tmp_path, verdicts):
    return verdict_section([RunContent.read(page_samples.write_run(tmp_path, RUN, verdicts=verdicts))])


@pytest.mark.parametrize(
    ("metric", "new", "stored", "expected"),
    [
        ("speedup", 1.8, 2.0, "10.0 %"),
        ("speedup", 2.2, 2.0, "-10.0 %"),
        ("artefact_bytes", 110.0, 100.0, "10.0 %"),
        ("accuracy", 0.97, 0.98, "1.00 points"),
        ("output_error", 0.5, 0.0, "0.5"),
    ],
)
def test_a_loss_is_in_points_of_shares_and_percent_of_others(metric, new, stored, expected):
    """Positive where it is worse, whichever way is better."""
    found = measured("compiled", metric, new)
    assert expected == loss(found, page_samples.expected(found, value=stored))


def test_no_loss_without_a_stored_value():
    assert "-" == loss(None, None)


def test_the_worst_regression_comes_first(tmp_path):
    """By its loss as a share of the stored value."""
    small, large = figures("static_int8", speedup=1.9, macs=4e6)
    verdicts = [
        page_samples.judged(one, VerdictKind.REGRESSED, expectation=page_samples.expected(one, value=2.0 * scale))
        for one, scale in ((small, 1), (large, 1e6))
    ]
    shown = section(tmp_path, verdicts)
    assert shown.index("macs") < shown.index("speedup</code>")


def test_errors_come_after_regressions(tmp_path):
    """A reader asks first what got worse."""
    slow, large = figures("static_int8", speedup=1.9, macs=4e6)
    verdicts = [page_samples.judged(large, VerdictKind.ERROR), page_samples.judged(slow, VerdictKind.REGRESSED)]
    shown = section(tmp_path, verdicts)
    assert shown.index('class="kind regressed"') < shown.index('class="kind error"')


def test_names_that_are_left_out_are_counted(tmp_path):
    """Those of one cause, beyond the first fifty on demand."""
    cells = [measured(f"t{k}", "speedup", 1.0) for k in range(60)]
    shown = section(tmp_path, [page_samples.judged(one, VerdictKind.MISSING, reason="gone") for one in cells])
    assert "<li>7 further names are not shown</li>" in shown


def test_cells_of_one_cause_are_one_line(tmp_path):
    """What is missing from a file is one line, whatever line of the file it is."""
    verdicts = [
        Verdict(
            kind=VerdictKind.MISSING, cell=one.cell, metric=one.metric, group=one.group, code=Reason.NOT_MEASURED,
            reason=f"expectations/any/a.toml:{line}: no cell measures it",
        )
        for line, one in enumerate(RUN)
    ]  # fmt: skip
    shown = section(tmp_path, verdicts)
    assert 1 == shown.count('<span class="kind missing">')
    assert "and 5 more" in shown  # metrics


@pytest.mark.parametrize(("code", "good"), [(0, True), (10, False), (12, False), (None, False)])
def test_a_run_is_called_good_only_if_its_exit_code_says_so(tmp_path, code, good):
    """A doubt about the whole run is no verdict; the exit code is told instead."""
    passed = [page_samples.judged(one, VerdictKind.PASS) for one in RUN]
    folder = page_samples.write_run(tmp_path, RUN, verdicts=passed, ended=False)
    folder.end(RunEnd(groups=1, done=1, whole=True, code=code))
    shown = verdict_section([RunContent.read(folder)])
    assert good == ("nothing regressed and nothing needs attention" in shown)
    assert bool(code) == (f"the run ended with exit code {code}" in shown)


def test_a_long_list_is_cut_and_says_so(tmp_path):
    """The others are in the table of all measurements."""
    many = [page_samples.judged(one, VerdictKind.REGRESSED) for one in page_samples.many_measurements(60) * 2]
    verdicts = [page_samples.judged(measured(f"t{k}", "speedup", 1.0), VerdictKind.REGRESSED) for k in range(len(many))]
    shown = section(tmp_path, verdicts)
    assert MOST_LINES == shown.count('<span class="kind regressed">')
    assert f"{len(many) - MOST_LINES} further lines are not shown" in shown


def test_a_command_is_quoted_for_the_shell():
    cell = measured("prune(ratio=0.5)", "speedup", 1.0).cell
    assert "suite bench --workload digits_cnn --technique 'prune(ratio=0.5)' --device cpu" == command(cell)
    assert 2 == command(cell, ("a", "b")).count("--technique")
