"""Budgets: their spelling, their side, and how a figure stands to them."""
# the expected value stands on the left

import pytest
from samples import measured

from suite.analysis.plan.budgets import LimitCheck, fit, parse_budgets
from suite.core.errors import UsageError


def one(text, *, at_least=False):
    (found,) = parse_budgets([], [text]) if at_least else parse_budgets([text])
    return found


def test_a_budget_bounds_from_above_what_should_be_low():
    """In the metric's own unit, inclusive."""
    budget = one("latency_p99=5ms")
    assert ("latency_p99", 0.005, "s") == (budget.metric, budget.limit, budget.unit)
    assert "latency_p99 <= 5 ms" == str(budget)
    assert budget.holds(0.005)
    assert not budget.holds(0.0051)


@pytest.mark.parametrize(("short", "metric"), [("bytes", "artefact_bytes"), ("memory", "peak_memory_inference")])
def test_short_names_are_those_of_the_report(short, metric):
    """What the tables call a column can be typed."""
    assert metric == one(f"{short}=1MB").metric


def test_at_least_and_a_budget_with_its_sign_are_the_same():
    """The first needs no quotes in a shell."""
    assert one("speedup=1.5", at_least=True) == one("speedup>=1.5") == one("speedup >= 1.5x")


@pytest.mark.parametrize(
    ("text", "at_least", "message"),
    [
        ("speedup=1.5", False, "of speedup more is better, so an? upper bound .* write --at-least speedup=1.5"),
        ("bytes>=1kB", False, "of artefact_bytes less is better, .* write --budget artefact_bytes=1kB"),
        ("latency_p99=1ms", True, "of latency_p99 less is better"),
        ("latncy_p99=1ms", False, "unknown metric 'latncy_p99'; did you mean latency_p99"),
        ("bytes", False, "'bytes' is no budget; write one like bytes=100kB"),
        ("bytes=1ms", False, "is in seconds .* but artefact_bytes is measured in bytes"),
    ],
)
def test_a_budget_that_means_nothing_is_refused(text, at_least, message):
    """With what to write instead."""
    with pytest.raises(UsageError, match=message):
        one(text, at_least=at_least)


def test_one_metric_has_one_bound():
    """Even under its two names."""
    with pytest.raises(UsageError, match="artefact_bytes is bounded twice"):
        parse_budgets(["bytes=1kB", "artefact_bytes=2kB"])


@pytest.mark.parametrize(
    ("expected", "value", "details"),
    [
        (LimitCheck.SURELY, 1.6, {"low": 1.5, "high": 1.7}),
        (LimitCheck.PERHAPS, 1.6, {"low": 1.4, "high": 1.8}),
        (LimitCheck.PERHAPS, 1.6, {}),
        (LimitCheck.SUSPECT, 1.6, {"low": 1.5, "high": 1.7, "suspect": "the null arm is off"}),
        (LimitCheck.SUSPECT, 1.4, {"low": 1.3, "high": 1.7, "suspect": "the null arm is off"}),
        (LimitCheck.OVER, 1.4, {"low": 1.3, "high": 1.6}),
    ],
)
def test_the_interval_decides_between_surely_and_perhaps(expected, value, details):
    """The value decides whether it fits at all; timings without an interval never surely, disturbed ones not at all."""
    assert expected is fit(one("speedup>=1.5"), measured("t", "speedup", value, **details))


def test_a_count_needs_no_interval():
    """Bytes are the same every time."""
    assert LimitCheck.SURELY is fit(one("bytes=1kB"), measured("t", "artefact_bytes", 1000))


def test_a_figure_whose_noise_was_seen_fits_perhaps():
    """The resident set differs between processes."""
    assert LimitCheck.PERHAPS is fit(one("peak_rss_rise=1kB"), measured("t", "peak_rss_rise", 10, noise=0.1))


def test_a_figure_that_is_not_there_is_not_measured():
    """Neither in nor out."""
    assert LimitCheck.UNMEASURED is fit(one("bytes=1kB"), None)


def test_the_share_of_a_budget_is_1_at_its_limit():
    """From both sides; a difference has no share."""
    assert 0.5 == one("bytes=1kB").used(500)
    assert 0.75 == one("speedup>=1.5").used(2.0)
    assert one("accuracy_vs_control>=-1%").used(-0.005) is None


def test_a_budget_of_an_old_name_is_one_of_the_metric_that_is_meant():
    """With a warning that says the name of today."""
    with pytest.warns(FutureWarning, match="is called average_precision_50 now"):
        (found,) = parse_budgets([], ["mean_average_precision>=0.8"])
    assert "average_precision_50" == found.metric
