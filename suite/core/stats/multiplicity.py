"""Many tests at once: probabilities that hold for all of them together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(probabilities: Sequence[float]) -> list[float]:
    """The ``probabilities`` [n], adjusted: the chance of any false alarm among those up to ``a`` is at most ``a``.

    This holds under any dependence between the tests. Source: Holm, A simple sequentially rejective multiple test
    procedure, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    adjusted, least = [0.0] * len(probabilities), 0.0
    for rank, index in enumerate(sorted(range(len(probabilities)), key=probabilities.__getitem__)):
        least = max(least, min(1.0, (len(probabilities) - rank) * probabilities[index]))
        adjusted[index] = least
    return adjusted
