"""Adam with its two moments in 8 bits: blocks of 256 values share a scale and a table of 256 levels.

Dettmers et al. 2022, https://arxiv.org/abs/2110.02861, as torchao or its authors' bitsandbytes builds it. What is held
while training falls by nearly six bytes for each weight of a tensor of 4,096 or more; smaller ones keep float32. A step
takes longer. torchao would compile its rule, anew for each value of beta, and schedules such as OneCycle change that at
every step; so it runs eagerly here, with temporary tensors in float32. bitsandbytes has a kernel, which needs none.
Rates, betas, decay and hooks are the recipe's own. Serving stays.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training import engines
from suite.training.recipe import Recipe

EXTRAS = {"torchao": "quantization", "bitsandbytes": "bitsandbytes"}
"""By library, the extra of this project that brings it."""


def has_library(case: Any) -> str | None:
    """Why the library that was asked for cannot be used; a need of this technique."""
    for found, bound in case.composition.members:
        library = bound.get("library")
        if found.name == adam_8bit.__name__ and library in EXTRAS and importlib.util.find_spec(library) is None:
            return f"{library} is not installed: pip install 'tradeoff-suite[{EXTRAS[library]}]'"
    return None


@technique(
    slots=("optimizer",),
    family="optimizer",
    sweep={"library": tuple(EXTRAS)},
    needs=("adam", has_library),
    quick=False,
)
def adam_8bit(recipe: Recipe, *, library: str = "torchao") -> Recipe:
    """Hold the moments of Adam or AdamW in 8 bits, by ``torchao`` or ``bitsandbytes``."""
    if library not in EXTRAS:
        raise UsageError(f"adam_8bit: library must be one of {', '.join(EXTRAS)}, got {library!r}")

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return _in_8_bits(recipe.optimizer(parameters, rate), RULES[library])

    return replace(recipe, optimizer=optimizer)


def _in_8_bits(plain: Optimizer, rule: Callable[[bool], Callable[[Any], Optimizer]]) -> Optimizer:
    """Raises `UnavailableError` for any other rule than Adam's and AdamW's."""
    if type(plain) not in (Adam, AdamW):
        raise UnavailableError(f"adam_8bit: the recipe's optimizer is {type(plain).__name__}, not Adam or AdamW")
    groups = [{"params": group["params"], **_settings(group)} for group in plain.param_groups]
    made = rule(isinstance(plain, AdamW))(groups)
    for hook in plain._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
        made.register_step_pre_hook(hook)
    return made


def _torchao(decoupled: bool) -> Callable[[Any], Optimizer]:  # noqa: FBT001  # as in RULES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao import optim  # slow to import
    made: Callable[[Any], Optimizer] = _eager(optim.AdamW8bit if decoupled else optim.Adam8bit)
    return made


def _bitsandbytes(decoupled: bool) -> Callable[[Any], Optimizer]:  # noqa: FBT001  # as in RULES
    with warnings.catch_warnings(), engines.quiet():  # of kernels that other parts of it would like
        warnings.simplefilter("ignore")
        optim = importlib.import_module("bitsandbytes.optim")  # slow to import; without types
    made: Callable[[Any], Optimizer] = optim.AdamW8bit if decoupled else optim.Adam8bit
    return made


RULES: Mapping[str, Callable[[bool], Callable[[Any], Optimizer]]] = {
    "torchao": _torchao,
    "bitsandbytes": _bitsandbytes,
}
"""By library, its rule with decoupled weight decay or without."""


def _eager(rule: type[Optimizer]) -> Any:
    class Eager(rule):  # type: ignore[misc, valid-type]  # a class of a library without types
        def step(self, closure: Any = None) -> Any:
            with torch.compiler.set_stance("force_eager"):
                return super().step(closure)

    return Eager


def _settings(group: dict[str, object]) -> dict[str, object]:
    return {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")}
