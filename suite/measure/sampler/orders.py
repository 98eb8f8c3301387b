"""The order of the arms' turns: each arm runs equally often in each position and directly after each other arm.

The arm that ran before leaves its data in the caches, so a call's time depends on its predecessor. A Williams square
balances both: positions, and predecessors within a round. Source: Williams, Experimental designs balanced for the
estimation of residual effects of treatments, Australian Journal of Scientific Research A 2 (1949).
"""

from __future__ import annotations

import random
from collections.abc import Iterator


def balanced_orders(arms: int, rng: random.Random) -> Iterator[list[int]]:
    """Permutations of ``range(arms)`` without end.

    Each square is complete after ``arms`` orders (twice as many if ``arms`` is odd). Its rows come in random order and
    each square draws new labels, so that nothing periodic in the machine favours an arm.
    """
    square = williams(arms)
    while True:
        labels = rng.sample(range(arms), arms)
        for row in rng.sample(square, len(square)):
            yield [labels[position] for position in row]


def williams(arms: int) -> list[list[int]]:
    """A Williams square: ``arms`` rows if ``arms`` is even, else that square and its mirror image."""
    zigzag = [(step + 1) // 2 if step % 2 else -step // 2 for step in range(arms)]
    rows = [[(shift + step) % arms for step in zigzag] for shift in range(arms)]
    return rows if arms % 2 == 0 else rows + [row[::-1] for row in rows]
