"""What other tools would say of two runs, given seconds of single calls: ``base`` [n] the old code's, ``new`` [m].

- pytest-benchmark, ``--benchmark-compare-fail=mean:5%`` and ``min:5%``: the statistic of the new run exceeds the old
  one's by more than 5 % (https://pytest-benchmark.readthedocs.io/en/latest/comparing.html).
- asv, ``asv continuous`` with its defaults: a two-sided Mann-Whitney test (Ann. Math. Statist. 18 (1947)) at p < 0.002
  says that the runs differ, and the medians differ by a factor above 1.1 (https://asv.readthedocs.io/en/stable/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Seconds = NDArray[np.float64]
    Rule = Callable[[Seconds, Seconds], bool]

ALLOWED = 1.05
ASV_FACTOR, ASV_P = 1.1, 0.002


def mean_5(base: Seconds, new: Seconds) -> bool:
    """Whether the mean of a call has grown by more than 5 %."""
    return bool(np.mean(new) > ALLOWED * np.mean(base))


def min_5(base: Seconds, new: Seconds) -> bool:
    """Whether the shortest call has grown by more than 5 %."""
    return bool(np.min(new) > ALLOWED * np.min(base))


def mann_whitney(base: Seconds, new: Seconds) -> bool:
    """Whether the distributions differ and the median has grown by more than a factor of 1.1."""
    from scipy.stats import mannwhitneyu  # scipy is slow to import

    if np.median(new) <= ASV_FACTOR * np.median(base):
        return False
    return bool(mannwhitneyu(base, new, alternative="two-sided").pvalue < ASV_P)


PEERS: Mapping[str, Rule] = {
    "pytest-benchmark mean:5%": mean_5,
    "pytest-benchmark min:5%": min_5,
    "asv (Mann-Whitney, 1.1)": mann_whitney,
}


def flagged(base: Seconds, new: Seconds) -> dict[str, bool]:
    """By rule, whether it calls ``new`` a regression."""
    return {name: rule(base, new) for name, rule in PEERS.items()}
