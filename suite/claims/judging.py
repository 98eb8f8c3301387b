"""What the evidence says of each claim, with one risk of error for the whole ledger.

Each empirical claim is decided at the smallest risk at which its predicate is: the greatest level of confidence whose
intervals decide it. Holm's procedure over these risks keeps the chance of any wrong decision in the ledger at `RISK`
(Holm, Scandinavian Journal of Statistics 6, 1979). Computed claims have no risk.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from suite.claims.claim import Claim, ClaimKind, Standing
from suite.claims.evidence import ClaimEvidence
from suite.claims.predicate import Missing, Predicate
from suite.claims.truth import Truth, every
from suite.core.errors import ExpectationFileError, SuiteError
from suite.core.records import Measurement
from suite.core.stats.multiplicity import holm

RISK = 0.05
LEAST_RISK = 1e-9
STEPS = 16  # of the bisection: a risk to three digits
NEVER = 2.0  # the risk of what no level decides


@dataclass(frozen=True, kw_only=True)
class PartFinding:
    """A part of a claim: its ``truth`` at the ledger's level, and the ``risk`` at which it is decided.

    ``missing`` says what the evidence lacks.
    """

    name: str
    truth: Truth
    risk: float = 0.0
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is found of a claim: its standing, the parts, and a sentence on why.

    Attributes:
        figure: What we compute where the source gives a figure.
        degree: How far the two figures agree: the coefficient of variation in percent.
        used: The measurements that it rests on.
        expected: What the ledger expects here, and ``changed``: that it is another standing.
    """

    claim: Claim
    standing: Standing
    parts: tuple[PartFinding, ...] = ()
    reason: str = ""
    figure: float | None = None
    degree: float | None = None
    used: tuple[Measurement, ...] = ()
    expected: Standing | None = None

    @property
    def changed(self) -> bool:
        """Whether it is decided otherwise than expected; what is open or untested here is no change.

        A part that is refuted is a change of a claim that is expected to hold, whatever the other parts say.
        """
        open_ones = (Standing.UNDECIDED, Standing.NOT_TESTABLE)
        if self.expected is Standing.HOLDS and any(part.truth is Truth.FALSE for part in self.parts):
            return True
        return self.expected is not None and self.standing not in (self.expected, *open_ones)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A claim with its parts as they are decided by themselves, before Holm's procedure."""

    claim: Claim
    parts: tuple[PartFinding, ...] = ()
    used: tuple[Measurement, ...] = ()
    figure: float | None = None
    untested: str = ""
    too_good: bool = False
    amended: str = ""


