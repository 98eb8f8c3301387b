"""The verdicts on sweeps: pass, regressed beyond noise, inconclusive within it; nothing for fewer than three points."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from expect_samples import CELL, TODAY, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.core.records import ShapeExpectation, VerdictKind, XFail
from suite.gate import check_shapes

FALLS = ShapeExpectation(
    workload="digits_cnn", technique="magnitude_pruning", metric="accuracy", level="any", along="sparsity",
    shape="non-increasing", slack=0.005, path="any/digits_cnn.toml", line=7,
)  # fmt: skip


def named(sparsity, epochs=3):
    return replace(CELL, technique=f"magnitude_pruning(sparsity={sparsity},epochs={epochs})")


def sweep(*values, width=0.004, name="accuracy", **more):
    found = zip((0.5, 0.8, 0.9, 0.95), values, strict=False)
    ends = {} if width is None else {"confidence": 0.95}
    return [
        measurement(
            name, value, cell=named(x), low=None if width is None else value - width,
            high=None if width is None else value + width, **{**ends, **more},
        )
        for x, value in found
    ]  # fmt: skip


def judged(measurements, *shapes, quiet=True):
    return check_shapes(measurements, shapes or [FALLS], quiet=quiet, today=TODAY)


def kinds(measurements, *shapes, quiet=True):
    return [verdict.kind for verdict in judged(measurements, *shapes, quiet=quiet)]


def test_a_falling_sweep_passes_within_its_slack():
    """Half a point up is allowed here."""
    assert [VerdictKind.PASS] == kinds(sweep(0.99, 0.994, 0.98, 0.9))


def test_a_rise_beyond_slack_and_intervals_has_regressed_at_its_point():
    """The verdict names metric, parameter, size of the violation, and the line that expects otherwise."""
    [found] = judged(sweep(0.99, 0.95, 0.98, 0.9))
    assert (VerdictKind.REGRESSED, named(0.9), "accuracy along sparsity") == (found.kind, found.cell, found.metric)
    assert "4 points violate non-increasing along sparsity by 0.03, slack 0.005" in found.reason
    assert found.reason.endswith("any/digits_cnn.toml:7")
    assert (FALLS, 4) == (found.shape, len(found.sweep))


def test_a_rise_within_the_intervals_is_inconclusive():
    """The curve may fall all the same."""
    assert [VerdictKind.INCONCLUSIVE] == kinds(sweep(0.99, 0.95, 0.98, 0.9, width=0.02))


def test_intervals_are_widened_for_holding_all_at_once():
    """One by one these intervals exclude a falling curve; four at once do not: 2.5 instead of 1.96 deviations."""
    assert [VerdictKind.INCONCLUSIVE] == kinds(sweep(0.99, 0.95, 0.98, 0.9, width=0.011))


def test_points_without_interval_are_no_proof_but_counts_are():
    """A quality of unknown noise may err; bytes are counted."""
    assert [VerdictKind.INCONCLUSIVE] == kinds(sweep(0.99, 0.9, 0.98, width=None))
    size = replace(FALLS, metric="artefact_bytes", slack=0.0)
    assert [VerdictKind.REGRESSED] == kinds(sweep(100.0, 90.0, 91.0, name="artefact_bytes", width=None), size)


def test_two_points_are_not_judged():
    """Nor is a sweep of which the run holds too little."""
    assert [] == kinds(sweep(0.9, 0.99))


def test_each_setting_of_the_other_parameters_is_a_sweep_of_its_own():
    """Unless the expectation fixes them."""
    slow = [replace(one, cell=named(x, 9)) for one, x in zip(sweep(0.9, 0.95, 0.99), (0.5, 0.8, 0.9), strict=True)]
    assert [VerdictKind.PASS, VerdictKind.REGRESSED] == kinds([*sweep(0.99, 0.98, 0.97), *slow])
    assert [VerdictKind.PASS] == kinds(
        [*sweep(0.99, 0.98, 0.97), *slow], replace(FALLS, technique="magnitude_pruning(epochs=3)")
    )


def test_other_techniques_parameters_and_workloads_are_not_meant():
    """A name is matched whole."""
    for other in ({"technique": "pruning"}, {"along": "epochs"}, {"workload": "stdlib_lm"}, {"metric": "macs"}):
        assert [] == kinds(sweep(0.9, 0.95, 0.99), replace(FALLS, **other))
    assert [VerdictKind.PASS] == kinds(sweep(0.9, 0.9, 0.9), replace(FALLS, along="magnitude_pruning.sparsity"))


def test_timings_that_cannot_be_trusted_are_inconclusive():
    """As they are beside point expectations."""
    fast = replace(FALLS, metric="speedup", shape="non-decreasing")
    points = sweep(1.0, 2.0, 3.0, name="speedup")
    assert ([VerdictKind.PASS], [VerdictKind.INCONCLUSIVE]) == (kinds(points, fast), kinds(points, fast, quiet=False))
    assert [VerdictKind.INCONCLUSIVE] == kinds(sweep(1.0, 2.0, 3.0, name="speedup", suspect="throttled"), fast)


@pytest.mark.parametrize(
    ("values", "until", "kind"),
    [
        ((0.9, 0.95, 0.99), date(2026, 12, 1), VerdictKind.XFAIL),
        ((0.99, 0.95, 0.9), date(2026, 12, 1), VerdictKind.XPASS),
        ((0.9, 0.95, 0.99), date(2026, 1, 1), VerdictKind.REGRESSED),
    ],
)
def test_a_known_failure_is_marked_until_its_day(values, until, kind):
    """As an entry is."""
    assert [kind] == kinds(sweep(*values), replace(FALLS, xfail=XFail(reason="known", until=until)))


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4), st.floats(0, 0.05))
def test_noise_below_the_slack_never_fails(errors, slack):
    """Whatever the intervals say."""
    values = [0.9 - 0.01 * i + error * slack / 2 for i, error in enumerate(errors)]
    assert [VerdictKind.PASS] == kinds(sweep(*values, width=0.0), replace(FALLS, slack=slack + 1e-12))


@given(st.integers(1, 3), st.floats(0.0001, 0.02), st.floats(0.001, 0.1))
def test_a_violation_larger_than_slack_and_noise_always_fails(at, width, more):
    """Wherever it stands: 1.3 is more than four simultaneous intervals need."""
    values = [0.5 - 0.01 * i for i in range(4)]
    values[at] = values[at - 1] + FALLS.slack + 2 * 1.3 * width + more
    assert [VerdictKind.REGRESSED] == kinds(sweep(*values, width=width))
