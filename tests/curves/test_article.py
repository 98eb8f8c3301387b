"""What the article says of its two curves against what they do."""

import pytest

from suite.core.errors import UsageError
from suite.curves.article import (
    STATEMENTS,
    elasticity,
    farthest_from_straight,
    largest_excess,
    meets_straight,
    slope_at,
    slope_ratio,
    statement,
)


@pytest.mark.parametrize(
    ("claim", "said", "true"),
    [
        ("M-07", 0.019, pytest.approx(0.029929066136, abs=5e-13)),
        ("M-08", 0.007, pytest.approx(0.006468270080, abs=5e-13)),
        ("M-09", 0.368, pytest.approx(0.2161, abs=5e-5)),
    ],
)
def test_the_articles_figures_are_refuted(claim, said, true):
    """Rounded as the article rounds, 0.030 and 0.006 (and their ratio 0.216)."""
    found = statement(claim)
    assert said == found.said
    assert true == found.true()
    assert found.refuted


@pytest.mark.parametrize(("resource", "rounded"), [(20, 0.030), (40, 0.006)])
def test_what_the_article_should_have_said(resource, rounded):
    """To three decimals."""
    assert rounded == round(slope_at(resource), 3)


def test_a_figure_that_is_right_as_rounded_is_not_refuted():
    """The verdict is about the figure, not about the claim's name."""
    right = statement("M-08")
    assert not type(right)(right.claim, right.says, right.true, said=0.006).refuted


def test_diminishing_returns_begin_at_the_inflection():
    """D-02: ln(4) / 0.1; between 20 and 40 they do diminish, to 0.2161."""
    assert pytest.approx(13.863, abs=5e-4) == statement("D-02").true()
    assert pytest.approx(0.2161, abs=5e-5) == slope_ratio()
    assert slope_at(0) < slope_at(13)


@pytest.mark.parametrize(("resource", "true"), [(1, 0.045), (20, 0.349), (100, 0.032)])
def test_the_simulated_curve_is_no_logarithm(resource, true):
    """C-02: R P' of a logarithm is constant."""
    assert pytest.approx(true, abs=5e-4) == elasticity(resource)


def test_the_straight_line_is_not_ideal():
    """C-03: the curve lies above it up to 99.3023, most at 20 ln(5) = 32.189, by 0.4542."""
    assert pytest.approx(99.3023, abs=5e-5) == meets_straight()
    assert pytest.approx(32.189, abs=5e-4) == farthest_from_straight()
    assert pytest.approx(0.4542, abs=5e-5) == largest_excess()


def test_the_maximum_is_not_reached_in_the_plot():
    """C-04: P(100) = 0.943599."""
    assert pytest.approx(0.943599, abs=5e-7) == statement("C-04").true()


def test_every_statement_can_be_computed_and_has_a_claim_of_its_own():
    """A table without a hole or a double."""
    assert len(STATEMENTS) == len({each.claim for each in STATEMENTS})
    assert all(each.true() == each.true() > 0 for each in STATEMENTS)


def test_an_unknown_statement_is_answered_with_the_nearest():
    """A typing error costs one run."""
    with pytest.raises(UsageError, match="unknown statement of the article 'M-7'; did you mean M-07"):
        statement("M-7")
