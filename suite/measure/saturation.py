"""The batch at which a device has enough to do: a search, not a measurement."""

from __future__ import annotations

import numpy as np
import torch

from suite.core.phases import phase
from suite.measure.arms import Arm
from suite.measure.device_memory import empty_cache
from suite.measure.sampler.timing import latency
from suite.training.devices import synchronize

SATURATED_GAIN = 1.05  # doubling the batch must bring this much throughput to go on
LARGEST_BATCH = 8192
MOST_MEMORY = 0.4  # of an accelerator's: beside it stand the other arm and a worker process


def saturating_batch(base: Arm, batch: int) -> int:
    """The batch beyond which the baseline's throughput grows by less than 5 % a doubling.

    Where memory ends first, half of what fits: two networks are timed arm by arm.
    """
    best, rate = batch, _throughput_of(base, batch)
    while best < LARGEST_BATCH and _fits(base, 2 * best):
        faster = _throughput_if_it_fits(base, 2 * best)
        if faster is None:
            empty_cache()  # now that nothing holds what was allocated for it
            return max(batch, best // 2)
        if faster < SATURATED_GAIN * rate:
            break
        best, rate = 2 * best, faster
    return best


def _throughput_if_it_fits(base: Arm, batch: int) -> float | None:
    """Items a second; ``None`` for out of memory, an allocation that cuDNN lacks, or an index beyond 32 bits."""
    try:
        return _throughput_of(base, batch)
    except RuntimeError:
        return None


def _fits(base: Arm, batch: int) -> bool:
    """Whether a batch may be tried: what the device has allocated so far, doubled, stays below its share."""
    device = base.served.device
    if torch.device(device).type != "cuda":
        return True
    _, total = torch.cuda.mem_get_info(device)
    return 2 * torch.accelerator.max_memory_allocated(device) < MOST_MEMORY * total and batch > 0


def _throughput_of(arm: Arm, batch: int) -> float:
    """Items a second at a batch, from a few unpaired calls: a search, not a measurement."""
    call = arm.call(batch)
    with phase("timing"):
        seconds = latency(call, count=20, synchronize=lambda: synchronize(arm.served.device))
    return batch / float(np.median(seconds))
