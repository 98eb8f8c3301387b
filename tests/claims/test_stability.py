"""How many verdicts further runs would change, on figures whose spread is known."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from claim_samples import claim, claims, measured

from suite.claims.claim import Standing
from suite.claims.evidence import ClaimEvidence
from suite.claims.facts import FACTS
from suite.claims.quantities import Quantity
from suite.claims.stability import stability

LEVELS = ("m-2c", "cpu-x86_64-avx2", "any")


def found(one, *measurements, draws=20):
    return stability(one, ClaimEvidence.of(measurements), LEVELS, lambda _: None, draws=draws)


def test_verdicts_far_from_their_limits_never_change():
    """Nor do counts; what is open is not among the decided ones."""
    text = (
        '[{name}]\nkind = "empirical"\nsource = "o"\nstatement = "s"\nholds = "{holds}"\ncells = {{ a = "w/{cell}" }}\n'
    )
    many = claims(
        text.format(name="A", holds="speedup(a) > 1", cell="fast")
        + text.format(name="B", holds="speedup(a) > 3", cell="fast")
        + text.format(name="C", holds="parameters(a) < 100", cell="fast")
        + text.format(name="D", holds="speedup(a) > 1", cell="slow")
    )
    seen = measured(2.0, 1.98, 2.02), measured(50, metric="parameters"), measured(1.0, 0.9, 1.1, technique="slow")
    stable = found(many, *seen)
    assert ["holds", "refuted", "holds", "undecided"] == [one.standing for one in stable.found]
    assert (0.0, 0.0, 0, {}, 3) == (
        stable.share, stable.measured_share, stable.opposite, stable.changes, len(stable.decided())
    )  # fmt: skip


def test_a_verdict_that_an_interval_just_decides_changes_in_half_of_the_draws():
    """To an open one: the opposite is as far away as the interval is wide."""
    stable = found([claim('"speedup(ours) > 2"')], measured(2.101, 2.001, 2.201), draws=200)
    assert 0.5 == pytest.approx(stable.share, abs=0.1)
    assert stable.opposite <= 0.1 * 200
    assert Standing.UNDECIDED in stable.changes["A-1"]


def test_what_is_computed_counts_among_all_verdicts_and_not_among_the_measured_ones():
    """It never changes."""
    one = claim('"speedup(ours) > 2"')
    sums = [replace(claim('"amdahl(0.5) == 2"', kind="mathematics"), name=f"S-{number}") for number in range(3)]
    stable = found([one, *sums], measured(2.101, 2.001, 2.201), draws=40)
    assert stable.measured_share == pytest.approx(4 * stable.share)
    assert stable.measured_share > 0.2


def test_draws_are_the_same_ones_each_time():
    """Another seed gives others."""
    one, evidence = claim('"speedup(ours) > 2"'), ClaimEvidence.of([measured(2.101, 2.001, 2.201)])
    shares = [stability([one], evidence, LEVELS, lambda _: None, draws=50, seed=seed).changes for seed in (0, 0, 1)]
    assert shares[0] == shares[1] != shares[2]


def test_what_is_not_judged_is_not_counted():
    """An amended claim is no verdict."""
    evidence = ClaimEvidence.of([measured(2.5, 2.4, 2.6)])
    stable = stability([claim()], evidence, LEVELS, lambda _: None, draws=2, amended={"A-1": "was edited"})
    assert (0.0, []) == (stable.share, stable.decided())


def test_facts_are_computed_once(monkeypatch):
    """Trainings take minutes; those with an interval are drawn again."""
    asked = []
    monkeypatch.setitem(
        vars(FACTS["ticket_change"]), "compute", lambda _: asked.append(1) or Quantity(value=0.1, low=0.001, high=0.2)
    )
    stable = found([claim("'ticket_change(\"x\") > 0'")], draws=30)
    assert 1 == len(asked)
    assert 0.2 < stable.share < 0.8
