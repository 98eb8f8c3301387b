"""Weights of a network that ranks may hold in parts, put together again."""

from __future__ import annotations

import hashlib
from typing import Any

from torch import Tensor, nn

from suite.training.fingerprints import plain


def whole(network: nn.Module) -> dict[str, Tensor]:
    """All weights and buffers by name, without their graph. All ranks must call it at once."""
    named = (*network.named_parameters(), *network.named_buffers())
    return {name: plain(tensor).detach() for name, tensor in named}


def digests(network: nn.Module) -> dict[str, str]:
    """A digest of each weight, by name. All ranks must call it at once."""
    return {name: _digest(plain(weight).detach()) for name, weight in network.named_parameters()}


def _digest(tensor: Tensor) -> str:
    import torch

    values: Any = tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return hashlib.blake2b(values.tobytes(), digest_size=8).hexdigest()
