"""Our counts and the published ones."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_samples import COUNTS, ENTRY

from suite.claims.torchvision.agreement import disagreements


def test_equal_counts_agree():
    """Multiply-accumulates to the three decimals that are published."""
    assert [] == list(disagreements(ENTRY, COUNTS))


def test_one_parameter_more_is_said():
    """Parameters are whole numbers on both sides."""
    found = list(disagreements(ENTRY, replace(COUNTS, parameters=1_235_497)))
    assert ["squeezenet1_1 IMAGENET1K_V1: 1235497 parameters, published 1235496"] == found


@pytest.mark.parametrize(("macs", "said"), [(349_600_000, "0.349600"), (348_400_000, "0.348400"), (None, "none")])
def test_other_multiply_accumulates_are_said(macs, said):
    """Half of the last decimal is the most; what was not counted cannot agree."""
    found = list(disagreements(ENTRY, replace(COUNTS, macs=macs)))
    assert len(found) == 1
    assert said in found[0]
    assert found[0].endswith("published 0.349")


def test_what_is_not_published_is_no_agreement():
    """A torchvision without these figures would check nothing."""
    found = list(disagreements(replace(ENTRY, parameters=None, gmacs=None), COUNTS))
    assert [True, True] == [sentence.endswith("published none") for sentence in found]


@given(macs=st.integers(min_value=1, max_value=10**13))
def test_a_count_agrees_with_itself_rounded_to_three_decimals(macs):
    """However it is rounded, and with none that is a whole decimal away."""
    published = round(macs / 1e9, 3)
    exact = replace(COUNTS, macs=macs)
    assert [] == list(disagreements(replace(ENTRY, gmacs=published), exact))
    assert 1 == len(list(disagreements(replace(ENTRY, gmacs=published + 0.0011), exact)))
