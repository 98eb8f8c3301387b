"""Outputs of timed turns, kept and compared with the judged ones: the timed network must be the tested one.

A check that calls a network again sees only the outputs of that call. So the sampler hands over the outputs of timed
calls, outside the clock, and a few random turns of each arm are kept.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

MOST = 4  # outputs of an arm


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one timed call returned: its leaves, copied if they are tensors, and the types that they had."""

    leaves: tuple[Any, ...]
    types: frozenset[type]


@dataclass(kw_only=True)
class KeptOutputs:
    """A uniform random choice of each arm's turns, however many there are (Vitter's reservoir, algorithm R)."""

    seed: int
    arms: frozenset[str]
    """Those whose outputs are kept."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    _turns: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # mixes, guards no secret

    def __call__(self, arm: str, output: object) -> None:
        """Called by the sampler after each turn of ``arm`` with what its last call returned."""
        if arm not in self.arms:
            return
        self._turns[arm] += 1
        kept = self.answers.setdefault(arm, [])
        if len(kept) < MOST:
            kept.append(answer_of(output))
        elif (place := self._random.randrange(self._turns[arm])) < MOST:
            kept[place] = answer_of(output)


def answer_of(output: object) -> Answer:
    """A copy of an output: a compiled network may answer in the same place again."""
    from torch.utils._pytree import tree_leaves  # as in trees.py

    leaves = tree_leaves(output)
    copies = tuple(leaf.detach().clone() if isinstance(leaf, Tensor) and not leaf.is_meta else leaf for leaf in leaves)
    return Answer(leaves=copies, types=frozenset(map(type, leaves)))


def types_of(answers: Mapping[str, list[Answer]], arm: str) -> frozenset[type]:
    """All types of leaves that an arm returned."""
    return frozenset().union(*(answer.types for answer in answers.get(arm, [])))
