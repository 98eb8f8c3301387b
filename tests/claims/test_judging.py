"""Standings: of parts, at one risk for the whole ledger, and what speaks against judging at all."""
# the expected value stands on the left

import math
import random
from dataclasses import replace
from statistics import fmean, stdev

import pytest
from claim_samples import claim, claims, measured

from suite.claims.claim import Standing
from suite.claims.evidence import ClaimEvidence
from suite.claims.judging import RISK, degree, judge
from suite.claims.quantities import quantile
from suite.core.errors import ExpectationFileError, SetupError, UsageError

LEVELS = ("cpu-x86_64-made-2c", "cpu-x86_64-avx2", "any")


def found(one, *measurements, **options):
    (finding,) = judge([one], ClaimEvidence.of(measurements, **options), LEVELS)
    return finding


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(2.2, 2.6, "holds"), (1.2, 1.6, "refuted"), (1.9, 2.3, "undecided")]
)
def test_an_interval_decides_where_it_lies_on_one_side_of_the_limit(low, high, expected):
    """On both sides it is undecided, and says what would decide it."""
    finding = found(claim(), measured((low + high) / 2, low, high))
    assert expected == finding.standing
    assert ("more seeds, items or rounds decide it" in finding.reason) is (expected == "undecided")


def test_parts_that_differ_are_named():
    """What holds and what does not."""
    parts = '{ faster = "speedup(ours) >= 2", smaller = "parameters(ours) < 10" }'
    finding = found(claim(parts), measured(2.5, 2.4, 2.6), measured(20, metric="parameters"))
    assert (Standing.PARTLY, "holds: faster; does not: smaller") == (finding.standing, finding.reason)


def test_what_was_not_measured_is_not_testable_here():
    """With the reason of the cell's failure where there is one."""
    finding = found(claim())
    assert (Standing.NOT_TESTABLE, "speedup of w/fast was not measured") == (finding.standing, finding.reason)


def test_parts_that_all_miss_the_same_are_not_testable_here():
    """And not undecided: nothing was measured."""
    finding = found(claim('{ faster = "speedup(ours) >= 2", much = "speedup(ours) >= 4" }'))
    assert (Standing.NOT_TESTABLE, "speedup of w/fast was not measured") == (finding.standing, finding.reason)


def test_a_suspect_timing_is_no_evidence():
    """It says why."""
    finding = found(claim(), measured(2.5, 2.4, 2.6, suspect="another process took the core"))
    assert Standing.NOT_TESTABLE is finding.standing
    assert "another process took the core" in finding.reason


def test_a_time_without_an_interval_decides_nothing():
    """It might be anything."""
    assert Standing.UNDECIDED is found(claim(), measured(9.0)).standing


def test_a_condition_that_does_not_hold_makes_a_claim_untestable():
    """It is quoted."""
    finding = found(claim(more='where = "2 > 3"'), measured(2.5, 2.4, 2.6))
    assert (Standing.NOT_TESTABLE, "needs 2 > 3, which does not hold here") == (finding.standing, finding.reason)


def test_a_figure_beyond_what_is_possible_is_too_good():
    """A cached answer, a wrong unit: it fails."""
    finding = found(claim(more='ceiling = "speedup(ours) <= 8"'), measured(90.0, 80.0, 100.0))
    assert Standing.TOO_GOOD is finding.standing


def test_advice_is_never_judged():
    """There is nothing to measure."""
    (one,) = claims('[A]\nkind = "advice"\nsource = "ours"\nstatement = "Take care."\n')
    assert Standing.ADVICE is found(one).standing


def test_many_open_claims_are_decided_at_a_stricter_level():
    """An interval that just decides one claim does not decide twenty."""
    one = claim()
    alone = measured(2.1, 2.005, 2.195)
    assert Standing.HOLDS is found(one, alone).standing
    many = [
        replace(one, name=f"A-{k}", parts={"": claim(f'"speedup(ours) >= {2 + k * 1e-6}"').parts[""]})
        for k in range(20)
    ]
    assert {Standing.UNDECIDED} == {one.standing for one in judge(many, ClaimEvidence.of([alone]), LEVELS)}


