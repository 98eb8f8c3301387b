"""Return on investment: gains and savings against the baseline, and what they are worth."""
# the expected value stands on the left

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_settings import EXAMPLES
from samples import CONTROL, PRUNED, RUN, figures, measured

from suite.analysis.plan import Prices, returns
from suite.analysis.plan.cells import gathered
from suite.analysis.plan.gains import NOT_PAIRED, PAIRED
from suite.analysis.plan.interval_arithmetic import estimate, minus, over, plus, scaled
from suite.analysis.plan.payback import days, payback
from suite.core.errors import ResultsError

PRICES = Prices(hour=3.6, items_per_day=1e6, engineer_hour=50.0, adoption_hours=2.0)


def returned(technique, run=RUN, prices=None):
    return next(one for one in returns(gathered(run), prices) if one.technique == technique)


def ends(found):
    return pytest.approx((found.value, found.low, found.high))


def test_a_speedup_of_two_saves_half_of_the_time():
    """Its interval goes through the same function: 1 - 1 / speed-up."""
    assert (0.5, 1 - 1 / 1.9, 1 - 1 / 2.1) == ends(returned("static_int8").inference_saved)


def test_sizes_are_counts_and_their_savings_exact():
    """No interval is made up."""
    found = returned(PRUNED)
    assert (0.8, 0.5, 0.5) == pytest.approx((found.bytes_saved.value, found.memory_saved.low, found.macs_saved.high))
    assert found.bytes_saved.low == found.bytes_saved.high


def test_quality_is_paired_with_the_baseline_where_the_records_pair_it():
    """And through the control where that is paired itself; arms add in squares."""
    direct, through = returned("static_int8").quality, returned(PRUNED).quality
    assert (-0.001, -0.003, 0.001) == ends(direct)
    assert (PAIRED, f"{PAIRED} through {CONTROL}") == (direct.how, through.how)
    assert (-0.019, -0.019 - math.hypot(0.01, 0.003), -0.019 + math.hypot(0.01, 0.003)) == ends(through)


def test_quality_without_pairs_is_the_difference_of_the_scores():
    """Said so."""
    run = [m for m in RUN if not m.metric.endswith("_vs_control")]
    found = returned(PRUNED, run).quality
    assert (NOT_PAIRED, -0.02) == (found.how, pytest.approx(found.value))


def test_a_lower_error_is_a_gain():
    """Of scores of which less is better."""
    run = [*figures("baseline", mean_squared_error=2.0), *figures("t", mean_squared_error=(1.5, 1.25, 1.75))]
    found = returned("t", run)
    assert (0.5, 0.25, 0.75) == ends(found.quality)
    assert 0.25 == found.quality_share.value


def test_the_same_training_takes_no_longer():
    """A technique of serving shares the baseline's training: no noise of a second one."""
    assert (0.0, 0.0, 0.0) == ends(returned("static_int8").training_seconds)
    assert 3.0 == returned(PRUNED).training_seconds.value
    assert -0.3 == pytest.approx(returned(PRUNED).training_saved.value)


def test_money_is_the_machine_time_that_a_million_inferences_save():
    """1000 items a second: 1000 s a million, half of it saved, a thousandth of the currency a second."""
    assert (0.5, 1 - 1 / 1.9, 1 - 1 / 2.1) == ends(returned("static_int8", prices=PRICES).money)


def test_the_payback_time_counts_work_and_longer_training():
    """100 of work over 0.5 a day; pruning also trains 3 s longer, at a thousandth a second."""
    assert 200.0 == pytest.approx(returned("static_int8", prices=PRICES).pays_back.value)
    assert 100.003 / 0.6 == pytest.approx(returned(PRUNED, prices=PRICES).pays_back.value)


def test_storage_counts_by_the_day():
    """A price for a byte of a GB: 675 kB less."""
    prices = replace(PRICES, gb_month=1e5 * 365.25 / 12)
    assert 100 / (0.5 + 67.5) == pytest.approx(returned("static_int8", prices=prices).pays_back.value)


def test_a_technique_that_saves_nothing_never_pays_back():
    """More epochs cost training and save no time; within noise they might."""
    run = [*RUN, *figures(CONTROL, speedup=(0.9, 0.85, 0.95))]
    assert "never" == str(returned(CONTROL, run, PRICES).pays_back)
    assert returned(CONTROL, prices=PRICES).pays_back.low < math.inf == returned(CONTROL, prices=PRICES).pays_back.value


def test_energy_is_computed_from_the_power_unless_it_was_measured():
    """500 s at 36 W are 18 kJ, 0.005 kWh."""
    found = returned("static_int8", prices=Prices(watts=36.0)).energy
    assert (0.005, "computed from 36 W") == (pytest.approx(found.value), found.how)
    assert returned("static_int8").energy is None


