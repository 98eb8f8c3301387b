"""fast_p and performance profiles: shares over cells and workloads, where a loss is a failure."""
# the expected value stands on the left

from types import SimpleNamespace

import page_samples
import pytest

from suite.core.records import Cell, CellFailure
from suite.report.headline import AgainstBaseline
from suite.report.page.run_content import RunContent
from suite.report.page.speed_plots import (
    MOST_TECHNIQUES,
    fast_plots,
    fast_share,
    profile_plots,
    profiles,
)


def cell(technique, speedup, *, loses=False, suspect=None, workload="a", device="cpu"):
    row = {
        "technique": technique, "speedup": speedup, "score_better": "higher", "speedup_suspect": suspect,
        "workload": workload, "device": device, "control": "baseline", "score": "accuracy",
        "accuracy_vs_control": -0.1 if loses else 0.0, "accuracy_vs_control_low": -0.2,
        "accuracy_vs_control_high": -0.05 if loses else 0.1,
    }  # fmt: skip
    ends = ("accuracy_vs_control", "accuracy_vs_control_low", "accuracy_vs_control_high")
    return AgainstBaseline(row, *(row[name] for name in ends))


def run_of(*cells, failures=()):
    return SimpleNamespace(rows=[one.row for one in cells], machine="m", header=None, failures=failures)


def failure(technique, kind="error", workload="a", group="speed"):
    where = Cell(workload=workload, technique=technique, device="cpu")
    return CellFailure(cell=where, group=group, kind=kind, reason="why")


def without_interval(found):
    del found.row["accuracy_vs_control_low"]
    return found


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
    assert found["title"].endswith(
        "; 1 left out (unavailable, without a sound speed-up, or without an interval of the score)"
    )


def test_a_cell_that_failed_is_as_slow_as_one_with_a_loss():
    """In whatever group it failed: once, and the baseline's own failure is no cell's."""
    failures = [failure("b"), failure("b", group="size"), failure("c", group="score"), failure("baseline")]
    run = run_of(cell("a", 2.0), without_interval(cell("c", 3.0)), failures=failures)
    (found,) = fast_plots([run])["plots"]
    assert "m: fast_1 = 33 %, fast_1.5 = 33 %, fast_2 = 33 % of 3 cells; 2 of them failed" == found["title"]
    assert ([0.0, 2.0, 2.0], [0.333333, 0.333333, 0.0]) == (found["at"], found["share"])


def test_a_failure_beside_a_sound_comparison_changes_nothing():
    """Its speed and its score are known; a disturbed one stays left out."""
    run = run_of(
        cell("a", 2.0),
        cell("b", 2.0, suspect="noise"),
        failures=[failure("a", group="size"), failure("b", group="size")],
    )
    (found,) = fast_plots([run])["plots"]
    assert " of 1 cells; 1 left out (" in found["title"]


def test_unavailable_cells_and_scores_without_an_interval_are_left_out_and_counted():
    """Nobody knows whether these are right."""
    run = run_of(cell("a", 2.0), without_interval(cell("c", 3.0)), failures=[failure("b", "unavailable")])
    (found,) = fast_plots([run])["plots"]
    assert " of 1 cells; 2 left out (" in found["title"]


def test_failures_alone_are_a_share_of_nothing():
    """The curve is a point."""
    (found,) = fast_plots([run_of(failures=[failure("b")])])["plots"]
    assert ([0.0], [0.0]) == (found["at"], found["share"])


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


def test_a_workload_without_a_sound_cell_is_a_failure_in_profiles():
    """Disturbed, or an error; where nothing could run at all there is no workload to fail on."""
    sound = [cell("a", 2.0, workload=name) for name in "xy"]
    disturbed = cell("a", 2.0, workload="z", suspect="noise")
    failures = [failure("a", workload="v"), failure("a", "unavailable", workload="w")]
    (found,) = profile_plots([run_of(*sound, disturbed, failures=failures)])["plots"]
    assert "m: 4 workloads" == found["title"]
    by_name = {line["name"]: line for line in found["lines"]}
    assert 0.5 == by_name["a"]["share"][-1]
    assert 1.0 == by_name["baseline"]["share"][-1]


def test_a_workload_whose_baseline_failed_too_is_none_of_a_profile():
    """Or the baseline would be best where it does not run."""
    sound = [cell("a", 2.0, workload=name) for name in "xy"]
    failures = [failure(name, workload="z") for name in ("a", "baseline")]
    (found,) = profile_plots([run_of(*sound, failures=failures)])["plots"]
    assert "m: 2 workloads" == found["title"]


def test_a_workload_without_a_sound_cell_is_not_enough_for_profiles():
    """Two are needed that say something."""
    run = run_of(cell("a", 2.0, workload="x"), cell("a", 2.0, workload="y", suspect="noise"))
    assert {"plots": [], "all": 0} == profile_plots([run])


def test_on_several_devices_a_profile_counts_pairs():
    """The same workload twice is no second workload."""
    run = run_of(*(cell("a", 2.0, workload=name, device=device) for name in "xy" for device in ("cpu", "cuda")))
    (found,) = profile_plots([run])["plots"]
    assert "m: 4 pairs of workload and device" == found["title"]


def test_many_techniques_are_thinned_and_it_is_said(tmp_path):
    """Of a whole run."""
    found = page_samples.many_measurements(2000, workloads=2)
    run = RunContent.read(page_samples.write_run(tmp_path, found))
    (shown,) = profile_plots([run])["plots"]
    assert MOST_TECHNIQUES == len(shown["lines"])
    assert f"2 workloads; {MOST_TECHNIQUES} of " in shown["title"]
