"""A verdict that is clear at a glance is that of a whole judgement; every other measurement is judged whole."""
# the expected value stands on the left

from datetime import date

import pytest
from expect_samples import FAMILY, MACHINE, TODAY, VERSIONS, expectation, here, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.sieving import Sieve
from suite.core.records import VerdictKind, XFail
from suite.gate import check
from suite.report.results.lines import decode_row, encode

METRICS = ("accuracy", "artefact_bytes", "entropy_bytes", "speedup", "throughput", "parameters", "output_error")


def brief(measured):
    found, _ = decode_row(encode(measured).encode())
    return found


def at_a_glance(measured, entries, *, where, quiet=True, counts_unexpected=True):
    sieve = Sieve(counts_unexpected=counts_unexpected)
    return sieve.clear(brief(measured), sieve.glances(entries, where), quiet=quiet)


def whole(measured, entries, *, where, quiet=True):
    (verdict,) = check(
        measurements=[measured], failures=[], expectations=entries, where=where,
        planned={measured.cell: (measured.group,)}, fresh_processes=True, quiet=quiet, today=TODAY,
    )  # fmt: skip
    return verdict.kind


marks = st.sampled_from([None, XFail(reason="known", until=date(2030, 1, 1))])
values = st.sampled_from([0.5, 0.9, 1.0, 1.1, 2.0])


@given(data=st.data())
def test_a_clear_verdict_is_that_of_a_whole_judgement(data):
    """Whatever the entry, the measurement and the run are like."""
    draw = data.draw
    name = draw(st.sampled_from(METRICS))
    value, spread = draw(values), draw(st.sampled_from([0.0, 0.05, 0.5]))
    interval = draw(st.sampled_from([{}, {"low": value - spread, "high": value + spread}]))
    tiers = st.sampled_from(["exact", "portable", "family", "local"])
    measured = measurement(
        name, value, seeds=draw(st.sampled_from([(), (0,), (0, 1, 2)])), share=draw(st.booleans()), n=100,
        suspect=draw(st.sampled_from([None, "disturbed"])), **interval,
        conditions=draw(st.sampled_from([{}, {"batch": 64}, {"batch": 8, "threads": 2, "torch": "2.14"}])),
        **draw(st.sampled_from([{}, {"tier": draw(tiers)}])),
    )  # fmt: skip
    entry = expectation(
        name, draw(values), level=draw(st.sampled_from(["any", FAMILY, MACHINE])), xfail=draw(marks),
        low=draw(st.sampled_from([None, 0.9, 1.0])), high=draw(st.sampled_from([None, 1.0, 1.1])), noise=0.01,
        seeds=draw(st.sampled_from([None, 1, 3])), seen=draw(st.sampled_from([{}, {MACHINE: 1.0}, {"other": 1.0}])),
        by_seed=draw(st.sampled_from([{}, {0: 1.0, 1: 0.9, 2: 1.1}])), tier=draw(tiers),
        conditions=draw(st.sampled_from([{}, {"batch": 64}, {"threads": 1}, {"torch": "2.15"}])),
    )  # fmt: skip
    where, quiet = here(data_digests={"digits_cnn": draw(st.sampled_from(["d1", "d2"]))}), draw(st.booleans())
    found = at_a_glance(measured, [entry], where=where, quiet=quiet)
    assert found in (None, whole(measured, [entry], where=where, quiet=quiet))


@pytest.mark.parametrize(
    ("name", "value", "ends"), [("artefact_bytes", 100, {}), ("speedup", 2.0, {"low": 1.9, "high": 2.1})]
)
def test_most_of_what_passes_is_clear(name, value, ends):
    entry = expectation(name, value, low=0.9 * value if ends else value, high=None if ends else value, noise=0.01)
    assert VerdictKind.PASS is at_a_glance(measurement(name, value, **ends), [entry], where=here())


def test_a_measurement_that_nobody_expects_is_clear_unless_somebody_asks_why():
    measured = measurement("parameters", 5.0)
    assert VerdictKind.UNVERIFIED is at_a_glance(measured, [], where=here())
    assert at_a_glance(measured, [], where=here(), counts_unexpected=False) is None


def test_the_glance_at_an_entry_is_prepared_once():
    entry, sieve = expectation("parameters", 5.0, low=5.0, high=5.0), Sieve(counts_unexpected=True)
    first, second = (sieve.glances([entry], here(versions=VERSIONS)) for _ in range(2))
    (key,) = first
    assert first[key] is second[key]