def test_measured_energy_comes_first():
    """Joules of an item, both cells."""

    def energy(name, value):
        return replace(measured(name, "latency_p50", value), metric="energy_per_item", unit="J")

    run = [*RUN, energy("baseline", 3.6), energy("static_int8", 1.8)]
    found = returned("static_int8", run, Prices(watts=36.0)).energy
    assert (0.5, "measured") == (pytest.approx(found.value), found.how)


def test_without_prices_there_is_no_money():
    """Nothing is guessed."""
    found = returned("static_int8")
    assert (None, None) == (found.money, found.pays_back)


def test_without_a_baseline_nothing_can_be_compared():
    """With what to run."""
    with pytest.raises(ResultsError, match=r"has no baseline, .*`suite bench --workload digits_cnn"):
        returns(gathered([m for m in RUN if m.cell.technique != "baseline"]))


def test_the_baseline_alone_returns_nothing():
    """It is what the others are compared with."""
    with pytest.raises(ResultsError, match="only the baseline was measured"):
        returns(gathered(figures("baseline", speedup=1.0)))


def test_a_suspect_timing_is_said():
    """It saves nothing that anybody knows of, no time and no money."""
    run = [*RUN, measured("static_int8", "speedup", 2.0, low=1.9, high=2.1, suspect="the null arm is off")]
    found = returned("static_int8", run)
    assert ("speedup: the null arm is off",) == found.suspects
    assert found.inference_saved is None


ESTIMATES = st.tuples(*[st.floats(0.01, 100)] * 3).map(sorted).map(lambda t: estimate(t[1], t[0], t[2]))


@EXAMPLES
@given(first=ESTIMATES, second=ESTIMATES)
def test_an_estimate_lies_within_its_interval_and_worst_cases_around_it(first, second):
    """Sums, differences and ratios; never wider than the extremes of both intervals."""
    total, less, ratio = plus(first, second), minus(first, second), over(first, second)
    assert total.low <= total.value <= total.high
    assert first.low + second.low - 1e-9 <= total.low
    assert total.high <= first.high + second.high + 1e-9
    assert first.low - second.high - 1e-9 <= less.low <= less.value <= less.high
    assert ratio.low <= first.value / second.value * (1 + 1e-9)
    assert ratio.high <= first.high / second.low * (1 + 1e-9)


@EXAMPLES
@given(found=ESTIMATES, other=ESTIMATES)
def test_a_difference_mirrors_when_its_sides_are_swapped(found, other):
    """As intervals of differences must."""
    forth, back = minus(found, other), scaled(minus(other, found), -1.0)
    assert (forth.low, forth.value, forth.high) == pytest.approx((back.low, back.value, back.high))


@EXAMPLES
@given(cost=st.floats(-10, 10), daily=st.floats(-10, 10), more=st.floats(0, 10))
def test_more_cost_takes_longer_and_more_saving_less(cost, daily, more):
    """So the ends of a pay-back time are those of its parts."""
    assert days(cost, daily) <= days(cost + more, daily)
    assert days(cost, daily + more) <= days(cost, daily)


@EXAMPLES
@given(cost=ESTIMATES, daily=ESTIMATES, shift=st.floats(-50, 50))
def test_a_payback_time_lies_within_its_ends(cost, daily, shift):
    """Never and at once included."""
    found = payback(scaled(cost, 1.0, shift), scaled(daily, 1.0, -shift))
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(
    ("text", "cost", "daily"),
    [
        ("at once", (0, 0, 0), (1, 1, 1)),
        ("never", (1, 1, 1), (-1, -1, -1)),
        ("2 d [1 d, never]", (2, 2, 2), (1, 0, 2)),
        ("5 y", (3652.5, 3652.5, 3652.5), (2, 2, 2)),
        ("over 1000 y", (1e6, 1e6, 1e6), (1, 1, 1)),
    ],
)
def test_payback_times_read_like_what_they_are(text, cost, daily):
    """Days, years, at once, never."""
    assert text == str(payback(estimate(*cost), estimate(*daily)))


def test_a_timing_without_an_interval_makes_no_interval():
    """It is shown as unknown, not as exact."""
    run = [*figures("baseline", speedup=1.0, train_seconds=10.0), *figures("t", speedup=2.0, train_seconds=11.0)]
    run += figures("baseline", throughput=1000.0)
    found = returned("t", run, PRICES)
    assert not found.inference_saved.interval
    assert "201 d [?]" == str(replace(found.pays_back, value=201.0))
    assert not found.training_seconds.interval


def test_scores_are_not_needed_for_savings():
    """A workload of sizes and speeds has returns too."""
    run = [*figures("baseline", artefact_bytes=10), *figures("t", artefact_bytes=5)]
    assert (None, 0.5) == (returned("t", run).quality, returned("t", run).bytes_saved.value)
