"""Faults that were planted in figures, facts and ledgers: each changes a verdict or is refused."""
# the expected value stands on the left

from dataclasses import replace
from pathlib import Path

import pytest
from claim_samples import claim, claims, measured

from suite.claims.evidence import ClaimEvidence
from suite.claims.facts import bibliography, networks
from suite.claims.judging import judge
from suite.claims.ledger import read_ledger
from suite.claims.lock import ClaimsLock
from suite.curves import article
from suite.registry import REGISTRY
from suite.registry.settings import shipped_expectations

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
SWEEP = """
[S-1]
kind = "empirical"
source = "ours"
statement = "It rises."
holds = "rises(accuracy(all))"
cells = { all = ["w/a", "w/b", "w/c"] }
"""


def standing(one, *measurements, amended=None):
    (found,) = judge([one], ClaimEvidence.of(measurements), ("any",), amended)
    return found.standing


def shipped(name):
    REGISTRY.workloads  # noqa: B018  # their scores are metrics
    found = read_ledger([Path(shipped_expectations()) / "claims" / "article.toml"])
    return next(one for one in found if one.name == name)


def share(value):
    return measured(value, value - 0.001, value + 0.001, metric="accuracy_vs_control")


def swept(*means):
    cells = zip("abc", means, strict=True)
    rows = [tuple(mean + 0.001 * seed for seed in range(5)) for mean in means]
    return [
        measured(mean, mean - 0.01, mean + 0.01, technique, "accuracy", by_seed=row, seeds=tuple(range(5)))
        for (technique, mean), row in zip(cells, rows, strict=True)
    ]


def a_derivative_off_by_a_factor(patch):
    honest = standing(shipped("M-05"))
    true = article.slope_at
    patch.setattr(article, "slope_at", lambda resource: 2 * true(resource))
    return honest, standing(shipped("M-05"))


def swapped_arms(_):
    return standing(claim(), measured(2.5, 2.4, 2.6)), standing(claim(), measured(1 / 2.5, 1 / 2.6, 1 / 2.4))


def percent_for_a_share(_):
    one = claim('"accuracy_vs_control(ours) > -0.02"')
    return standing(one, share(-0.01)), standing(one, share(-1.0))


def a_reused_seed(_):
    one = claim(more="chosen_on = [0]")
    other = measured(2.5, 2.4, 2.6, seeds=(1, 2), by_seed=(2.5, 2.5))
    return standing(one, other), standing(one, measured(2.5, 2.4, 2.6, seeds=(0,), by_seed=(2.5,)))


def a_truncated_artefact(patch):
    honest, quantized = standing(shipped("K-16")), networks.MADE["int8"]
    patch.setitem(networks.MADE, "int8", lambda network: next(quantized(network).children()))
    return honest, standing(shipped("K-16"))


def a_cached_output(_):
    one = claim(more='ceiling = "speedup(ours) < 20"')
    return standing(one, measured(2.5, 2.4, 2.6)), standing(one, measured(900.0, 800.0, 1000.0))


def a_wrong_figure_of_a_paper(_):
    holds = "\"round(bert_parameters('base') / 1e7, 0) == {}\""
    return tuple(standing(claim(holds.format(said), kind="count")) for said in (11, 34))


def an_interval_of_another_level(_):
    """Half of the repeats lie in it, and 95 % are said to."""
    one, row = claim(), measured(2.3, 2.1, 2.5)
    return standing(one, replace(row, confidence=0.5)), standing(one, row)


def a_sign(_):
    one = claim('"accuracy_vs_control(ours) > 0"')
    return standing(one, share(0.02)), standing(one, share(-0.02))


def a_sweep_in_the_wrong_order(_):
    (one,) = claims(SWEEP)
    return standing(one, *swept(0.7, 0.8, 0.9)), standing(one, *swept(0.9, 0.8, 0.7))


def the_control_instead_of_the_technique(_):
    one = claim('"speedup(ours) > 1.05"')
    return standing(one, measured(1.5, 1.4, 1.6)), standing(one, measured(1.0, 0.99, 1.01))


def a_stale_lock(_):
    edited = claim('"speedup(ours) >= 1.5"')
    lock = ClaimsLock().with_locked([claim()], EARLY)
    row = measured(2.5, 2.4, 2.6)
    return standing(edited, row), standing(edited, row, amended=lock.doubts([edited], LATE))


def a_run_that_is_older_than_the_edit(_):
    edited = claim('"speedup(ours) >= 1.5"')
    lock = ClaimsLock().with_locked([claim()], EARLY).with_locked([edited], LATE)
    row = measured(2.5, 2.4, 2.6)
    return standing(edited, row), standing(edited, row, amended=lock.doubts([edited], EARLY))


def a_wrong_title_in_the_records(patch):
    honest = standing(shipped("B-03a"))
    other = bibliography.CitedWork(bibliography.WORKS["mixed precision"].cited, ("Mixed", "Micikevicius", 2018), "")
    patch.setitem(bibliography.WORKS, "mixed precision", other)
    return honest, standing(shipped("B-03a"))


FAULTS = (
    *(a_derivative_off_by_a_factor, swapped_arms, percent_for_a_share, a_reused_seed, a_truncated_artefact),
    *(a_cached_output, a_wrong_figure_of_a_paper, an_interval_of_another_level, a_sign, a_sweep_in_the_wrong_order),
    *(the_control_instead_of_the_technique, a_stale_lock, a_run_that_is_older_than_the_edit),
    a_wrong_title_in_the_records,
)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_a_planted_fault_changes_the_verdict(fault, monkeypatch):
    """Or is refused: not testable, amended, too good."""
    honest, planted = fault(monkeypatch)
    assert honest is not planted
