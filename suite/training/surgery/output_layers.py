"""The layers that make a network's outputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from suite.training.trees import leaves

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@torch.no_grad()
def output_layers(network: nn.Module, example: Any) -> list[nn.Module]:
    """The layers whose channels are the workload's: one for each output, or the last that ran."""
    ran: list[tuple[nn.Module, Tensor]] = []  # results are kept: freed memory would be a later one's
    layers = [module for module in network.modules() if isinstance(module, LAYERS)]
    hooks = [layer.register_forward_hook(lambda m, _, out: ran.append((m, out))) for layer in layers]
    try:
        places = {leaf.data_ptr() for leaf in leaves(network(example))}
    finally:
        for hook in hooks:
            hook.remove()
    return [module for module, out in ran if out.data_ptr() in places] or [module for module, _ in ran[-1:]]
