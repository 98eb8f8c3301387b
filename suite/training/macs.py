"""Multiply-accumulates of one item, counted by torch at the level of operators.

The counter knows torch's own products, convolutions and attention. A kernel that it does not know counts zero in
silence, and a network with such a kernel would look cheaper than it is: then there is no figure.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # what all batch norms have in common
from torch.nn.utils.parametrize import ParametrizationList

MULTIPLIES = 2  # dimensions of a weight from which on it is a factor of a product
TABLES = (nn.Embedding, nn.EmbeddingBag)  # looked up, not multiplied
NORMS = (_BatchNorm, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)  # by element, which nobody counts
SHOWN = 3


def macs_of(network: nn.Module, inputs: object) -> int | None:
    """Multiply-accumulates of one call; shapes are enough, so network and inputs may be on torch's meta device.

    Warns and returns ``None`` where the counter saw nothing at all, or nothing of a module that has weights.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with _by_module(network, counter.get_total_flops) as counts, _plain_attention(), counter, torch.no_grad():
        network(inputs)
    total, silent = int(counter.get_total_flops()) // 2, _silent(network, counts)
    if total > 0 and not silent:
        return total
    _warn(silent)
    return None


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention by products, which every version of torch counts alike.

    The fast path for serving is one kernel that is not counted, and neither is the CPU's fused kernel in torch 2.11.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _by_module(network: nn.Module, total: Callable[[], int]) -> Iterator[Counter[nn.Module]]:
    """What ``total`` rose by in each module that was called, the modules inside it included."""
    counts: Counter[nn.Module] = Counter()
    entered: list[int] = []

    def enter(*_: object) -> None:
        entered.append(total())

    def leave(module: nn.Module, *_: object) -> None:
        counts[module] += total() - entered.pop()

    with ExitStack() as hooks:
        for module in network.modules():
            hooks.enter_context(module.register_forward_pre_hook(enter))
            hooks.enter_context(module.register_forward_hook(leave))
        yield counts


def _silent(network: nn.Module, counts: Counter[nn.Module]) -> list[str]:
    """Names of the modules that have weights of their own of which no product was counted."""
    modules = dict(network.named_modules())
    weighty = (name for name, module in modules.items() if _multiplies(module))
    return [name or "the network" for name in weighty if not _counted(name, modules, counts)]


def _multiplies(module: nn.Module) -> bool:
    own = module.parameters(recurse=False)
    return not isinstance(module, TABLES + NORMS) and any(weight.dim() >= MULTIPLIES for weight in own)


def _counted(name: str, modules: dict[str, nn.Module], counts: Counter[nn.Module]) -> bool:
    """Whether the module, or the one that reads its weights without calling it, has a count.

    What is parametrized (weight norm) keeps its weights in a module below the one that multiplies by them.
    """
    if isinstance(modules[name], ParametrizationList):
        name = name.rpartition("parametrizations.")[0].removesuffix(".")
    while modules[name] not in counts and name:
        name = name.rpartition(".")[0]
    return counts[modules[name]] > 0


def _warn(silent: list[str]) -> None:
    where = ", ".join(silent[:SHOWN]) + (f" and {len(silent) - SHOWN} more" if len(silent) > SHOWN else "")
    warnings.warn(
        f"no operator of {where or 'this network'} is known to torch's FLOP counter, so macs are left out; register "
        "a formula for the kernel with torch.utils.flop_counter.register_flop_formula",
        stacklevel=3,
    )
