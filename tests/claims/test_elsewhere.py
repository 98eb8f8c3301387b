"""What is known of a machine that is not this one: its results, and what the name of its family says."""
# the expected value stands on the left

import pytest
from claim_samples import claim, measured

from suite.claims import elsewhere
from suite.claims.claim import Standing
from suite.claims.elsewhere import FAMILIES, Elsewhere
from suite.claims.evidence import ClaimEvidence
from suite.claims.facts.machine import TOLD
from suite.claims.judging import judge
from suite.claims.predicate import Missing
from suite.core.errors import UsageError
from suite.core.machine.hardware import ARM_FAMILIES, X86_FAMILIES
from suite.core.records import Where


def other(family):
    return Elsewhere(machine="other-2c", family=family)


def test_families_are_those_that_machines_are_named_by():
    """In the order in which the most capable one is chosen; what defines one is told of it."""
    assert [name for name, _ in X86_FAMILIES] == list(FAMILIES["x86_64"])
    assert [name for name, _ in ARM_FAMILIES] == list(FAMILIES["aarch64"])
    for name, defining in (*X86_FAMILIES, *ARM_FAMILIES):
        own = FAMILIES["aarch64" if (name, defining) in ARM_FAMILIES else "x86_64"][name]
        assert own <= TOLD
        assert defining & TOLD <= own


@pytest.mark.parametrize(
    ("family", "feature", "expected"),
    [
        ("cpu-x86_64-amx", "amx_bf16", 1.0),
        ("cpu-x86_64-avx512_bf16", "avx512_vnni", 1.0),
        ("cpu-x86_64-avx512_bf16", "amx_bf16", 0.0),
        ("cpu-x86_64-avx2", "avx512f", 0.0),
        ("cpu-x86_64-avx2", "sve", 0.0),
        ("cpu-aarch64-bf16", "sve", 0.0),
        ("cpu-aarch64-bf16", "avx2", 0.0),
        ("cpu-aarch64-sve", "asimd", 1.0),
    ],
)
def test_a_family_tells_what_its_processors_have_and_lack(family, feature, expected):
    """A more capable set would have put them into another family."""
    assert expected == other(family).fact("has", [feature])


@pytest.mark.parametrize(
    ("family", "bf16", "int8"),
    [("cpu-x86_64-amx", 1.0, 1.0), ("cpu-x86_64-avx512_vnni", 0.0, 1.0), ("cpu-x86_64-avx2", 0.0, 0.0)],
)
def test_products_in_half_precision_and_in_8_bits_follow_from_the_family(family, bf16, int8):
    """As the facts of this machine are told from its flags."""
    assert (bf16, int8) == (other(family).fact("has_bf16", []), other(family).fact("has_int8", []))


@pytest.mark.parametrize(
    ("family", "name", "arguments"),
    [
        ("cpu-x86_64-amx", "has", ["avx512_fp16"]),
        ("cpu-x86_64-avx512", "has_int8", []),
        ("cpu-x86_64", "has", ["avx2"]),
        ("cuda-sm90", "has_bf16", []),
        ("cpu-x86_64-amx", "cores", []),
        ("cpu-x86_64-amx", "tool_works", ["torch"]),
        ("cpu-x86_64-amx", "fails", ["main_as_printed"]),
        ("cpu-x86_64-amx", "ticket_change", ["first"]),
    ],
)
def test_what_a_family_does_not_tell_is_missing(family, name, arguments):
    """No fact of this machine stands in for another's."""
    with pytest.raises(Missing, match=f"{name} is a fact of other-2c, and its results do not hold it"):
        other(family).fact(name, arguments)


def test_mathematics_is_the_same_on_every_machine():
    """It is computed here."""
    assert None is other("cpu-x86_64-amx").fact("gompertz_slope", [20])


def test_a_claim_is_judged_by_that_machines_facts(monkeypatch):
    """Its condition holds there, whatever is here; a part that needs this machine is open."""
    monkeypatch.setattr("suite.claims.facts.machine.processor", None)  # whoever asks it fails
    parts = '{ fast = "has_int8() == 0 or speedup(ours) > 2", here = "cores() > 0", sum = "amdahl(0.5) == 2" }'
    one = claim(parts, more="where = 'has(\"amx_bf16\") == 1'")
    evidence = ClaimEvidence.of([measured(2.5, 2.4, 2.6)], elsewhere=other("cpu-x86_64-amx"))
    (found,) = judge([one], evidence, ("other-2c", "cpu-x86_64-amx", "any"))
    assert {"fast": "TRUE", "here": "OPEN", "sum": "TRUE"} == {part.name: part.truth.name for part in found.parts}
    assert Standing.UNDECIDED is found.standing
    assert "cores is a fact of other-2c" in found.reason
    evidence = ClaimEvidence.of([measured(2.5, 2.4, 2.6)], elsewhere=other("cpu-x86_64-avx2"))
    (found,) = judge([one], evidence, ("other-2c", "cpu-x86_64-avx2", "any"))
    assert Standing.NOT_TESTABLE is found.standing


def test_runs_of_two_machines_are_refused():
    """One of them would be judged under the other's name."""
    here, there = (
        Where(machine=name, family="cpu-x86_64-avx2", device="cpu", threads=1, versions={}) for name in ("a", "b")
    )
    assert here == elsewhere.place_of({"run-1": here, "run-2": here})
    with pytest.raises(UsageError, match=r"2 machines \(run-1 from a, run-2 from b\): judge each by itself"):
        elsewhere.place_of({"run-1": here, "run-2": there})


def test_metrics_of_earlier_versions_are_told():
    """Those that have another name now are read under it."""
    from dataclasses import replace

    plain = measured(2.5, 2.4, 2.6)
    found, said = elsewhere.understood([plain, replace(plain, metric="speedup_b64"), replace(plain, metric="pace")])
    assert ["speedup", "speedup", "pace"] == [one.metric for one in found]
    assert {
        "speedup_b64": "speedup_b64 is called speedup now", "pace": "pace is no metric of this version"
    } == said  # fmt: skip
