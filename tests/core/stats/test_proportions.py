"""What a number of items tells about a loss: simulated losses as large as the margin do not pass."""
# the expected value stands on the left

import math
from dataclasses import replace

import numpy as np
import pytest
from expect_samples import TODAY, expectation, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.intervals import wilson
from suite.core.stats.proportions import as_few, items_needed, least_margin, loss_found, too_few
from suite.gate.bounds import propose
from suite.gate.judge import judge
from suite.gate.seed_subset import Bounds, bounds_of

STORED = 0.98
RUNS = 2_000


def share(right, n, **changes):
    low, high = wilson(right, n, 0.95)
    return measurement("accuracy", right / n, n=n, low=low, high=high, confidence=0.95, share=True, **changes)


def said(right, n, margin, stored=STORED, **changes):
    entry = expectation("accuracy", stored, low=stored - margin, **changes)
    return judge(share(right, n), entry, quiet=True, today=TODAY)


@pytest.mark.parametrize(("n", "margin"), [(100, 0.005), (359, 0.008), (359, 0.0186), (1797, 0.005), (10_000, 0.005)])
def test_of_losses_as_large_as_the_margin_at_most_one_in_twenty_passes(n, margin):
    """Each answer turns wrong with that probability; however few the items are."""
    right = round(STORED * n) - np.random.default_rng(0).binomial(n, margin, RUNS)
    kinds = [said(k, n, margin, stored=round(STORED * n) / n).kind for k in right]
    assert kinds.count("pass") <= 0.05 * RUNS + 3 * np.sqrt(0.05 * 0.95 * RUNS)


@pytest.mark.parametrize(("n", "margin"), [(359, 0.0186), (1797, 0.0083), (10_000, 0.005)])
def test_of_runs_without_a_loss_at_most_one_in_a_hundred_fails(n, margin):
    """A third of a percent of the answers turns wrong and as many turn right."""
    draws = np.random.default_rng(0)
    right = round(STORED * n) - draws.binomial(n, 0.0033, RUNS) + draws.binomial(n, 0.0033, RUNS)
    kinds = [said(min(k, n), n, margin).kind for k in right]
    assert kinds.count("regressed") <= 0.01 * RUNS


def test_the_same_answers_pass_where_the_items_suffice():
    """359 images tell a loss of 0.84 points from none, not one of 0.8: the number that does is said."""
    assert "pass" == said(352, 359, 0.0084, stored=352 / 359).kind
    doubt = said(352, 359, 0.008, stored=352 / 359)
    assert "inconclusive" == doubt.kind
    assert "the margin of 0.80% is less than 359 items can detect, 0.83%: record anew" in doubt.reason
    assert "about 380 items (more images, or seeds that test others) would decide" in doubt.reason


def test_a_lost_answer_too_many_is_counted():
    """What was lost, how likely that is, and how many items would decide."""
    doubt = said(1770 - 9, 1797, 0.00832, stored=1770 / 1797)
    assert (
        "98.50% -> 98.00%: 9 of 1797 items lost; a loss of 0.83% loses as few in 7% of cases, too many to pass"
        in doubt.reason
    )
    assert "would decide" in doubt.reason


