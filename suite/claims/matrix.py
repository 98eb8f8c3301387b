"""Claims over machines: which standings transfer, which do not, and by which property of the machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suite.claims.claim import DECIDED, Claim, Standing
from suite.claims.store import JudgedLedger, StoredFinding

HEAD = ("claim", "statement")
EMPTY = "-"


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A claim over machines: its standing ``on`` each, and what those have that differ where it does not transfer."""

    claim: Claim
    on: Mapping[str, Standing]
    by: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    alike: bool = True
    """Whether the same parts hold on all machines that decided it."""

    @property
    def transfers(self) -> bool | None:
        """Whether all machines that decided it agree, part by part; ``None`` where fewer than two did."""
        decided = [standing for standing in self.on.values() if standing in DECIDED]
        return None if len(decided) < 2 else len(set(decided)) == 1 and self.alike  # noqa: PLR2004  # two are compared


def matrix(claims: Iterable[Claim], ledgers: Sequence[JudgedLedger]) -> list[Transfer]:
    """One row for each claim; a finding of another text than today's is left out and named as outdated."""
    by_machine = {ledger.machine: {one.name: one for one in ledger.findings} for ledger in ledgers}
    features = {ledger.machine: frozenset(ledger.features) for ledger in ledgers}
    return [_transfer(claim, by_machine, features) for claim in claims]


def _transfer(
    claim: Claim, found: Mapping[str, Mapping[str, StoredFinding]], features: Mapping[str, frozenset[str]]
) -> Transfer:
    own = {machine: findings[claim.name] for machine, findings in found.items() if claim.name in findings}
    on = {machine: one.standing for machine, one in own.items() if one.digest == claim.digest}
    parts = [own[machine].parts for machine, standing in on.items() if standing in DECIDED]
    return Transfer(
        claim=claim, on=on, by=_by(on, features), outdated=tuple(machine for machine in own if machine not in on),
        alike=all(one == parts[0] for one in parts),
    )  # fmt: skip


def _by(on: Mapping[str, Standing], features: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Features that all machines of one standing have and none of another: what may tell them apart."""
    decided = {machine: standing for machine, standing in on.items() if standing in DECIDED}
    groups = [[m for m, other in decided.items() if other is standing] for standing in sorted(set(decided.values()))]
    if len(groups) < 2:  # noqa: PLR2004  # nothing differs
        return ()
    every = [frozenset.intersection(*(features[m] for m in group)) for group in groups]
    some = [frozenset.union(*(features[m] for m in group)) for group in groups]
    told = {
        feature
        for k, has in enumerate(every)
        for feature in has
        if all(feature not in other for j, other in enumerate(some) if j != k)
    }
    return tuple(sorted(told))


def rows(found: Iterable[Transfer], machines: Sequence[str]) -> list[list[str]]:
    """Claim, statement, the standing on each machine, whether it transfers."""
    return [
        [one.claim.name, one.claim.statement, *(str(one.on.get(m, EMPTY)) for m in machines), told(one)]
        for one in found
    ]


def comma_separated(found: Iterable[Transfer], machines: Sequence[str]) -> str:
    """The rows below a line of titles."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*HEAD, *machines, "transfers"])
    writer.writerows(rows(found, machines))
    return text.getvalue()


def told(one: Transfer) -> str:
    """Whether it transfers, in words."""
    if one.transfers is None:
        return EMPTY
    if one.transfers:
        return "transfers"
    return f"differs by {', '.join(one.by)}" if one.by else "differs; no feature tells these machines apart"
