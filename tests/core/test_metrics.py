"""Names of metrics, and those that they had before."""
# the expected value stands on the left

import warnings

import pytest

from suite.core.errors import UsageError
from suite.core.metrics import METRICS, current, limits, metric


@pytest.mark.parametrize("ending", ["", "_vs_control", "_worst_seed"])
def test_an_old_name_is_accepted_with_a_warning_that_says_the_new_one(ending):
    """As a score, as a difference and of the worst seed."""
    old, new = (f"{name}{ending}" for name in ("mean_average_precision", "average_precision_50"))
    with pytest.warns(FutureWarning, match=f"the metric {old} is called {new} now; write that"):
        assert METRICS[new] == metric(old)


def test_a_name_of_today_and_one_that_never_was_warn_of_nothing():
    """They are left as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ("accuracy", "acuracy") == (current("accuracy"), current("acuracy"))
        with pytest.raises(UsageError, match="unknown metric 'acuracy'; did you mean accuracy"):
            metric("acuracy")


def test_a_name_that_a_workload_has_declared_is_its_own(monkeypatch):
    """Someone else's mean average precision is over other overlaps."""
    monkeypatch.setitem(METRICS, "mean_average_precision", METRICS["accuracy"])
    assert "mean_average_precision" == current("mean_average_precision")


def test_the_new_names_are_shares():
    """Between 0 and 1, as the rate of exits is."""
    names = ("average_precision_50", "average_precision_75", "exit_rate")
    assert [(0.0, 1.0)] * 3 == [limits(name) for name in names]
    assert (-1.0, 1.0) == limits("average_precision_50_vs_control")
