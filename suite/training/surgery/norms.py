"""Running statistics of batch normalisation, computed anew for weights that were not trained as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # what all batch norms have in common


@torch.no_grad()
def recompute(network: nn.Module, batches: Iterable[Any]) -> None:
    """Set the running statistics of ``network`` to their plain mean over ``batches`` of inputs, in training mode.

    Where nothing is normalised by running statistics, ``batches`` are not read.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    mode, momenta = network.training, [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
    network.train()
    for inputs in batches:
        network(inputs)
    network.train(mode)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
