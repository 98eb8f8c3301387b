"""Entries that cannot do their work are refused, whoever wrote them, by the gate and by `suite lint` alike."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest
from expect_samples import MACHINE, UNTIMED, all_metrics, expectation, here, measurement, run_header
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import ExpectationFileError
from suite.core.metrics import METRICS, declare_score, limits, metric, tiers
from suite.gate import load_both, record
from suite.gate.files.parse import parse
from suite.gate.recording.machines import expectation as recorded
from suite.gate.sound import fault, unfavourable
from suite.registry import REGISTRY
from suite.registry.settings import shipped_expectations

PATH = Path("any") / "wine.toml"
GOOD = """schema = 1
["baseline".{metric}]
value = {value}
{bounds}
unit = "{unit}"
better = "{better}"
tier = "{tier}"
{more}
"""


def text(name, value, bounds, more="", **changes):
    known = metric(name)
    fields = {"unit": known.unit, "better": known.better, "tier": known.tier} | changes
    return GOOD.format(metric=name, value=value, bounds=bounds, more=more, **fields)


def said(name, value, bounds, more="", **changes):
    with pytest.raises(ExpectationFileError) as found:
        parse(text(name, value, bounds, more, **changes), PATH)
    return str(found.value)


@pytest.mark.parametrize(
    ("name", "value", "bounds", "words"),
    [
        ("accuracy", 0.97, "high = 1.0", "low is missing: higher is better"),
        ("latency_p50", 0.01, "low = 0.001", "high is missing: lower is better"),
        ("parameters", 100, "low = 90", "high is missing"),
        ("accuracy", 0.97, "low = 0.0", "low = 0 can never be crossed: accuracy lies between 0 and 1"),
        ("accuracy", 0.97, "low = -5", "low = -5 can never be crossed"),
        ("macro_recall_worst_seed", 0.97, "low = 0", "can never be crossed"),
        ("accuracy_vs_control", -0.01, "low = -1", "accuracy_vs_control lies between -1 and 1"),
        ("accuracy_vs_control", -0.01, "low = -0.9", "so far from value = -0.01"),
        ("accuracy", 0.97, "low = 0.1", "low = 0.1 is so far from value = 0.97 that it detects no regression"),
        ("speedup", 2.0, "low = 0", "low = 0 can never be crossed"),
        ("speedup", 2.0, "low = -1.185", "low = -1.185 can never be crossed"),
        ("speedup", 2.0, "low = 0.1", "so far from value = 2"),
        ("throughput", 100, "low = 1", "so far from value = 100"),
        ("latency_p50", 0.01, "high = 5", "so far from value = 0.01"),
        ("artefact_bytes", 1000, "high = 1e15", "so far from value = 1000"),
        ("output_error", 1e-7, "high = 3", "so far from value = 1e-07"),
        ("mean_squared_error", 4.0, "high = 1e6", "so far from value = 4"),
        ("bits_per_byte", 2.0, "high = 100", "so far from value = 2"),
    ],
)
def test_a_bound_that_no_regression_crosses_is_refused(name, value, bounds, words):
    """Only the favourable one left, outside of what can be measured, or absurdly far away."""
    assert words in said(name, value, bounds)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("accuracy", "local", "tier is 'local', but accuracy has 'portable'"),
        ("accuracy", "exact", "tier is 'exact'"),
        ("speedup", "portable", "tier is 'portable', but speedup has 'family'"),
        ("parameters", "local", "tier is 'local', but parameters has 'exact' or 'portable'"),
    ],
)
def test_the_tier_is_that_of_the_metric(name, given, words):
    """It decides how an entry is judged and where it applies."""
    value = {"accuracy": 0.97, "speedup": 2.0, "parameters": 100}[name]
    bounds = "high = 100" if name == "parameters" else f"low = {value * 0.95}"
    assert words in said(name, value, bounds, tier=given)


BY_SEED = 'by_seed = {"0" = 0.98, "1" = 0.96}'


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("seeds = 1000000", "seeds = 1000000 without by_seed: the bound of a single seed would be 1e+03 times as far"),
        ("seeds = 100", "seeds = 100 without by_seed"),
        ('seeds = 5\nby_seed = {"0" = 0.1}', "seeds = 5, but by_seed has 1 values"),
        (BY_SEED, "seeds = None, but by_seed has 2 values; write seeds = 2"),
        ('seeds = 2\nby_seed = {"0" = 0.1, "1" = 0.96}', "the mean of by_seed is 0.53, but value = 0.97"),
        (f"seeds = 2\n{BY_SEED}\nnoise = 0.5", "noise = 0.5, but by_seed has a standard deviation of 0.01414"),
        ("noise = 1e300", "noise = 1e+300 is no standard deviation of accuracy"),
        (
            'seeds = 2\nby_seed = {"0" = 0.1, "1" = 0.2}\nseen = {a = 0.97, b = 0.98}',
            "the mean of by_seed is 0.15, but value = 0.97",
        ),
    ],
)
def test_seeds_by_seed_value_and_noise_agree(more, words):
    """Fewer seeds are held to what is stored of them, with a margin that grows as they become fewer."""
    assert words in said("accuracy", 0.97, "low = 0.9", more)


def test_the_worst_seed_is_the_worst_of_the_values_by_seed():
    """The greatest where lower is better."""
    more = f"seeds = 2\n{BY_SEED}"
    assert "the worst of by_seed is 0.96, but value = 0.98" in said("accuracy_worst_seed", 0.98, "low = 0.95", more)
    (entry,) = parse(text("accuracy_worst_seed", 0.96, "low = 0.95", more), PATH).entries
    assert 0.96 == entry.value
    errors = text("mean_absolute_error_worst_seed", 0.98, "high = 1.0", more)
    assert 0.98 == parse(errors, PATH).entries[0].value


def test_a_fault_is_told_with_its_line_and_a_way_out():
    """The line of the field, or of what stands in its place."""
    assert said("accuracy", 0.97, "low = -5").startswith(f"{PATH}:4: low = -5")
    assert said("accuracy", 0.97, "high = 1.0").startswith(f"{PATH}:4: low is missing")
    assert "write a bound nearer to the value 0.97, or delete the entry and record it again" in said(
        "accuracy", 0.97, "low = -5"
    )


@pytest.mark.parametrize(
    ("name", "value", "bounds", "more"),
    [
        ("accuracy", 0.97, "low = 0.6", ""),
        ("accuracy", 0.97, "low = 0.9", "seeds = 5"),
        ("accuracy", 0.0, "low = 0.0", ""),
        ("accuracy", 0.02, "low = 0.001", ""),
        ("output_error", 0.0, "high = 0.01", ""),
        ("speedup", 2.0, "low = 0.5", ""),
        ("parameters", 100, "high = 500", ""),
        ("peak_rss_rise", 0, "high = 1000", ""),
        ("mean_squared_error", 0.0, "high = 0.1", ""),
        ("accuracy", 0.97, "low = -5", 'retired = "replaced"'),
    ],
)
def test_a_bound_that_someone_chose_is_accepted(name, value, bounds, more):
    """A requirement of one's own may be far looser than what a recording would store."""
    (entry,) = parse(text(name, value, bounds, more), PATH).entries
    assert value == entry.value


