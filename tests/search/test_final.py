"""What is said of a winner."""
# the expected value stands on the left

from search_settings import AIMS
from tiny import BASELINE_CELL

from suite.metrics import measured
from suite.search.aims import parse_aims
from suite.search.final import said

FIGURES = {
    "speedup": measured(BASELINE_CELL, "speedup", 7.25, low=7.0, high=7.5),
    "accuracy": measured(BASELINE_CELL, "accuracy", 0.98),
    "accuracy_vs_control": measured(BASELINE_CELL, "accuracy_vs_control", -0.001, low=-0.003, high=0.001),
}


def test_a_winner_is_told_with_its_intervals():
    """A share's difference in points."""
    line = said("narrow", FIGURES, AIMS, primary="accuracy", seeds=5)
    assert "found: narrow, speedup 7.25x [7, 7.5], accuracy difference -0.1 [-0.3, 0.1] points over 5 seeds" == line


def test_a_bound_that_breaks_on_the_test_is_told():
    """The winner was chosen without looking at it."""
    aims = parse_aims(maximise=["speedup"], keep=["accuracy>=0.985"])
    line = said("narrow", FIGURES, aims, primary="accuracy", seeds=5)
    assert line.endswith("; accuracy >= 0.985 does not hold on the test: 0.98")


def test_a_workload_without_scores_has_no_difference():
    """Only its speed is told."""
    assert "found: narrow, speedup 7.25x [7, 7.5]" == said("narrow", FIGURES, AIMS, primary=None, seeds=5)