def test_the_risk_of_a_part_is_the_two_sided_one_of_its_interval():
    """A limit at the end of the 95 % interval is decided at 5 %."""
    (part,) = found(claim(), measured(2.1, 2.0, 2.2)).parts
    assert 0.05 == pytest.approx(part.risk, rel=1e-3)


def test_candidates_of_equal_merit_rarely_have_a_winner():
    """Twenty settings that are all at the limit: at most 5 % of ledgers decide anything wrongly."""
    entry = '[A-{k}]\nkind = "empirical"\nsource = "o"\nstatement = "s"\nholds = "speedup(ours) > 1"\n'
    many = claims("".join(entry.format(k=k) + f'cells = {{ ours = "w/t{k}" }}\n' for k in range(20)))
    draw, wrong, ledgers = random.Random(5).gauss, 0, 100  # noqa: S311  # no secret
    for _ in range(ledgers):
        values = [draw(1.0, 0.05) for _ in many]
        seen = [measured(v, v - 0.098, v + 0.098, technique=f"t{k}") for k, v in enumerate(values)]
        findings = judge(many, ClaimEvidence.of(seen), LEVELS)
        wrong += any(finding.standing is not Standing.UNDECIDED for finding in findings)
    assert wrong / ledgers <= RISK + 2 * math.sqrt(RISK * (1 - RISK) / ledgers)


def test_twenty_settings_of_equal_merit_have_no_winner_over_five_seeds():
    """Differences to the control whose true value is the limit: at most 5 % of ledgers call any of them better."""
    entry = '[A-{k}]\nkind = "empirical"\nsource = "o"\nstatement = "s"\nholds = "accuracy_vs_control(ours) > 0"\n'
    many = claims("".join(entry.format(k=k) + f'cells = {{ ours = "w/t{k}" }}\n' for k in range(20)))
    draw, won, ledgers = random.Random(0).gauss, 0, 60  # noqa: S311  # no secret
    for _ in range(ledgers):
        seen = [over_seeds(f"t{k}", [draw(0, 0.01) for _ in range(5)]) for k in range(20)]
        won += any(finding.standing is Standing.HOLDS for finding in judge(many, ClaimEvidence.of(seen), LEVELS))
    assert won / ledgers <= RISK


