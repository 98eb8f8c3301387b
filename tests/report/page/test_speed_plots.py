"""fast_p and performance profiles: shares over cells and workloads, where a loss is a failure."""
# the expected value stands on the left

from types import SimpleNamespace

import page_samples
import pytest

from suite.report.headline import AgainstBaseline
from suite.report.page.run_content import RunContent
from suite.report.page.speed_plots import (
    MOST_TECHNIQUES,
    fast_plots,
    fast_share,
    profile_plots,
    profiles,
)


def cell(technique, speedup, *, loses=False, suspect=None, workload="a"):
    row = {
        "technique": technique, "speedup": speedup, "score_better": "higher", "speedup_suspect": suspect,
        "workload": workload, "device": "cpu", "control": "baseline", "score": "accuracy",
        "accuracy_vs_control": -0.1 if loses else 0.0, "accuracy_vs_control_low": -0.2,
        "accuracy_vs_control_high": -0.05 if loses else 0.1,
    }  # fmt: skip
    ends = ("accuracy_vs_control", "accuracy_vs_control_low", "accuracy_vs_control_high")
    return AgainstBaseline(row, *(row[name] for name in ends))


def run_of(*cells):
    return SimpleNamespace(rows=[one.row for one in cells], machine="m", header=None)


@pytest.mark.parametrize(("factor", "share"), [(0.5, 0.75), (1.0, 0.5), (2.0, 0.25), (3.0, 0.0)])
def test_a_fast_cell_with_a_loss_counts_as_slow(factor, share):
    cells = [cell("a", 2.0), cell("b", 1.0), cell("c", 0.8), cell("d", 9.0, loses=True)]
    assert share == fast_share(cells, factor)


def test_the_curve_falls_from_all_lossless_cells_to_none():
    (found,) = fast_plots([run_of(cell("a", 2.0), cell("b", 1.0), cell("d", 9.0, loses=True))])["plots"]
    assert [0.0, 1.0, 2.0, 2.0] == found["at"]
    assert [0.666667, 0.666667, 0.333333, 0.0] == found["share"]


def test_disturbed_speed_ups_are_left_out_and_counted():
    (found,) = fast_plots([run_of(cell("a", 2.0), cell("b", 9.0, suspect="another process"))])["plots"]
    assert "m: fast_1 = 100 %, fast_1.5 = 100 %, fast_2 = 100 % of 1 cells" == found["title"].partition(";")[0]
    assert found["title"].endswith("; 1 without a sound speed-up are left out")


def test_a_run_without_a_sound_speed_up_has_no_curve():
    assert {"plots": [], "all": 0} == fast_plots([run_of(cell("a", None))])


def test_the_best_lossless_time_is_the_unit_of_a_profile():
    """The baseline is best where all others lose."""
    found = profiles([[cell("a", 2.0), cell("b", 4.0)], [cell("a", 3.0, loses=True), cell("b", 0.5)]])
    assert {"baseline": [1.0, 4.0], "a": [2.0], "b": [1.0, 2.0]} == found


def test_a_technique_of_one_workload_has_no_profile():
    assert {"baseline"} == set(profiles([[cell("a", 2.0)], []]))


def test_one_workload_has_no_profiles():
    assert {"plots": [], "all": 0} == profile_plots([run_of(cell("a", 2.0))])


def test_lines_begin_at_the_best_and_end_at_the_share_without_a_failure():
    (found,) = profile_plots([run_of(*(cell("a", 2.0, workload=name, loses=name == "y") for name in "xyz"))])["plots"]
    by_name = {line["name"]: line for line in found["lines"]}
    assert ([1.0, 1.0, 2.0], [0.333333, 0.666667, 0.666667]) == (by_name["a"]["at"], by_name["a"]["share"])
    assert ([1.0, 2.0, 2.0, 2.0], [0.333333, 0.666667, 1.0, 1.0]) == (
        by_name["baseline"]["at"],
        by_name["baseline"]["share"],
    )


def test_many_techniques_are_thinned_and_it_is_said(tmp_path):
    """Of a whole run."""
    found = page_samples.many_measurements(2000, workloads=2)
    run = RunContent.read(page_samples.write_run(tmp_path, found))
    (shown,) = profile_plots([run])["plots"]
    assert MOST_TECHNIQUES == len(shown["lines"])
    assert f"2 workloads; {MOST_TECHNIQUES} of " in shown["title"]
