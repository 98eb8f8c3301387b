"""Parse a composition's text: techniques with all their parameters, in a feasible order."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from suite.core.composition import TechniqueCall, join
from suite.core.errors import CompositionError, OrderError, RegistrationError, UsageError, unknown
from suite.registry.declarations import Need, Technique
from suite.training.data import opened, test_open, test_sealed
from suite.training.recipe import STAGES, Recipe, changed_slots

if TYPE_CHECKING:
    from suite.training.invariants import Promise

DURING = frozenset({"callbacks", "constraints", "after_training", "prepare"})  # in every training, whoever comes first
EXCLUSIVE_SLOTS = frozenset({"data", "optimizer", "layout", "precision", "launch", "quantize"})  # one owner each


@dataclass(frozen=True, kw_only=True)
class Composition:
    """A resolved composition: techniques with all their parameters, in the order in which they apply."""

    name: str
    members: tuple[tuple[Technique, Mapping[str, Any]], ...]

    def __str__(self) -> str:
        return self.name

    @property
    def is_baseline(self) -> bool:
        return not self.members

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(slot for technique, _ in self.members for slot in technique.slots)

    @property
    def needs(self) -> tuple[Need, ...]:
        return tuple(dict.fromkeys(need for technique, _ in self.members for need in technique.needs))

    @property
    def sizes_follow_weights(self) -> frozenset[str]:
        """The metrics of size that depend on trained weights; rounding decides which weights become zero."""
        declared = {name for technique, _ in self.members for name in technique.sizes_follow_weights}
        return frozenset(declared | ({"nonzero_parameters"} if "quantize" in self.slots else set()))

    @property
    def last(self) -> str:
        """The name of the member that acts last; the baseline's own where there is none."""
        return self.members[-1][0].name if self.members else self.name

    @property
    def promises(self) -> tuple[Promise, ...]:
        """What the members promise of the weights that are served."""
        from suite.training.invariants import Promise  # loads torch

        return tuple(
            Promise(
                member=found.name, suspect=self._suspect(found), invariant=found.promises(**bound),
                quantized="quantize" in found.slots,
            )
            for found, bound in self.members if found.promises is not None
        )  # fmt: skip

    def _suspect(self, promising: Technique) -> str:
        """The last other member that changes weights while the promise is to hold; else the one that gave it."""
        late = {"finish"} if "quantize" in self.slots and "quantize" not in promising.slots else {*STAGES}
        others = [found for found, _ in self.members if found != promising]
        after = others[[found for found, _ in self.members].index(promising) :]
        able = [one for one in others if set(one.slots) & (DURING if one not in after else DURING | late)]
        return able[-1].name if able else promising.name

    @property
    def precision(self) -> str:
        """What the network computes in, ``fp32`` unless a member says otherwise; the last one counts."""
        return next((found.precision for found, _ in reversed(self.members) if found.precision), "fp32")

    @property
    def ranks(self) -> int:
        """How many processes train together: the parameter ``ranks`` of the member that replaces ``launch``."""
        told = [parameters.get("ranks", 1) for found, parameters in self.members if "launch" in found.slots]
        return int(told[0]) if told else 1

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe after every member has changed its slots, left to right.

        Raises `RegistrationError` for a member that changed a slot which it does not declare: the cell would share
        the training of another one, and show its figures.
        """
        for technique, parameters in self.members:
            with _reading(technique):
                changed = technique.function(recipe, **parameters)
            _check_changes(technique, recipe, changed)
            recipe = replace(changed, data=opened(changed.data)) if "data" in technique.slots else changed
        _check_ranks(self, recipe)
        return recipe


def _reading(technique: Technique) -> AbstractContextManager[None]:
    """While it changes a recipe only what makes new data reads the test part: other slots would keep what they read."""
    return test_open() if "data" in technique.slots else test_sealed(f"technique {technique.name!r}")


def spelled(members: Iterable[tuple[Technique, Mapping[str, Any]]]) -> Iterator[TechniqueCall]:
    return (TechniqueCall(name=found.name, parameters=tuple(bound.items())) for found, bound in members)


def bind(found: Technique, member: TechniqueCall) -> dict[str, Any]:
    given = dict(member.parameters)
    for name in given:
        if name not in found.parameters:
            raise unknown(f"parameter of {found.name}", name, found.parameters)
    return {
        name: _convert(found, name, given[name], parameter.default) if name in given else parameter.default
        for name, parameter in found.parameters.items()
    }


def _convert(found: Technique, name: str, value: Any, default: Any) -> Any:
    """``value`` as the type of the default; an int serves where a float is meant, nothing else is bent."""
    wanted = type(default)
    if wanted is float and type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    if type(value) is not wanted:
        raise UsageError(f"{found.name}({name}={value!r}): {name} must be {wanted.__name__}, as in {name}={default!r}")
    return value


def _check_changes(technique: Technique, before: Recipe, after: Any) -> None:
    if not isinstance(after, Recipe):
        raise RegistrationError(
            f"technique {technique.name!r} at {technique.where} must return a Recipe, it returned {after!r}; "
            "end it with `return replace(recipe, ...)`"
        )
    undeclared = [slot for slot in changed_slots(before, after) if slot not in technique.slots]
    if undeclared:
        slots = ", ".join(repr(slot) for slot in (*technique.slots, *undeclared))
        raise RegistrationError(
            f"technique {technique.name!r} at {technique.where} changes {', '.join(undeclared)} of the recipe without "
            f"declaring it; write @technique(slots=({slots},), ...)"
        )


def _check_ranks(composition: Composition, recipe: Recipe) -> None:
    """Raise `RegistrationError` for a launch of other ranks than the cell's name says: figures would be misread."""
    for found, _ in composition.members:
        if "launch" in found.slots and recipe.launch.ranks != composition.ranks:
            raise RegistrationError(
                f"technique {found.name!r} at {found.where} launches {recipe.launch.ranks} ranks, but its cell says "
                f"{composition.ranks}; give the function a parameter `ranks` and hand it to the launch"
            )


