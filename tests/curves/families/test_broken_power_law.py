"""The broken power law: its two exponents, its plain special case, and growing returns before a sharp break."""

import numpy as np
import pytest

from suite.curves.families.broken_power_law import BrokenPowerLaw
from suite.curves.families.pow3 import Pow3

SHARP = BrokenPowerLaw(a=0.1, b=2.0, before=0.2, after=2.0, d=100.0, f=0.1)


def test_without_a_change_of_the_exponent_it_is_the_power_law():
    """Whatever the break's place and width."""
    r = np.geomspace(0.01, 1e6, 9)
    plain = Pow3(a=0.1, b=-2.0, c=0.3)
    broken = BrokenPowerLaw(a=0.1, b=2.0, before=0.3, after=0.3, d=7.0, f=0.2)
    assert pytest.approx(plain(r), rel=1e-14) == broken(r)
    assert pytest.approx(plain.derivative(r), rel=1e-14) == broken.derivative(r)


def test_it_is_the_published_formula():
    """a + b r^-c0 (1 + (r/d)^(1/f))^(-c1 f) with c1 = after - before."""
    r = np.geomspace(1, 1e4, 9)
    assert pytest.approx(0.1 + 2 * r**-0.2 * (1 + (r / 100) ** 10) ** (-1.8 * 0.1), rel=1e-13) == SHARP(r)


@pytest.mark.parametrize(("resource", "exponent"), [(1e-3, 0.2), (100.0, 1.1), (1e7, 2.0)])
def test_the_exponent_changes_at_the_break(resource, exponent):
    """Half way at the break itself."""
    slope = resource * SHARP.derivative(resource) / (SHARP(resource) - 0.1)
    assert pytest.approx(-exponent, rel=1e-6) == slope


def test_marginal_returns_grow_before_a_sharp_break_to_a_steeper_law():
    """Between the two intervals on which they diminish; the inflection is where they turn."""
    (start, first), (second, end) = SHARP.diminishing
    assert (0, np.inf) == (start, end)
    assert first < 100 < second == SHARP.inflection
    assert pytest.approx([0, 0], abs=1e-15) == SHARP.second_derivative([first, second])


@pytest.mark.parametrize("changes", [{"f": 1.0}, {"after": 0.05}])
def test_a_smooth_break_or_one_to_a_flatter_law_has_no_inflection(changes):
    """Returns diminish throughout."""
    assert SHARP.replace(**changes).inflection is None
    assert ((0.0, np.inf),) == SHARP.replace(**changes).diminishing
