"""What a choice rests on: the validation items of a workload that is called ``name@validation``, else its test items.

The best of several noisy figures looks better than it is (the winner's curse): items that were chosen on cannot
evaluate the choice.
"""

from __future__ import annotations

from typing import Literal

VALIDATION_MARK = "@validation"


def judged_on(workload: str) -> Literal["validation", "test"]:
    """The items that a workload's scores come from."""
    return "validation" if workload.endswith(VALIDATION_MARK) else "test"
