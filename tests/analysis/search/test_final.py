"""What is said of a winner."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
from search_settings import AIMS
from tiny import BASELINE_CELL

from suite.analysis.search import search
from suite.analysis.search.final import said as said_of
from suite.analysis.search.objectives import parse_aims
from suite.analysis.search.trials import TrialError
from suite.core.metrics import measured

FIGURES = {
    "speedup": measured(BASELINE_CELL, "speedup", 7.25, low=7.0, high=7.5),
    "accuracy": measured(BASELINE_CELL, "accuracy", 0.98),
    "accuracy_vs_control": measured(BASELINE_CELL, "accuracy_vs_control", -0.001, low=-0.003, high=0.001),
}


def test_a_winner_is_told_with_its_intervals():
    """A share's difference in points."""
    line = said_of("narrow", FIGURES, AIMS, primary="accuracy", seeds=5)
    assert "found: narrow, speedup 7.25x [7, 7.5], accuracy difference -0.1 [-0.3, 0.1] points over 5 seeds" == line


def test_a_bound_that_breaks_on_the_test_is_told():
    """The winner was chosen without looking at it."""
    aims = parse_aims(maximise=["speedup"], keep=["accuracy>=0.985"])
    line = said_of("narrow", FIGURES, aims, primary="accuracy", seeds=5)
    assert line.endswith("; accuracy >= 0.985 does not hold on the test: 0.98")


def test_a_workload_without_scores_has_no_difference():
    """Only its speed is told."""
    assert "found: narrow, speedup 7.25x [7, 7.5]" == said_of("narrow", FIGURES, AIMS, primary=None, seeds=5)


@pytest.mark.parametrize(("expected", "failing"), [(False, {"a", "b"}), (True, {"a"}), (True, set())])
def test_a_search_whose_winners_all_fail_at_last_has_found_nothing(expected, failing, monkeypatch):
    """The reason is said, and the exit code is not 0."""

    class Last:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def line(self, text):
            if text in failing:
                raise TrialError(f"{text} failed")
            return f"found: {text}"

    said = []
    asked = SimpleNamespace(
        open=lambda *_: SimpleNamespace(folder=SimpleNamespace(path="reports/x")), workload=None, registry=None,
        device="cpu", aims=None, options=SimpleNamespace(final_seeds=5), say=said.append,
    )  # fmt: skip
    monkeypatch.setattr(search, "Final", Last)
    assert expected is search._finish(asked, [SimpleNamespace(composition=text) for text in "ab"])
    assert [f"{t} failed" if t in failing else f"found: {t}" for t in "ab"] == said[:2]
