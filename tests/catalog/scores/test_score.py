"""Declaring a score: what it must say."""

import pytest

from suite.catalog.scores import Score
from suite.core.errors import RegistrationError


def of_items(_outputs, _targets):
    return []


def of_all(_outputs, _targets):
    return 0.0


@pytest.mark.parametrize("functions", [{}, {"per_item": of_items, "aggregate": of_all}], ids=["neither", "both"])
def test_a_score_has_a_figure_per_item_or_one_of_all(functions):
    """Never none, never both."""
    with pytest.raises(RegistrationError, match="score 'mine': give either per_item or aggregate"):
        Score(name="mine", better="higher", **functions)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "top-5"}, "a score's name must be a Python name .* got 'top-5'"),
        ({"better": "more"}, "score 'mine': better must be 'higher' or 'lower', got 'more'"),
    ],
)
def test_a_wrong_name_or_direction_is_an_error_that_shows_it(changes, expected):
    """At the line that declares the score."""
    with pytest.raises(RegistrationError, match=expected):
        Score(**({"name": "mine", "better": "higher", "per_item": of_items} | changes))
