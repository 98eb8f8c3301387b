"""Work with a bottleneck that was put there, and ceilings of a machine that does not exist."""

import time

import torch

from suite.analysis.profile.work import Work
from suite.measure.ceilings import Ceilings

CEILINGS = Ceilings(machine="planted", threads=1, copy=1e10, gemm={"float32": 1e11, "bfloat16": 2e11})  # ridge at 10


def work(fetch, compute, name="planted"):
    return Work(name=name, device="cpu", fetch=fetch, compute=compute)


def slow_loader():
    """The loader sleeps for longer than a small product takes."""
    block = torch.ones(64, 64)
    return work(lambda: time.sleep(0.004), lambda _: torch.mm(block, block))


def busy_loader():
    """The loader computes in Python."""
    block = torch.ones(64, 64)
    return work(lambda: sum(i * i for i in range(60_000)), lambda _: torch.mm(block, block))


def tiny_kernels():
    """Hundreds of products of 8 x 8."""
    block = torch.full((8, 8), 0.1)

    def compute(_):
        value = block
        for _ in range(200):
            value = torch.relu(value @ block)
        return value

    return work(lambda: None, compute)


def copies():
    """Copies and sums of 32 MB, beyond the cache of a core."""
    block = torch.ones(8 * 2**20)
    target = torch.empty_like(block)

    def compute(_):
        target.copy_(block)
        torch.add(target, block, out=target)

    return work(lambda: None, compute)


def products():
    """Products of 768 x 768."""
    block = torch.ones(768, 768)
    target = torch.empty_like(block)
    return work(lambda: None, lambda _: torch.mm(block, block, out=target))


PLANTED = {
    "data-bound": (slow_loader, busy_loader),
    "launch-bound": (tiny_kernels,),
    "memory-bound": (copies,),
    "compute-bound": (products,),
}
