"""The two curves of the article against figures worked out with 40 decimal digits."""

import pytest

from suite.curves.article import GOMPERTZ, SATURATING


def digits(value):
    """Ten significant ones."""
    return pytest.approx(value, rel=5e-11)


@pytest.mark.parametrize(
    ("resource", "value", "slope"),
    [
        (0, 0.01739985694430, 0.00695994277772),
        (10, 0.21809793824528, 0.03209349905693),
        (13.862943611198906, 0.34948546911287, 0.03494854691129),
        (20, 0.55286887166872, 0.02992906613600),
        (40, 0.88288895069228, 0.00646827007989),
        (60, 0.94062728379388, 0.00093263277085),
    ],
)
def test_the_gompertz_curve_and_its_marginal_return(resource, value, slope):
    """Alpha 0.95, beta 4, gamma 0.1."""
    assert digits(value) == GOMPERTZ(resource)
    assert digits(slope) == GOMPERTZ.derivative(resource)


@pytest.mark.parametrize(
    ("resource", "value", "slope"),
    [
        (1, 0.04633204672432, 0.04518339766379),
        (20, 0.60051453088713, 0.01747427345564),
        (40, 0.82143148092518, 0.00642842595374),
        (100, 0.94359895034881, 0.00032005248246),
    ],
)
def test_the_saturating_exponential_and_its_marginal_return(resource, value, slope):
    """Top 0.95, scale 20."""
    assert digits(value) == SATURATING(resource)
    assert digits(slope) == SATURATING.derivative(resource)


@pytest.mark.parametrize(
    ("share", "gompertz", "saturating"),
    [
        (0.5, 17.52807281702, 13.86294361120),
        (0.9, 36.36661688432, 46.05170185988),
        (0.95, 43.56489610162, 59.91464547108),
        (0.99, 59.86443587896, 92.10340371976),
    ],
)
def test_the_resources_that_bring_a_share_of_the_top(share, gompertz, saturating):
    """The inverse of both curves."""
    assert digits(gompertz) == GOMPERTZ.inverse(share * 0.95)
    assert digits(saturating) == SATURATING.inverse(share * 0.95)


def test_the_inflection_of_the_gompertz_curve():
    """ln(4) / 0.1, where its value is alpha / e."""
    assert digits(13.86294361120) == GOMPERTZ.inflection
    assert digits(0.34948546911) == GOMPERTZ(GOMPERTZ.inflection)
