"""The layers of a network in the order in which it calls them, which need not be that of their names."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from suite.training.surgery.rebuilding import evaluating


@torch.no_grad()
def called_layers(network: nn.Module, example: Any) -> list[nn.Module]:
    """Modules with weights of their own, in the order of their first calls; those that nobody calls come last."""
    own = [module for module in network.modules() if list(module.parameters(recurse=False))]
    called: dict[nn.Module, None] = {}
    hooks = [module.register_forward_pre_hook(lambda one, _: called.setdefault(one)) for module in own]
    try:
        with evaluating(network):
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return [*called, *(module for module in own if module not in called)]