def judge(
    claims: Iterable[Claim], evidence: ClaimEvidence, levels: tuple[str, ...], amended: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """The findings on a machine whose ``levels`` are given, most specific first.

    ``amended`` says by name why a claim must be measured anew: it was changed after its results were seen.
    """
    looks = [_look(claim, evidence, (amended or {}).get(claim.name, "")) for claim in claims]
    return tuple(_finding(look, levels) for look in _together(looks))


def _look(claim: Claim, evidence: ClaimEvidence, amended: str) -> Look:
    if claim.kind is ClaimKind.ADVICE or amended:
        return Look(claim=claim, amended=amended)
    seen = evidence.without_seeds(claim.chosen_on) if claim.chosen_on else evidence
    seen.asked.clear()
    try:
        if claim.condition and claim.condition.at(1 - RISK, seen) is not Truth.TRUE:
            return Look(claim=claim, untested=f"needs {claim.condition.text}, which does not hold here")
        parts = tuple(_part(name, part, seen) for name, part in claim.parts.items())
        good = claim.ceiling is not None and claim.ceiling.at(1 - RISK, seen) is Truth.FALSE
        figure = claim.measured.figure(seen, 1 - RISK).value if claim.measured else None
    except Missing as error:
        return Look(claim=claim, untested=str(error))
    except SuiteError as error:
        raise ExpectationFileError(claim.path, claim.line, f"{claim.name}: {error}") from error
    return Look(claim=claim, parts=parts, used=tuple(seen.asked.values()), figure=figure, too_good=good)


def _part(name: str, part: Predicate, evidence: ClaimEvidence) -> PartFinding:
    try:
        return _decided(name, part, evidence)
    except Missing as error:
        return PartFinding(name=name, truth=Truth.OPEN, risk=NEVER, missing=str(error))


def _decided(name: str, part: Predicate, evidence: ClaimEvidence) -> PartFinding:
    """The part with the smallest risk that decides it: intervals grow with the level, so bisection finds it."""
    surest = part.at(1 - LEAST_RISK, evidence)
    if surest is not Truth.OPEN:
        return PartFinding(name=name, truth=surest)
    low, high = LEAST_RISK, 1.0
    truth = part.at(0.0, evidence)
    if truth is Truth.OPEN:
        return PartFinding(name=name, truth=Truth.OPEN, risk=NEVER)
    for _ in range(STEPS):
        middle = math.sqrt(low * high)
        found = part.at(1 - middle, evidence)
        low, high, truth = (middle, high, truth) if found is Truth.OPEN else (low, middle, found)
    return PartFinding(name=name, truth=truth, risk=high)


def _together(looks: Sequence[Look]) -> list[Look]:
    """Each part open whose risk, adjusted for all that are decided with any, is above `RISK`."""
    risky = [(k, j) for k, look in enumerate(looks) for j, part in enumerate(look.parts) if 0 < part.risk < NEVER]
    adjusted = holm([looks[k].parts[j].risk for k, j in risky])
    parts = [list(look.parts) for look in looks]
    for (k, j), risk in zip(risky, adjusted, strict=True):
        truth = parts[k][j].truth if risk <= RISK else Truth.OPEN
        parts[k][j] = replace(parts[k][j], truth=truth, risk=risk)
    return [replace(look, parts=tuple(own)) for look, own in zip(looks, parts, strict=True)]


def _finding(look: Look, levels: tuple[str, ...]) -> Finding:
    claim = look.claim
    standing, reason = _standing(look)
    return Finding(
        claim=claim,
        standing=standing,
        parts=look.parts,
        reason=reason,
        figure=look.figure,
        degree=None if look.figure is None or claim.said is None else degree(claim.said, look.figure),
        used=look.used,
        expected=claim.expected_on(levels),
    )


def _standing(look: Look) -> tuple[Standing, str]:
    if look.claim.kind is ClaimKind.ADVICE:
        return Standing.ADVICE, "nothing to measure"
    if look.amended:
        return Standing.AMENDED, look.amended
    if look.untested:
        return Standing.NOT_TESTABLE, look.untested
    if look.too_good:
        assert look.claim.ceiling is not None  # noqa: S101  # it was exceeded
        return Standing.TOO_GOOD, f"{look.claim.ceiling.text} is false: no honest measurement is that good"
    return _of_parts(look.parts)


def _of_parts(parts: Sequence[PartFinding]) -> tuple[Standing, str]:
    kinds = {truth: [part.name for part in parts if part.truth is truth] for truth in Truth}
    if kinds[Truth.TRUE] and kinds[Truth.FALSE]:
        return Standing.PARTLY, f"holds: {_listed(kinds[Truth.TRUE])}; does not: {_listed(kinds[Truth.FALSE])}"
    missing = list(dict.fromkeys(part.missing for part in parts if part.missing))
    if parts and all(part.missing for part in parts):
        return Standing.NOT_TESTABLE, "; ".join(missing)
    whole = every(part.truth for part in parts)
    if not kinds[Truth.OPEN]:
        return (Standing.HOLDS if whole is Truth.TRUE else Standing.REFUTED), ""
    still = _listed(kinds[Truth.OPEN])
    why = "; ".join(missing) or "the interval lies on both sides of the limit: more seeds, items or rounds decide it"
    refuted = f"does not: {_listed(kinds[Truth.FALSE])}; " if kinds[Truth.FALSE] else ""
    return Standing.UNDECIDED, f"{refuted}{still}: {why}" if still else f"{refuted}{why}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name)


def degree(said: float, found: float) -> float:
    """How far two figures of one thing agree: their coefficient of variation in percent, corrected for two values.

    Source: Belz, A metrological perspective on reproducibility in NLP, Computational Linguistics 48 (2022).
    """
    mean, n = (said + found) / 2, 2
    if mean == 0:
        return 0.0 if said == found else math.inf
    spread = abs(said - found) / math.sqrt(2) * math.sqrt(math.pi / 2)  # unbiased: c4(2) = sqrt(2 / pi)
    return 100 * (1 + 1 / (4 * n)) * spread / abs(mean)
