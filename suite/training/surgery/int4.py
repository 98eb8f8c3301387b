"""Linear layers with weights of 4 bits, two a byte, by torch's own kernel for CPUs.

A group of L neighbouring weights of one output has its own scale and least value: ``w = (code - 8) * scale + middle``
for codes 0 to 15. Shapes: N outputs, K inputs, G = K / L groups.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

GROUPS = (32, 64, 128, 256)  # that the kernel knows
OUTPUTS = 16  # the kernel takes multiples of them
CODES = 15
MIDDLE = 8


def kernel_missing(device: str) -> str | None:
    """Why nothing multiplies by weights of 4 bits here; ``None`` if something does."""
    if device != "cpu":
        return f"torch packs weights of 4 bits for CPUs in this form, and the network is on {device}"
    if not all(
        hasattr(torch.ops.aten, name) for name in ("_weight_int4pack_mm_for_cpu", "_convert_weight_to_int4pack_for_cpu")
    ):
        return f"torch {torch.__version__} has no kernel for weights of 4 bits on a CPU"
    return None


def fits(layer: nn.Linear, group: int) -> bool:
    """Whether the kernel takes a layer's shape and type."""
    return layer.out_features % OUTPUTS == 0 and layer.in_features % group == 0 and layer.weight.dtype == torch.float32


def rounded(weight: Tensor, group: int) -> tuple[Tensor, Tensor, Tensor]:
    """Codes [N, K] int32, scales and middles [N, G] of a weight [N, K]: the nearest of 16 values from least to largest.

    A group of equal weights has the scale 1 and is exact.
    """
    groups = weight.detach().unflatten(1, (-1, group))
    low, high = groups.amin(2, keepdim=True), groups.amax(2, keepdim=True)
    scale = torch.where(high > low, (high - low) / CODES, 1.0)
    codes = ((groups - low) / scale).round().clamp(0, CODES).int()
    return codes.flatten(1), scale.squeeze(2), (low + MIDDLE * scale).squeeze(2)


class Int4Linear(nn.Module):
    """Inputs [..., K], outputs [..., N] in float32; ``packed`` [N, K / 2] bytes, ``scales`` [G, N, 2] with middles."""

    def __init__(self, layer: nn.Linear, group: int) -> None:
        super().__init__()
        codes, scale, middle = rounded(layer.weight, group)
        self.group, self.outputs, self.bias = group, layer.out_features, layer.bias
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 1)  # noqa: SLF001  # no public name
        self.register_buffer("packed", packed)
        self.register_buffer("scales", torch.stack([scale.T, middle.T], 2).contiguous())

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        found = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, self.group, self.scales)  # noqa: SLF001
        found = found.reshape(*x.shape[:-1], self.outputs)
        return found if self.bias is None else found + self.bias  # type: ignore[no-any-return]
