"""How many verdicts another run of the same size would change: judgements of figures that are drawn again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from suite.claims.claim import DECIDED, Claim, ClaimKind, Standing
from suite.claims.evidence import ClaimEvidence
from suite.claims.judging import Finding, judge
from suite.claims.resampling import Read, Redraw

MOST = 0.05
"""The share of decided verdicts that may change, on average over the draws."""


@dataclass(frozen=True, kw_only=True)
class Stability:
    """The verdicts of the run itself, and by claim how often a draw had another one, and which."""

    found: tuple[Finding, ...]
    draws: int
    changes: Mapping[str, Counter[Standing]]

    @property
    def share(self) -> float:
        """Of all decided verdicts."""
        return self._share(lambda _: True)

    @property
    def measured_share(self) -> float:
        """Of those that rest on measurements: what is computed does not change."""
        return self._share(lambda claim: claim.kind is ClaimKind.EMPIRICAL)

    @property
    def opposite(self) -> int:
        """Changes from one decided verdict to another, over all draws; all others are open then."""
        return sum(counted[standing] for counted in self.changes.values() for standing in DECIDED)

    def decided(self, of: Callable[[Claim], bool] = lambda _: True) -> list[Finding]:
        """The decided verdicts of such claims."""
        return [one for one in self.found if one.standing in DECIDED and of(one.claim)]

    def _share(self, of: Callable[[Claim], bool]) -> float:
        decided = self.decided(of)
        changed = sum(self.changes[one.claim.name].total() for one in decided if one.claim.name in self.changes)
        return changed / (len(decided) * self.draws) if decided else 0.0


def stability(
    claims: Sequence[Claim],
    evidence: ClaimEvidence,
    levels: tuple[str, ...],
    read: Read,
    *,
    draws: int = 20,
    seed: int = 0,
    amended: Mapping[str, str] | None = None,
) -> Stability:
    """Judge ``evidence``, then ``draws`` times what is drawn from it; ``read`` gives raw samples."""
    found = judge(claims, evidence, levels, amended)
    changes: dict[str, Counter[Standing]] = {}
    for number in range(draws):
        redraw = Redraw(rng=np.random.default_rng((seed, number)))
        drawn = evidence.changed(partial(redraw.of, read=read), redraw.quantity)
        for before, after in zip(found, judge(claims, drawn, levels, amended), strict=True):
            if before.standing in DECIDED and after.standing is not before.standing:
                changes.setdefault(before.claim.name, Counter())[after.standing] += 1
    return Stability(found=found, draws=draws, changes=changes)
