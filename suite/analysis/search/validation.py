"""A workload as a search sees it: what is chosen is judged on validation items, never on the test's."""

from __future__ import annotations

from dataclasses import replace

from suite.core.choosing import VALIDATION_MARK
from suite.core.errors import UsageError
from suite.registry import Workload
from suite.training.recipe import Recipe, Splits


def on_validation(workload: Workload) -> Workload:
    """The workload under a name of its own, with its validation items in the place of the test items.

    Its figures cannot be taken for those of the test. Building a recipe raises `UsageError` where there is no
    validation split.
    """

    def recipe(seed: int) -> Recipe:
        plain = workload.recipe(seed)
        return replace(plain, data=lambda: _without_test(plain.data(), workload.name))

    return replace(workload, name=workload.name + VALIDATION_MARK, recipe=recipe)


def _without_test(splits: Splits, name: str) -> Splits:
    if splits.validation is None:
        raise UsageError(f"the data of {name} have no validation split, and a search must not choose by its test items")
    return replace(splits, test=splits.validation)
