"""Small ledgers, and the measurements that they ask for."""

from pathlib import Path

from suite.claims.ledger import read_claims
from suite.core.metrics import METRICS
from suite.core.records import Cell, Measurement

PATH = Path("claims/ours.toml")


def claims(text):
    """The claims of a file's text."""
    return read_claims(text, PATH, frozenset(METRICS))


def claim(holds='"speedup(ours) >= 2"', *, kind="empirical", more=""):
    """One claim on a speed-up of a cell."""
    (found,) = claims(f"""
[A-1]
kind = "{kind}"
source = "ours"
statement = "It is twice as fast."
holds = {holds}
{more}
cells = {{ ours = "w/fast", other = "w/slow" }}
""")
    return found


def measured(value, low=None, high=None, technique="fast", metric="speedup", **fields):
    row = METRICS[metric]
    return Measurement(
        cell=Cell(workload="w", technique=technique, device="cpu"), metric=metric, value=value, low=low, high=high,
        n=fields.pop("n", 100),
        confidence=None if low is None else 0.95, unit=row.unit, better=row.better, tier=row.tier, group=row.group,
        **fields,
    )  # fmt: skip
