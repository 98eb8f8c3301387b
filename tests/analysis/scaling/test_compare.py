"""Families side by side: the true one is preferred, ties are no preference, forecasts are put to the test."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest

from suite.analysis.scaling.compare import ARTICLE, CurvePoints, compared, preference
from suite.analysis.scaling.fit_csv import listed
from suite.analysis.scaling.tables import decisions, family_rows, forecasts, markdown, section
from suite.core.errors import UsageError
from suite.curves import FAMILIES, FitError, fit

X = np.repeat(np.geomspace(10, 2560, 9), 2)
NOISE = 0.01 * np.random.default_rng(0).standard_normal(18)


def loss(noise=NOISE):
    return CurvePoints(resource=X, quality=2 + 9 * X**-0.5 + noise, better="lower", kind="loss")


@pytest.fixture(scope="module")
def found():
    return compared(loss(), ("pow3", "logarithm", *ARTICLE))


def test_the_true_family_is_preferred_and_the_others_follow_by_aicc(found):
    """A power law with an offset, noise of a hundredth."""
    assert "pow3" == found.preferred.name
    assert sorted(one.aicc for one in found.candidates) == [one.aicc for one in found.candidates]
    assert preference(found).startswith("AICc prefers pow3 by ")
    assert found.named("gompertz").flat
    assert "behind as a constant, for it cannot take this direction" in preference(found)


def test_where_a_curve_falls_the_articles_families_have_an_offset():
    """A constant beside the winner tells nothing."""
    found = compared(loss(), ("pow3", "exp3", "gompertz4", *ARTICLE))
    assert ["exp3", "gompertz4"] == [one.name for one in found.article]
    assert "gompertz4 is " in preference(found) or "over gompertz4" in preference(found)
    rising = CurvePoints(resource=X, quality=1 - 0.9 * X**-0.5 + 0.01 * NOISE)
    assert list(ARTICLE) == [one.name for one in compared(rising, ("pow3", *ARTICLE)).article]


def test_the_asymptote_is_told_where_there_is_one(found):
    """By a profile interval that holds the estimate and lies near the true 2."""
    low, high = found.preferred.intervals["a"]
    assert 1.9 < low < found.preferred.fit.params["a"] < high < 2.1
    assert "not identified: logarithm has none" == found.named("logarithm").asymptote


def test_the_hidden_points_are_those_beyond_a_quarter(found):
    """The extrapolation error is that of a fit that never saw them; the last value misses by more."""
    seen, q = X <= 640, found.series.quality
    blind = fit(X[seen], q[seen], family="pow3", loss="squares")
    expected = np.sqrt(np.mean((blind(X[~seen]) - q[~seen]) ** 2))
    assert pytest.approx(expected) == found.preferred.extrapolation
    assert found.last_error > 3 * found.preferred.extrapolation
    assert found.doubt is None


def test_families_that_fit_alike_are_no_preference():
    """Accuracies of a small network on handwritten digits: Hill's curve and a power law are 0.1 apart."""
    resource = np.array([34.0, 55, 91, 149, 244, 400, 656, 1078])
    quality = np.array([0.811, 0.892, 0.944, 0.964, 0.981, 0.983, 0.985, 0.993])
    found = compared(CurvePoints(resource=resource, quality=quality), ("pow3", "hill", "logarithm"))
    assert "differences below 2 are no preference; the next is logarithm" in preference(found)


def test_a_family_whose_parameters_the_data_do_not_tell_is_passed_over():
    """A broken power law with its break between the first two resources has the least AICc and says nothing."""
    resource = np.repeat([5.0, 9, 17, 31, 56, 101, 182, 330], 2)
    share = [
        0.206,
        0.219,
        0.422,
        0.336,
        0.803,
        0.817,
        0.856,
        0.908,
        0.953,
        0.911,
        0.975,
        0.967,
        0.989,
        0.978,
        0.997,
        0.986,
    ]
    sigma = np.repeat([0.022, 0.026, 0.021, 0.017, 0.013, 0.009, 0.007, 0.005], 2)
    series = CurvePoints(resource=resource, quality=np.array(share), sigma=sigma)
    found = compared(series, ("hill", "broken_power_law"), profiles=False)
    assert "hill" == found.preferred.name
    assert ["broken_power_law"] == [one.name for one in found.passed_over]
    assert "broken_power_law fits better, but the data do not tell its" in preference(found)


