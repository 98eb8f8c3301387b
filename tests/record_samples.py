"""Strategies of records with short names: measurements, and verdicts that repeat none."""

from hypothesis import strategies as st

from suite.core.records import GROUPS, TIERS, Cell, Measurement, Verdict, VerdictKind

maybe = st.none() | st.floats(allow_nan=False, allow_infinity=False)
names = st.from_regex(r"[a-z]{3}_[a-z]{2}", fullmatch=True)
cells = st.builds(Cell, workload=names, technique=names, device=st.sampled_from(["cpu", "cuda:0"]))
measurements = st.builds(
    Measurement,
    cell=cells,
    metric=names,
    value=st.floats(allow_nan=False, allow_infinity=False),
    unit=st.sampled_from(["s", "1/s", "B"]),
    better=st.just("higher"),
    tier=st.sampled_from(TIERS),
    group=st.sampled_from(GROUPS),
    low=maybe,
    high=maybe,
    control=st.none() | names,
)
verdicts = st.builds(
    Verdict,
    kind=st.sampled_from(VerdictKind),
    cell=cells,
    metric=names,
    group=st.sampled_from(GROUPS),
    measurement=st.none(),
    expectation=st.none(),
    stale=st.booleans(),
)
