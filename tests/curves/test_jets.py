"""Automatic differentiation against derivatives known by heart."""

import numpy as np
import pytest

from suite.core.errors import UsageError
from suite.curves.jets import BINARY, UNARY, derivatives

AT = np.array([0.3, 0.7, 1.9])


def differences(function, at):
    """First and second central differences."""
    h = 1e-4
    up, middle, down = function(at + h), function(at), function(at - h)
    return (up - down) / (2 * h), (up - 2 * middle + down) / h**2


@pytest.mark.parametrize("function", UNARY, ids=lambda ufunc: ufunc.__name__)
def test_a_function_of_one_argument(function):
    """With an inner function of its own, so that the chain rule shows."""
    jet = derivatives(lambda x: function(x * x + 0.1 * x), AT)
    first, second = differences(lambda x: function(x * x + 0.1 * x), AT)
    assert pytest.approx(first, rel=1e-5, abs=1e-6) == jet.first
    assert pytest.approx(second, rel=1e-4, abs=1e-6) == jet.second


@pytest.mark.parametrize("function", BINARY, ids=lambda ufunc: ufunc.__name__)
def test_a_function_of_two_arguments(function):
    """Both of which vary; then either alone."""
    for pair in (lambda x: (x * x, 2 + x), lambda x: (x * x, 2.0), lambda x: (2.0, x * x)):
        jet = derivatives(lambda x, pair=pair: function(*pair(x)), AT)
        first, second = differences(lambda x, pair=pair: function(*pair(x)), AT)
        assert pytest.approx(first, rel=1e-5, abs=1e-6) == jet.first
        assert pytest.approx(second, rel=1e-4, abs=1e-6) == jet.second


def test_choices_columns_and_indices():
    """np.where, np.stack and np.broadcast_arrays carry derivatives along."""

    def columns(x):
        return np.stack(np.broadcast_arrays(1.0, np.where(x > 1, x**3, x))[::-1], axis=-1)[..., :1]

    jet = derivatives(columns, AT)
    assert (3, 1) == jet.value.shape
    assert pytest.approx([1, 1, 3 * 1.9**2]) == jet.first[:, 0]
    assert pytest.approx([0, 0, 6 * 1.9]) == jet.second[:, 0]


def test_a_constant_has_no_derivative():
    """Not an error either."""
    assert np.array_equal([0, 0, 0], derivatives(lambda _: np.ones(3), AT).first)


@pytest.mark.parametrize("function", [np.arcsinh, np.cumsum, np.asarray, lambda x: np.add(x, x, where=x > 1)])
def test_what_has_no_rule_is_named(function):
    """Not differentiated wrongly."""
    with pytest.raises(UsageError, match="automatic differentiation needs NumPy's universal functions"):
        derivatives(function, AT)
