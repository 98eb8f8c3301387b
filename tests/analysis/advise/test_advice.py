"""The next step: rising, flat, falling and erratic curves, with and without a bottleneck."""
# the expected value stands on the left

import json
from dataclasses import replace

import curves
import numpy as np
import pytest
from planted import CEILINGS
from recorded import operator, recording

from suite.analysis.advise.advice import ADD, FIX, OPTIMISE, advise, headline
from suite.analysis.advise.limit import limit
from suite.analysis.advise.outlook import kind_of, outlook
from suite.analysis.advise.text import lines, write_json
from suite.analysis.profile.bottleneck import analyse
from suite.core.errors import ResultsError, UsageError
from suite.curves import ExtrapolationError

FOUND = {}


@pytest.fixture(autouse=True)
def _each_limit_once(monkeypatch):
    """Seven families are fitted for it, and many tests ask about the same curve."""

    def once(curve, kind):
        key = curve.resource.tobytes(), curve.quality.tobytes(), kind
        if key not in FOUND:
            FOUND[key] = limit(curve, kind)
        return FOUND[key]

    monkeypatch.setattr("suite.analysis.advise.advice.limit", once)


def options(advice):
    return {option.step: option for option in advice.options}


def waiting():
    """Nine tenths of a step wait for data."""
    return analyse(recording(data=9, compute=1), CEILINGS)


def test_a_rising_curve_is_to_have_more():
    """With the experience of public curves as evidence."""
    found = advise(curves.curve(curves.RISING))
    assert found.headline.startswith(ADD)
    assert [ADD, OPTIMISE] == [option.step for option in found.options]
    assert found.options[0].gain > 0.01
    assert any("public curves" in line for line in found.options[0].evidence)


def test_a_flat_curve_is_to_have_another_algorithm():
    """Whose gain nobody knows."""
    found = advise(curves.curve(curves.FLAT))
    assert found.headline.startswith(OPTIMISE)
    assert OPTIMISE == found.options[0].step
    assert found.options[0].gain is None


def test_of_a_falling_curve_nobody_can_tell():
    """The reason is the forecast's; the fall is noted."""
    found = advise(curves.curve(curves.FALLING))
    assert found.headline.startswith("I cannot tell: ")
    assert [None, None] == [option.probability for option in found.options]
    assert any(note.startswith("it is 0.3 worse than its best") for note in found.notes)


def test_a_chance_of_one_half_is_no_advice():
    """Another point would help."""
    ahead = outlook(curves.curve(curves.RISING), 0.01)
    assert headline(replace(ahead, chance=0.5)).startswith("I cannot tell: a doubling gains over 0.01")


@pytest.mark.parametrize(
    ("chance", "start"),
    [(0.67, ADD), (0.66, "I cannot tell"), (0.34, "I cannot tell"), (0.33, OPTIMISE)],
)
def test_advice_is_given_from_two_thirds_on(chance, start):
    """For or against."""
    ahead = outlook(curves.curve(curves.RISING), 0.01)
    assert headline(replace(ahead, chance=chance)).startswith(start)


def test_the_two_levers_share_one_probability():
    """Either the doubling is worth it or not."""
    found = options(advise(curves.curve(curves.ERRATIC)))
    assert pytest.approx(1) == found[ADD].probability + found[OPTIMISE].probability


def test_a_price_that_nothing_brings_turns_the_advice():
    """90 points are more than there are."""
    assert advise(curves.curve(curves.RISING), worth=90.0).headline.startswith(OPTIMISE)


def test_a_bottleneck_is_a_step_of_its_own():
    """Its ceiling is Amdahl's, its gain that of the time it frees."""
    found = options(advise(curves.curve(curves.RISING), bottleneck=waiting()))[FIX]
    assert 1 == found.probability
    assert found.gain > 0
    assert "recorded is data-bound: 90 % of a step of 10 ms" == found.evidence[0]
    assert "at most 10 times as fast (Amdahl)" in found.evidence[1]


def test_an_unclear_profile_has_no_probability():
    """And ranks last."""
    unclear = analyse(recording(operator("aten::sort", ms=9, moved=1e6)), CEILINGS)
    found = advise(curves.curve(curves.RISING), bottleneck=unclear).options[-1]
    assert FIX == found.step
    assert found.probability is None
    assert "unclear" in found.evidence[0]


def test_few_points_are_too_few():
    """Five are no basis of a forecast, three not even a curve."""
    found = advise(curves.curve([0.5, 0.6, 0.7, 0.75, 0.78]))
    assert "I cannot tell: too few points" in found.headline
    assert any("not identified: fewer than 6 points" in line for option in found.options for line in option.evidence)


