"""Adam's rule with its moments in 8 bits, as two libraries build it."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import Adam, AdamW, Optimizer

from suite.core.errors import UnavailableError
from suite.training import engines


def in_8_bits(plain: Optimizer, library: str) -> Optimizer:
    """The optimizer by that library, with the groups, settings and hooks of ``plain``.

    Raises `UnavailableError` for any other rule than Adam's and AdamW's, and for one that the library does not have.
    """
    if type(plain) not in (Adam, AdamW):
        raise UnavailableError(f"8-bit moments: the recipe's optimizer is {type(plain).__name__}, not Adam or AdamW")
    made = RULES[library](plain)([{"params": group["params"], **_settings(group)} for group in plain.param_groups])
    for hook in plain._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
        made.register_step_pre_hook(hook)
    return made


Rule = Callable[[list[dict[str, object]]], Optimizer]
"""Builds an optimizer from groups of parameters."""


def _torchao(plain: Optimizer) -> Rule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        from torchao import optim  # slow to import
    made: Rule = _eager(optim.AdamW8bit if isinstance(plain, AdamW) else optim.Adam8bit)
    return made


def _bitsandbytes(plain: Optimizer) -> Rule:
    """The library decays the weights of Adam as those of AdamW, and leaves amsgrad out, without a word."""
    if any(group["amsgrad"] for group in plain.param_groups):
        raise UnavailableError("bitsandbytes has no 8-bit Adam with amsgrad")
    if type(plain) is Adam and any(group["weight_decay"] for group in plain.param_groups):
        raise UnavailableError("bitsandbytes has no 8-bit Adam that adds weight decay to the gradient; use AdamW")
    with warnings.catch_warnings(), engines.quiet():  # of kernels that other parts of it would like
        warnings.simplefilter("ignore")
        optim = importlib.import_module("bitsandbytes.optim")  # slow to import; without types
    made: Rule = optim.AdamW8bit if isinstance(plain, AdamW) else optim.Adam8bit
    return made


RULES: Mapping[str, Callable[[Optimizer], Rule]] = {"torchao": _torchao, "bitsandbytes": _bitsandbytes}
"""By library, its rule for an optimizer. Raises `UnavailableError` where it has none."""


def _eager(rule: type[Optimizer]) -> Any:
    class Eager(rule):  # type: ignore[misc, valid-type]  # a class of a library without types
        def step(self, closure: Any = None) -> Any:
            with torch.compiler.set_stance("force_eager"):
                return super().step(closure)

    return Eager


def _settings(group: dict[str, object]) -> dict[str, object]:
    return {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")}
