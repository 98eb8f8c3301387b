"""The same network twice, one of them with extra work that takes a known share of its time.

The extra work is a number of small matrix products after each call, whose time is measured against the network's own
in interleaved rounds. They fit into the first-level cache, so that they lengthen a call and hardly disturb it. Shares
are of seconds: 0.03 is 3 %.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from suite.catalog.workloads.digits_cnn import PIXELS, SimpleCNN
from suite.measure.sampler.options import SamplerOptions
from suite.measure.sampler.timing import sample

SIZE = 32  # of the matrices: 4 KiB each
UNITS = 200  # products in a turn of calibration
BATCH = 64

Call = Callable[[], object]


@dataclass(frozen=True, kw_only=True, eq=False)
class Planted:
    """One side: the network on its inputs, and then the extra work."""

    network: nn.Module
    inputs: Tensor
    extra: Call

    def __call__(self) -> None:
        """One call of both."""
        with torch.inference_mode():
            self.network(self.inputs)
        self.extra()

    def tensors(self) -> list[Tensor]:
        """What can be moved to other places."""
        return [*self.network.parameters(), *self.network.buffers(), self.inputs]


@dataclass(frozen=True, kw_only=True)
class Network:
    """Calls of a network on one batch; ``units`` products of extra work take as long as one call."""

    network: nn.Module
    inputs: Tensor
    units: float

    def products(self, share: float) -> int:
        """The products that take ``share`` of a call, rounded to whole ones."""
        return round(share * self.units)

    def realised(self, share: float) -> float:
        """The share that whole products come to."""
        return self.products(share) / self.units

    def extra(self, share: float) -> Call:
        """The extra work alone."""
        return _products(self.products(share))

    def call(self, share: float = 0.0) -> Planted:
        """A copy of the network at other addresses, called on a copy of the inputs, with extra work."""
        return Planted(
            network=copy.deepcopy(self.network), inputs=self.inputs.clone(), extra=_products(self.products(share))
        )


def digits_like(*, seed: int, seconds: float = 1.0) -> Network:
    """The network of the digits at batch 64, its extra work calibrated for about ``seconds``."""
    torch.manual_seed(seed)
    network, inputs = SimpleCNN().eval(), torch.randn(BATCH, 1, PIXELS, PIXELS)
    return calibrated(network, inputs, seed=seed, seconds=seconds)


def calibrated(network: nn.Module, inputs: Tensor, *, seed: int, seconds: float) -> Network:
    """``network`` with the number of products that take as long as one call."""
    arms: dict[str, Call] = {
        "network": Planted(network=network, inputs=inputs, extra=_products(0)),
        "products": _products(UNITS),
    }
    timed = sample(arms, SamplerOptions(baseline="network", seconds=seconds, seed=seed))
    return Network(network=network, inputs=inputs, units=UNITS * timed.ratio("network", "products").value)


def _products(count: int) -> Call:
    """Calls of it do ``count`` products of small matrices."""
    left, right, out = (torch.ones(SIZE, SIZE) for _ in range(3))

    def work() -> None:
        for _ in range(count):
            torch.mm(left, right, out=out)

    return work