@pytest.mark.parametrize("n", [359, 360])
@given(data=st.data())
def test_the_same_answers_lose_nothing_though_files_round(n, data):
    """Stored with six digits: at the least margin that is ever recorded, unchanged code passes."""
    right = data.draw(st.integers(n // 2, n))
    stored = float(f"{right / n:.6g}")
    assert "pass" == said(right, n, least_margin(n) + 1e-6, stored=stored).kind


def test_a_mean_over_folds_of_unequal_size_is_a_share_too():
    """Five seeds of the digits test 360 and 359 images: the mean over seeds is not that of all images to the bit."""
    folds = [(360, 358), (360, 357), (359, 357), (359, 358), (359, 355)]
    mean = sum(right / n for n, right in folds) / len(folds)
    entry = expectation("accuracy", mean, low=mean - 0.00832)
    low, high = wilson(sum(right for _, right in folds), 1797, 0.95)
    found = measurement("accuracy", mean - 9 / 1797, n=1797, low=low, high=high, confidence=0.95, share=True)
    assert "inconclusive" == judge(found, entry, quiet=True, today=TODAY).kind


def test_between_a_pass_and_a_regression_it_is_inconclusive():
    """Of 1,797 images and a margin of 0.83 points: 8 lost pass, 9 do not, 15 regress; a gain passes."""
    stored = 1770 / 1797
    kinds = {lost: said(1770 - lost, 1797, 0.00832, stored=stored).kind for lost in (-5, 0, 8, 9, 14, 15)}
    assert ["pass"] * 3 + ["inconclusive"] * 2 + ["regressed"] == list(kinds.values())


def test_errors_count_upwards():
    """A share of wrong answers, where lower is better."""
    bounds = Bounds(value=0.02, low=None, high=0.028)
    low, high = wilson(7, 359, 0.95)
    wrong = replace(share(352, 359), value=7 / 359, low=low, high=high, better="lower")
    assert "would decide" in too_few(replace(wrong, better="lower"), bounds)
    assert "" == too_few(wrong, replace(bounds, high=0.06))
    assert "" == too_few(wrong, replace(bounds, high=None))


def test_what_is_no_share_of_items_is_left_alone():
    """Other scores say nothing about items, other items nothing about lost ones, nor a bound that is the value."""
    one = share(352, 359)
    assert "" == too_few(replace(one, share=False), Bounds(value=0.98, low=0.975, high=None))
    assert "" == too_few(one, Bounds(value=0.98, low=0.975, high=None, same_items=False))
    assert "" == too_few(one, Bounds(value=0.98, low=0.98, high=None))
    assert "" == too_few(one, Bounds(value=0.98, low=-0.5, high=None))


def test_near_the_bound_no_number_tells():
    """Lost as many as the margin allows."""
    assert items_needed(0.008, 0.008) is None
    near = said(1770 - 14, 1797, 14 / 1797, stored=1770 / 1797)
    assert "too many to pass; the value is too close to the bound for any number of items" in near.reason


@pytest.mark.parametrize(("margin", "items"), [(0.05, 59), (0.01, 300), (0.001, 3000)])
def test_the_number_of_items_has_two_digits(margin, items):
    """Without a loss: 58.4, 298.1 and 2994.2."""
    assert items == items_needed(0.0, margin)


@pytest.mark.parametrize(
    ("share", "margin", "items"), [(0.004, 0.01, 920), (0.005, 0.01, 1200), (0.02, 0.05, 190), (0.009, 0.01, 28_000)]
)
def test_the_nearer_the_loss_to_the_margin_the_more_items_are_needed(share, margin, items):
    """In steps of 5 % from the number that suffices without a loss, rounded up to two digits."""
    assert items == items_needed(share, margin)
    assert as_few(math.ceil(share * items), items, margin) <= 0.05


@given(st.integers(5, 3000), st.floats(0.002, 0.4), st.floats(0, 1))
def test_more_items_than_those_that_do_not_decide_are_asked_for(n, margin, part):
    """Of 11 items 1 / 16 is none, but none of 11 would be too good for one lost of 16."""
    lost = round(part * n * margin)
    if as_few(lost, n, margin) > 0.05:
        assert items_needed(lost / n, margin) is None or n < items_needed(lost / n, margin)


@pytest.mark.parametrize(
    ("lost", "n", "margin", "chance"), [(0, 10, 0.1, 0.9**10), (1, 10, 0.1, 0.9**10 + 0.9**9), (2, 2, 0.3, 1.0)]
)
def test_the_chance_of_so_few_losses_is_binomial(lost, n, margin, chance):
    """By hand."""
    assert chance == pytest.approx(as_few(lost, n, margin))


@pytest.mark.parametrize(("n", "margin"), [(1, 0.95), (2, 1 - 0.05**0.5), (100, 0.029513)])
def test_the_least_margin_by_hand(n, margin):
    """The n-th root of 5 % is the share that is right then."""
    assert margin == pytest.approx(least_margin(n), rel=1e-5)


@given(st.integers(10, 100_000), st.floats(0.001, 0.5))
def test_the_loss_that_is_found_lies_its_quantile_above_the_margin(n, margin):
    """The equation of the module's docstring; at a margin of everything it is everything."""
    loss = loss_found(n, margin)
    assert loss - margin == pytest.approx(1.6448536 * math.sqrt(loss * (1 - loss) / n), rel=1e-5)
    assert pytest.approx(1.0) == loss_found(n, 1.0)


ITEMS = Bounds(value=0.5, low=0.25, high=None)  # a margin of a quarter, and shares that are exact in binary


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (8, ""),  # of 16: with a quarter, none is lost in 1 % of cases
        (9, ""),
        (7, "50.00% -> 43.75%: 1 of 16 items lost; a loss of 25.00% loses as few in 6% of cases, too many to pass; "),
        (6, "50.00% -> 37.50%: 2 of 16 items lost; a loss of 25.00% loses as few in 20% of cases, too many to pass; "),
    ],
)
def test_few_items_are_counted_one_by_one(right, words):
    """One of 16 is one too many."""
    assert words == too_few(share(right, 16), ITEMS)[: len(words) or None]


