"""A network in another data type: weights cast once, inputs and outputs at each call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from suite.training.trees import tree_map


class Cast(nn.Module):
    """``network`` computing in ``dtype``: floating inputs are cast to it, floating outputs back to float32."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network.to(dtype), dtype

    def forward(self, inputs: Any) -> Any:
        """Outputs in float32."""
        return tree_map(_to(torch.float32), self.network(tree_map(_to(self.dtype), inputs)))


def _to(dtype: torch.dtype) -> Any:
    def cast(tensor: Tensor) -> Tensor:
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    return cast