def over_seeds(technique, values):
    """A difference with the interval that the suite gives it: Student's over seeds."""
    middle, half = fmean(values), quantile(0.95, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    seeds = {"seeds": tuple(range(len(values))), "by_seed": tuple(values)}
    return measured(
        middle, middle - half, middle + half, technique=technique, metric="accuracy_vs_control", **seeds
    )  # fmt: skip


def test_a_setting_chosen_on_some_seeds_is_judged_on_the_others():
    """Its luck on those does not count; without others there is no evidence."""
    chosen = claim('"accuracy_vs_control(ours) > 0"', more="chosen_on = [0, 1]")
    seeds = {"metric": "accuracy_vs_control", "seeds": (0, 1, 2, 3), "by_seed": (0.4, 0.4, -0.01, -0.01)}
    seen = measured(0.195, 0.15, 0.24, **seeds)
    assert Standing.UNDECIDED is found(chosen, seen).standing
    assert Standing.HOLDS is found(replace(chosen, chosen_on=()), seen).standing
    only = measured(0.4, 0.3, 0.5, metric="accuracy_vs_control", seeds=(0, 1), by_seed=(0.4, 0.4))
    assert Standing.NOT_TESTABLE is found(chosen, only).standing


def test_another_standing_than_expected_is_a_change():
    """What is open or untested here is none; a machine's own expectation goes before its family's."""
    told = 'expected = { any = "refuted", "cpu-x86_64-avx2" = "holds" }'
    assert not found(claim(more=told), measured(2.5, 2.4, 2.6)).changed
    assert found(claim(more='expected = "refuted"'), measured(2.5, 2.4, 2.6)).changed
    assert not found(claim(more='expected = "refuted"')).changed


def test_a_fault_of_a_fact_names_the_entry():
    """With its file and line."""
    one = claim('"gompertz(0 - 5) > 0"', kind="mathematics")
    with pytest.raises(ExpectationFileError, match=r"claims/ours.toml:2: A-1: gompertz: a resource must be at least 0"):
        found(one)


def test_a_quick_ledger_computes_no_slow_fact():
    """It is not testable there."""
    from suite.claims.facts.declare import _DECLARED, slow_fact

    @slow_fact
    def lasting():
        """Takes long."""
        return 1.0

    try:
        one = claim('"lasting() == 1"', kind="code")
        assert Standing.NOT_TESTABLE is found(one, quick=True).standing
        assert Standing.HOLDS is found(one).standing
    finally:
        del _DECLARED["lasting"]


def test_the_degree_is_the_coefficient_of_variation_of_two_figures():
    """0 for equal ones; 1 and 2 by hand: 1.125 * (1 / sqrt 2) * sqrt(pi / 2) / 1.5."""
    assert 0.0 == degree(3.0, 3.0)
    assert 100 * 1.125 * math.sqrt(math.pi) / 2 / 1.5 == pytest.approx(degree(1.0, 2.0))
    assert math.inf == degree(1.0, -1.0)


def test_one_seed_that_is_left_has_no_interval():
    """It held with the width of five before."""
    chosen = claim('"accuracy_vs_control(ours) > 0"', more="chosen_on = [0, 1, 2, 3]")
    seeds = {"metric": "accuracy_vs_control", "seeds": (0, 1, 2, 3, 4), "by_seed": (0.01, 0.01, 0.0, 0.0, 0.04)}
    assert Standing.UNDECIDED is found(chosen, measured(0.012, 0.004, 0.020, **seeds)).standing


def test_seeds_that_are_left_have_their_own_spread():
    """Two of them that lie far apart do not decide, however narrow the five were."""
    chosen = claim('"accuracy_vs_control(ours) > 0"', more="chosen_on = [0, 1, 2]")
    seeds = {"metric": "accuracy_vs_control", "seeds": (0, 1, 2, 3, 4), "by_seed": (0.02, 0.02, 0.02, 0.001, 0.039)}
    assert Standing.UNDECIDED is found(chosen, measured(0.02, 0.019, 0.021, **seeds)).standing


def test_a_refuted_part_is_a_change_whatever_the_others_say():
    """The other one was not measured."""
    parts = '{ one = "gompertz(1) > 5", two = "speedup(ours) > 1" }'
    finding = found(claim(parts, more='expected = "holds"'))
    assert Standing.UNDECIDED is finding.standing
    assert finding.changed
    assert finding.reason.startswith("does not: one; two: ")


def test_a_cell_that_two_runs_or_devices_measured_is_refused():
    """The last one would count."""
    with pytest.raises(UsageError, match=r"speedup of w/fast is in the results twice: on cpu and cpu, or in two runs"):
        ClaimEvidence.of([measured(2.5, 2.4, 2.6), measured(1.0, 0.9, 1.1)])


@pytest.mark.parametrize(
    "text",
    ["gompertz() > 0", "amdahl(1) > 0", 'article_numel("x", "plain") > 0', "half_cross_entropy_error(-1) > 0"],
)
def test_a_fact_that_cannot_be_computed_from_its_arguments_is_told_with_the_entry(text):
    """No traceback."""
    with pytest.raises(ExpectationFileError, match=r"claims/ours.toml:2: A-1: \w+\(.*\) cannot be computed"):
        found(claim(f"'{text}'", kind="mathematics"))


def test_a_program_that_cannot_answer_leaves_the_other_claims(monkeypatch):
    """It is not testable here."""
    from suite.claims.facts import programs

    def busy(_module):
        raise SetupError("the program was ended by signal 14: is the machine busy?")

    programs._ran.cache_clear() if hasattr(programs._ran, "cache_clear") else None
    monkeypatch.setattr(programs, "_ran", busy)
    finding = found(claim("'fails(\"forward_as_printed\") == 0'", kind="code"))
    assert Standing.NOT_TESTABLE is finding.standing
    assert "is the machine busy?" in finding.reason
