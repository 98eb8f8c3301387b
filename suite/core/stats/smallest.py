"""The smallest effect that a comparison could have shown: how far its interval reaches from its value towards zero.

An effect shows if the interval of the difference does not hold zero. Of a positive difference that asks for more than
``value - low``, of a negative one for more than ``high - value``. So the interval that judges a difference also says
which ones it cannot tell from none: an effect of the size named here shows half of the time (normal approximation). It
does not say that a larger effect is excluded; the ends of the interval say that.
"""

from __future__ import annotations


def smallest_effect(value: float, low: float, high: float) -> float:
    """The distance that ``value`` has to be away from zero for [``low``, ``high``] not to hold it; in their unit."""
    below, above = max(0.0, value - low), max(0.0, high - value)
    if value == 0:
        return max(below, above)
    return below if value > 0 else above


def shows(low: float, high: float) -> bool:
    """Whether an interval of a difference leaves out zero."""
    return low > 0 or high < 0