def test_a_score_of_ones_own_has_no_range_and_still_a_farthest_bound():
    """Of R^2, rewards or log-likelihoods nothing says where they end."""
    declare_score("r_squared", unit="1", better="higher")
    assert (-float("inf"), float("inf")) == limits("r_squared")
    assert fault(expectation("r_squared", 0.02, low=-0.05)) is None
    assert fault(expectation("r_squared", 0.97, low=-5.0)) is not None
    assert fault(expectation("r_squared_vs_control", 0.0, low=-5.0)) is not None


def test_all_shipped_expectations_are_sound():
    """Those of every machine that was met."""
    assert REGISTRY.workloads  # which declare scores of their own
    entries, _ = load_both(shipped_expectations())
    assert [] == [entry for entry in entries if fault(entry)]


def test_tiers_of_sizes_are_for_the_technique_to_say():
    """Of everything else the catalogue says it."""
    assert ("portable",) == tiers("accuracy")
    assert ("exact", "portable") == tiers("parameters")
    assert ("portable", "exact") == tiers("nonzero_parameters")
    assert ("exact", "portable", "family") == tiers("artefact_bytes")
    assert all(METRICS[name].tier in tiers(name) for name in all_metrics())


VALUES = st.lists(st.floats(0.3, 1), min_size=1, max_size=6)


@UNTIMED
@given(values=VALUES, name=st.sampled_from(["accuracy", "macro_recall_worst_seed", "accuracy_vs_control"]))
def test_what_recording_stores_of_a_quality_is_sound(values, name):
    """However much its seeds differ: mean, worst seed and difference."""
    together = min(values) if name.endswith("worst_seed") else fmean(values)
    noise = stdev(values) if len(values) > 1 else None
    measured = measurement(name, together, noise=noise, seeds=tuple(range(len(values))), by_seed=tuple(values), n=400)
    entry = recorded(measured, None, here(), at="now")
    found = fault(entry)
    assert found is None or found.key == "low"
    if found:
        assert unfavourable(entry)[1] <= 0.5 * together  # such noise leaves nothing to be told


def test_a_recording_whose_entry_would_tell_nothing_is_skipped_with_the_reason(tmp_path):
    """Ten items cannot tell a loss of 20 %."""
    few = measurement("accuracy", 0.1, n=10, share=True, seeds=(0,), by_seed=(0.1,))
    done = record([few], header=run_header(), directory=tmp_path)
    assert (0, ()) == (done.added, done.changed)
    assert "its entry would detect no regression: low = " in str(done.skipped[0])


def test_a_family_entry_of_a_machine_is_judged_by_the_same_rules():
    """The level makes no difference."""
    wrong = expectation("speedup", 2.0, low=-1.185, level=MACHINE)
    assert fault(wrong) is not None
    assert fault(replace(wrong, retired="why")) is None
