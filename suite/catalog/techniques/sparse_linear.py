"""Linear layers with 2:4 weights as products of sparse tensor cores, in float16.

Mishra et al. 2021, https://arxiv.org/abs/2104.08378; torch's SparseSemiStructuredTensor. For networks that an earlier
technique has pruned to the pattern: ``semi_structured+sparse_linear``. Half the weights' bytes and up to twice the
speed of the products on CUDA from compute capability 8.0 on; layers without the pattern, or whose sides are no
multiples of 32 and 64, stay as they were, and so do convolutions and training.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded

ROWS, COLUMNS = 32, 64  # multiples that the kernels of float16 demand
GROUP, KEPT = 4, 2


@technique(
    slots=("quantize", "runtime"), family="pruning", needs=("sparse_products",), runs=False, quick=False
)  # it has something to do after ``semi_structured`` alone
def sparse_linear(recipe: Recipe) -> Recipe:
    """Serve Linear layers with 2:4 weights by sparse products, as after ``semi_structured``."""

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return _replaced(recipe.quantize(network, calibration))

    return replace(recipe, quantize=quantize, runtime=coded(recipe.runtime, saved_bytes))


class SparseLinear(nn.Module):
    """A Linear layer in float16 whose weight is held in the compressed form; answers in the input's own type."""

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        from torch.sparse import to_sparse_semi_structured

        self.weight = nn.Parameter(to_sparse_semi_structured(dense.weight.detach().half()), requires_grad=False)
        self.bias = None if dense.bias is None else nn.Parameter(dense.bias.detach().half(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.half(), self.weight, self.bias).to(x.dtype)


def _fits(module: nn.Module) -> bool:
    if not isinstance(module, nn.Linear) or isinstance(module, NonDynamicallyQuantizableLinear):
        return False  # attention reads the weight of its output layer and multiplies by it itself
    if module.out_features % ROWS or module.in_features % COLUMNS:
        return False
    kept = (module.weight != 0).reshape(module.out_features, -1, GROUP).sum(-1)
    return bool(torch.all(kept <= KEPT))


def _replaced(network: nn.Module) -> nn.Module:
    """In place. Raises `UnavailableError` for a network without a layer that the kernels take."""
    found = [name for name, module in network.named_modules() if _fits(module)]
    if not found:
        raise UnavailableError(
            "sparse_linear: the network has no Linear layer with two zeros in every four weights and sides that are "
            f"multiples of {ROWS} and {COLUMNS}; compose it after semi_structured"
        )
    for name in found:
        network.set_submodule(name, SparseLinear(network.get_submodule(name)))  # type: ignore[arg-type]
    return network