def test_the_items_that_would_decide_are_those_for_the_same_share():
    """One of 16 lost: of 23 items two would be lost, and as few are in 5 % of cases."""
    words = too_few(share(7, 16), ITEMS)
    assert words.endswith("; about 23 items (more images, or seeds that test others) would decide")
    assert as_few(2, 23, 0.25) < 0.05 < as_few(1, 16, 0.25)


@pytest.mark.parametrize(("n", "words"), [(10, "record anew, or about 11 items"), (11, "")])
def test_a_margin_below_what_the_items_can_tell_is_said_at_once(n, words):
    """A quarter is told from nothing by 11 items, not by 10."""
    found = too_few(replace(share(5, 10), n=n), ITEMS)
    assert words in found
    assert bool(words) is bool(found)


def test_losses_of_errors_count_upwards_and_gains_are_none():
    """A share of wrong answers has its bound above; the other bound does not matter."""
    wrong = replace(share(9, 16), better="lower")
    bounds = Bounds(value=0.5, low=0.0, high=0.75)
    assert "50.00% -> 56.25%: 1 of 16 items lost; a loss of 25.00%" in too_few(wrong, bounds)
    assert "" == too_few(replace(wrong, value=0.25), bounds)


@given(st.integers(10, 100_000))
def test_the_least_margin_is_told_from_no_loss_and_no_less_is(n):
    """It is what recording never goes below."""
    margin = least_margin(n)
    assert pytest.approx(0.05, rel=1e-6) == as_few(0, n, margin)
    assert as_few(0, n, 0.9 * margin) > 0.05


@given(st.integers(10, 100_000), st.floats(0.001, 0.2))
def test_more_lost_is_less_likely_to_be_as_few_where_more_is_at_stake(n, margin):
    """In the number lost it rises, in the margin it falls."""
    assert as_few(1, n, margin) <= as_few(2, n, margin)
    assert as_few(1, n, margin) >= as_few(1, n, min(0.99, margin * 1.5))
    assert margin < loss_found(n, margin) <= 1


def test_recording_asks_no_more_than_the_items_can_tell():
    """Of 100 images half a point is nobody's to find: the bound stands 3 points below."""
    low, _ = propose(share(98, 100, seeds=(0, 1, 2), noise=0.0005, margin=0.005))
    assert pytest.approx(0.98 - least_margin(100), abs=1e-3) == low
    assert "pass" == said(98, 100, 0.98 - low).kind


def test_fewer_seeds_of_a_share_get_wider_bounds():
    """One seed of four spreads twice as much: about its own stored value."""
    by_seed = {0: 0.99, 1: 0.96, 2: 0.97, 3: 0.96}
    entry = expectation("accuracy", 0.97, low=0.96, seeds=4, by_seed=by_seed)
    found = bounds_of(share(355, 359, seeds=(0,)), entry)
    assert (0.99, pytest.approx(0.97)) == (found.value, found.low)
    assert "stored for the same seeds (0), its margin 2 times as wide" in found.note
