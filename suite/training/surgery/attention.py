"""Whether a network computes attention by torch's own operation, for which there are several kernels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn
from torch.overrides import TorchFunctionMode


class Watching(TorchFunctionMode):
    """Notes whether scaled dot-product attention is called."""

    seen: bool = False

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        # what torch's own layers call from inside is not shown; they need the scores where they return weights
        inside = function is F.multi_head_attention_forward and not kwargs.get("need_weights", True)
        self.seen |= function is F.scaled_dot_product_attention or inside
        return function(*args, **kwargs)


def calls_attention(network: nn.Module, inputs: Any) -> bool:
    """Whether ``network`` calls ``scaled_dot_product_attention`` for ``inputs`` [B, ...], as it does in training."""
    was_training = network.training
    watching = Watching()
    with torch.no_grad(), watching:
        network.train()(inputs)
    network.train(was_training)
    return watching.seen
