"""Recipes for ranks: a tiny network whose batches do not divide, and faults that a comparison has to see."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import tiny
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import ConstantLR

from suite.registry import REGISTRY
from suite.training.distributed.in_ranks import in_ranks
from suite.training.distributed.parity import parity
from suite.training.recipe import Batch

LOSSLESS = (
    *("ddp", "ddp(ranks=4)", "ddp_accumulation", "ddp_accumulation(ranks=4,steps=3)", "zero1", "zero1(ranks=4)"),
    *("fsdp2", "fsdp2(ranks=4)", "hsdp", "tensor_parallel", "tensor_parallel(ranks=4)"),
    *("pipeline", "pipeline(ranks=4,schedule='gpipe')", "fsdp2_offload", "tp_fsdp2"),
)
SEQUENCES = ("sequence_parallel", "sequence_parallel(ranks=4)")
"""Lossless on `Normed`."""
LOSSY = {
    "ddp_hook(hook='fp16')": 1e-3,
    "ddp_hook(hook='bf16')": 1e-2,
    "ddp_hook(hook='powersgd',rank=1)": 0.2,
    "fsdp2_bf16": 0.05,
}
"""By technique, the relative distance of any tensor after ten steps that it may have."""
EXACT = 1e-14


class Dropping(tiny.Net):
    """Leaves out half of the hidden units in training."""

    def forward(self, x):
        return super().forward(x) + self.fc2(
            torch.nn.functional.dropout(x.new_ones(len(x), 16), training=self.training)
        )


class Normed(nn.Module):
    """A residual block on sequences, normalised: an image's rows are 8 tokens of 8 channels; outputs [B, 2]."""

    def __init__(self):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        rows = x.flatten(1, 2)
        return self.head((rows + self.fc2(torch.relu(self.fc1(self.norm(rows))))).mean(1))


def constant(optimizer, _rate, _steps):
    return ConstantLR(optimizer, 1.0)


def recipe(sizes=(8,), **changes):
    """The tiny recipe at a constant rate, in batches of the ``sizes`` in turn."""

    def batches(train, generator):
        order, begin = torch.randperm(len(train), generator=generator), 0
        for size in itertools.cycle(sizes):
            chosen = order[begin : begin + size]
            if len(chosen) == 0:
                return
            yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])
            begin += size

    return tiny.recipe(batches=batches, schedule=constant, **changes)


def distance(text, *, steps=10, plain=None):
    """How far a composition ends from one process in float64."""
    return parity(plain or recipe(), REGISTRY.resolve(text).apply, steps=steps)


def faulty(wrap=None, text="ddp", **slots):
    """A change of a recipe: the technique's, but wrapped by ``wrap`` or with other ``slots``."""

    def change(plain):
        right = REGISTRY.resolve(text).apply(plain)
        if wrap is not None:
            right = replace(right, prepare=in_ranks(plain, "faulty", right.launch.ranks, wrap).prepare)
        return replace(right, **{name: value(right, plain) for name, value in slots.items()})

    return change


def unreduced(network: nn.Module):
    """One tensor's gradient stays in its rank."""
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(network, ["fc1.bias"])
    return DistributedDataParallel(network)


def unweighted(_right, plain):
    """Every share counts alike, however many items it has."""
    return partial(plain.loss)