def check_order(composition: Composition) -> None:
    """Members that act after training must be in the order of their stages.

    A technique of several stages may precede one of its first stage: both finish, then it quantizes.
    """
    staged = [(found, stages) for found, _ in composition.members if (stages := _stages(found))]
    for (before, earlier), (after, later) in pairwise(staged):
        early, late = min(earlier), max(later)
        if early > late:
            ordered = join(spelled(sorted(composition.members, key=lambda member: stage(member[0]) or 0)))
            problem = f"{after.name} changes {STAGES[late]!r}, which happens before {STAGES[early]!r} of {before.name}"
            raise OrderError(problem, given=composition.name, ordered=ordered)


def _stages(found: Technique) -> list[int]:
    """A runtime is the last stage by itself; beside a change of the weights it says how these are written."""
    stages = [STAGES.index(slot) for slot in found.slots if slot in STAGES]
    return stages or [len(STAGES) - 1] * ("runtime" in found.slots)


def stage(found: Technique) -> int | None:
    """The last stage after training that a technique changes; none where it changes training alone."""
    return max(_stages(found), default=None)


def check_conflicts(composition: Composition) -> None:
    owners: dict[str, str] = {}
    names = [found.name for found, _ in composition.members]
    for found, _ in composition.members:
        for other in found.conflicts:
            if other in names:
                raise CompositionError(f"{composition.name}: {found.name} cannot be combined with {other}")
        for slot in EXCLUSIVE_SLOTS.intersection(found.slots):
            if slot in owners:
                raise CompositionError(
                    f"{composition.name}: {owners[slot]} and {found.name} both replace {slot!r}; use one of them"
                )
            owners[slot] = found.name
