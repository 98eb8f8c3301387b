"""Claims over machines: which standings transfer, which do not, and by which property of the machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suite.claims.claim import DECIDED, Claim, Standing
from suite.claims.store import JudgedLedger, StoredFinding
from suite.claims.truth import Truth

HEAD = ("claim", "statement")
SOURCES = ("machine", "family", "commit", "measured", "claims")
EMPTY = "-"


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A claim over machines: its standing ``on`` each, and the parts that hold on one and not on another.

    ``by`` is what the machines of either side have and those of the other do not.
    """

    claim: Claim
    on: Mapping[str, Standing]
    apart: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def transfers(self) -> bool | None:
        """Whether no part is true on one machine and false on another; ``None`` where fewer than two decided it."""
        if self.apart:
            return False
        decided = [standing for standing in self.on.values() if standing in DECIDED]
        return True if len(decided) > 1 else None


def matrix(claims: Iterable[Claim], ledgers: Sequence[JudgedLedger]) -> list[Transfer]:
    """One row for each claim; a finding of another text than today's is left out and named as outdated."""
    by_machine = {ledger.machine: {one.name: one for one in ledger.findings} for ledger in ledgers}
    features = {ledger.machine: _told_of(ledger) for ledger in ledgers}
    return [_transfer(claim, by_machine, features) for claim in claims]


def _told_of(ledger: JudgedLedger) -> frozenset[str]:
    """What may tell a machine from another: its instruction sets, then the versions that it ran."""
    return frozenset(ledger.features) | {f"{name} {version}" for name, version in ledger.versions.items()}


def _transfer(
    claim: Claim, found: Mapping[str, Mapping[str, StoredFinding]], features: Mapping[str, frozenset[str]]
) -> Transfer:
    own = {machine: findings[claim.name] for machine, findings in found.items() if claim.name in findings}
    valid = {machine: one for machine, one in own.items() if one.digest == claim.digest}
    sides = {part: _sides(part, valid) for part in claim.parts}
    apart = tuple(part for part, (true, false) in sides.items() if true and false)
    return Transfer(
        claim=claim,
        on={machine: one.standing for machine, one in valid.items()},
        apart=apart,
        by=_by(sides[apart[0]], features) if apart else (),
        outdated=tuple(machine for machine in own if machine not in valid),
    )


def _sides(part: str, found: Mapping[str, StoredFinding]) -> tuple[list[str], list[str]]:
    """The machines on which a part is true, and those on which it is false."""
    true, false = (
        [machine for machine, one in found.items() if one.parts.get(part) == truth.name.lower()]
        for truth in (Truth.TRUE, Truth.FALSE)
    )
    return true, false


def _by(sides: tuple[list[str], list[str]], features: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """What all machines of one side have and none of the other: it may be the reason."""
    every = [frozenset.intersection(*(features[machine] for machine in side)) for side in sides]
    some = [frozenset.union(*(features[machine] for machine in side)) for side in sides]
    return tuple(sorted((every[0] - some[1]) | (every[1] - some[0])))


def counts(found: Sequence[Transfer]) -> str:
    """``11 transfer, 0 differ, 137 decided on fewer than two machines``."""
    each = [one.transfers for one in found]
    few = each.count(None)
    return f"{each.count(True)} transfer, {each.count(False)} differ, {few} decided on fewer than two machines"


def sources(ledgers: Iterable[JudgedLedger]) -> list[list[str]]:
    """Of each ledger its machine, family, commit, when its run started, and whether the claims were locked later."""
    return [
        [one.machine, one.family, one.commit or "", one.started, "in hindsight" if one.hindsight else "locked before"]
        for one in ledgers
    ]


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
    what = f"differs ({', '.join(filter(None, one.apart))})" if any(one.apart) else "differs"
    return f"{what} by {', '.join(one.by)}" if one.by else f"{what}; no feature tells these machines apart"
