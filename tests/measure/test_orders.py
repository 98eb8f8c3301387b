"""Orders of turns: no arm may profit from where it runs or from which arm ran before it."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from suite.measure.sampler.orders import balanced_orders, williams

ARMS = st.integers(2, 7)


@given(arms=ARMS)
def test_each_arm_runs_equally_often_in_each_position(arms):
    square = williams(arms)
    places = Counter((place, arm) for row in square for place, arm in enumerate(row))
    assert {len(square) // arms} == set(places.values())
    assert arms * arms == len(places)


@given(arms=ARMS)
def test_each_arm_follows_each_other_arm_equally_often(arms):
    square = williams(arms)
    follows = Counter(pair for row in square for pair in pairwise(row))
    assert {len(square) // arms} == set(follows.values())
    assert arms * (arms - 1) == len(follows)


@given(arms=ARMS)
def test_an_even_number_of_arms_needs_no_mirror_image(arms):
    assert len(williams(arms)) == (arms if arms % 2 == 0 else 2 * arms)


@given(arms=ARMS, seed=st.integers(0, 10_000))
def test_random_labels_keep_the_balance_of_each_square(arms, seed):
    square = len(williams(arms))
    orders = list(islice(balanced_orders(arms, random.Random(seed)), 3 * square))  # noqa: S311  # guards no secret
    for start in range(0, len(orders), square):
        follows = Counter(pair for row in orders[start : start + square] for pair in pairwise(row))
        assert {square // arms} == set(follows.values())


def test_the_order_depends_on_the_seed_alone():
    def drawn(seed):
        return list(islice(balanced_orders(3, random.Random(seed)), 20))  # noqa: S311  # guards no secret

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