def test_tables_hold_every_family_and_the_two_rivals(found):
    """As many rows as families, and two that have one figure each."""
    rows = family_rows(found)
    assert ["extrapolate", "last value"] == [row["family"] for row in rows[-2:]]
    assert {"pow3", "logarithm", *ARTICLE} == {row["family"] for row in rows[:-2]}
    assert len(rows) + 2 == len(markdown(rows).splitlines())


def test_decisions_and_forecasts_name_their_units(found):
    """Doubling gain of a falling loss is negative; a target below the asymptote is out of reach."""
    said = decisions(found, unit="tokens", quality="nats", targets=(1.0, 2.5))
    assert "nats/tokens" in said[0]
    assert said[1].startswith("twice as much brings: -")
    assert "target: 1 is unreachable at 95%" == said[2]
    assert said[3].endswith("] tokens")
    rows = forecasts(found, [5000.0])
    assert ["pow3", "extrapolate"] == [row["by"] for row in rows]
    assert all(row["low"] < 2 + 9 * 5000**-0.5 < row["high"] for row in rows)


def test_an_unknown_family_is_guessed():
    """Before anything is fitted."""
    with pytest.raises(UsageError, match="unknown family 'pow'; did you mean"):
        compared(loss(), ("pow",))


def test_too_few_points_are_one_error():
    """Two resources tell no family with three parameters from another."""
    few = CurvePoints(resource=np.array([1.0, 2.0]), quality=np.array([1.0, 2.0]))
    with pytest.raises(FitError, match="I cannot tell which family is the best: 2 different resources"):
        compared(few, ("pow3",))


def test_a_peak_is_described_by_no_family():
    """Double descent: all families are monotone, so their figures are doubted wherever they stand."""
    width = np.arange(8.0, 168.0, 8.0)
    loss = 1 + 16 / width + 2.5 * np.exp(-(((width - 64) / 10) ** 2))
    found = compared(CurvePoints(resource=width, quality=loss, better="lower", kind="loss"), ("pow3", "logarithm"))
    assert found.misfit.startswith("no family describes these points")
    assert "**Doubtful: no family describes these points" in section(found, "a", unit="width", quality="loss")
    assert all(row["doubt"] == found.misfit for row in forecasts(found) if row["by"] != "extrapolate")


@pytest.mark.parametrize("noise", [NOISE, 100 * NOISE])
def test_noise_is_no_misfit(noise):
    """However little of it a family explains."""
    assert compared(loss(noise), ("pow3", "pow2"), profiles=False).misfit is None


def test_without_a_direction_nothing_is_forecast():
    """A rising loss and a rising accuracy have the same values."""
    found = compared(CurvePoints(resource=X, quality=2 + 9 * X**-0.5), ("pow3",), profiles=False)
    assert "whether higher or lower is better is not known" in found.doubt


def test_notes_stand_below_the_title():
    """What was assumed and left out."""
    series = replace(loss(), notes=("loss is taken as a loss",))
    said = section(compared(series, ("pow3",), profiles=False), "a", unit="x", quality="loss")
    assert "## a\n\n- loss is taken as a loss\n\n" == said[: said.index("AICc")]


def test_every_family_is_listed_with_its_source():
    """A line each."""
    lines = list(listed())
    assert len(FAMILIES) == len(lines)
    assert all(cls.source in line for (_, cls), line in zip(sorted(FAMILIES.items()), lines, strict=True))