@pytest.mark.parametrize("options", [{"kind": "accuracy"}, {"kind": "loss"}])
def test_of_three_points_nobody_can_tell(options):
    """Not even with which price: no error, and what a forecast needs."""
    found = advise(curves.curve([0.5, 0.6, 0.7], **options))
    assert "I cannot tell: 3 different amounts; a forecast needs at least 4, better 12" == found.headline
    assert () == found.options


def test_a_curve_without_a_direction_is_refused():
    """Values alone cannot tell a diverging loss from a rising accuracy."""
    with pytest.raises(ExtrapolationError, match="whether a is better when higher or lower is not known; say --kind"):
        advise(curves.curve(curves.RISING, better=None))


def test_a_loss_that_diverges_is_no_reason_for_more():
    """Its values rise as those of an accuracy would; no price is needed to say so."""
    found = advise(curves.curve([2.9, 2.5, 2.3, 2.4, 2.9, 3.6, 4.6, 6.0], kind="loss"))
    assert "I cannot tell: the quality has risen by more than its noise in the last five doublings" == found.headline


def test_an_interval_wider_than_anything_seen_is_no_advice():
    """Six epochs that fall faster and faster: the forecast gained 0.5 where the truth was 0.03."""
    epochs = np.arange(1.0, 7.0)
    found = advise(curves.curve([1.92414, 1.89871, 1.92917, 1.85228, 1.74734, 1.67423], sizes=epochs, kind="loss"))
    assert "I cannot tell: the interval is wider than the range of all measured values" == found.headline
    assert found.options[0].gain is None


def test_a_loss_needs_a_price_of_its_own():
    """Points are of accuracies."""
    loss = 1 + 4 * curves.SIZES**-0.5
    with pytest.raises(UsageError, match="--worth is needed"):
        advise(curves.curve(loss, kind="loss"))
    assert advise(curves.curve(loss, kind="loss"), worth=0.001).headline.startswith(ADD)
    assert advise(curves.curve(loss, kind="loss"), worth=1.0).headline.startswith(OPTIMISE)


def test_percentages_are_told_to_be_fractions():
    """80 is no accuracy."""
    with pytest.raises(UsageError, match="in percent is to be divided by 100"):
        advise(curves.curve(100 * curves.RISING))


@pytest.mark.parametrize("worth", [-1.0, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(worth):
    """With its value."""
    with pytest.raises(UsageError, match="--worth must be a finite number"):
        advise(curves.curve(curves.RISING), worth=worth)


def test_a_curve_of_no_known_kind_is_refused():
    """By the forecast's own error."""
    with pytest.raises(ExtrapolationError):
        advise(curves.curve(curves.RISING - 2, kind="accuracy"))


def test_the_asymptote_of_an_exact_law_is_found():
    """0.9 - r^-0.5."""
    exact = curves.curve(0.9 - curves.SIZES**-0.5)
    found = limit(exact, kind_of(exact))
    assert "pow3" == found.family
    assert pytest.approx(0.9, abs=1e-4) == found.asymptote
    assert pytest.approx(exact.resource[-1] ** -0.5, rel=1e-2) == found.room


def test_a_logarithm_has_no_asymptote():
    """Not identified, and why."""
    endless = curves.curve(0.1 * np.log(curves.SIZES), kind="unbounded")
    found = limit(endless, kind_of(endless))
    assert found.room is None
    assert str(found).startswith("the asymptote is not identified: ")


def test_the_words_rank_the_steps_and_give_their_figures():
    """One line each, evidence below."""
    said = list(lines(advise(curves.curve(curves.RISING), bottleneck=waiting())))
    assert said[0].startswith("a: add resources: ")
    assert sum(line[0].isdigit() for line in said) == 3
    assert any("expected gain +" in line for line in said)


def test_json_holds_the_same(tmp_path):
    """For other programs."""
    found = advise(curves.curve(curves.FALLING))
    write_json(found, tmp_path / "advice.json")
    read = json.loads((tmp_path / "advice.json").read_text("utf-8"))
    assert found.headline == read["headline"]
    assert [option.step for option in found.options] == [option["step"] for option in read["options"]]


def test_json_that_cannot_be_written_is_one_sentence(tmp_path):
    """With the path."""
    with pytest.raises(ResultsError, match=r"cannot write .*advice.json: No such file"):
        write_json(advise(curves.curve(curves.FALLING)), tmp_path / "none" / "advice.json")
