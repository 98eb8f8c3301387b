"""Q1c: PyTorch's profiler on a loop with a slow loader, and on one with a slow operator; what takes most time."""

import json
import time
from collections.abc import Iterator

import torch
from torch.profiler import ProfilerActivity, profile, record_function

SLEEP = 0.02  # seconds of a slow loader


def loader(pause: float) -> Iterator[torch.Tensor]:
    """Three batches, each after a pause."""
    for _ in range(3):
        with record_function("loader"):
            time.sleep(pause)
            batch = torch.zeros(64, 64)
        yield batch


def longest(pause: float, side: int) -> str:
    """The name with the longest time of its own."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        weight = torch.zeros(side, side)
        for batch in loader(pause):
            batch.sum()
            weight.matmul(weight)
    return str(max(seen.key_averages(), key=lambda one: one.self_cpu_time_total).key)


if __name__ == "__main__":
    slow_loader, slow_product = longest(SLEEP, 8), longest(0.0, 1024)
    print(json.dumps({"names_the_loader": slow_loader == "loader", "names_the_product": slow_product == "aten::mm"}))
