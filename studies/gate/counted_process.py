"""A process of the study that counts: ``python counted_process.py LIBRARY OUT``, under valgrind. It prints its files.

A small network and the same with more operators are counted one after the other. Of torch and one file of the suite
alone, so that a process is as short as torch's import allows.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

COUNTING = Path(__file__).parents[2] / "suite" / "measure" / "counting" / "callgrind.py"
BATCH = 4  # so large that two more operators are a thousandth of the call


class Small(nn.Module):
    """The small CNN of the workload ``digits_cnn``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.fc1, self.fc2 = nn.Linear(1600, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores [B, 10] of images [B, 1, 28, 28]."""
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        scores: Tensor = self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))
        return scores


class More(Small):
    """So many operators more, on forty numbers each: an even number."""

    def __init__(self, operators: int) -> None:
        super().__init__()
        self.operators = operators

    def forward(self, x: Tensor) -> Tensor:
        """The same class scores, their sign changed and changed back."""
        scores = super().forward(x)
        for _ in range(self.operators):
            scores.neg_()
        return scores


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "same": Small,
    "more": partial(More, 2),
    **{f"more_{n}": partial(More, 20 * n) for n in (1, 2, 3)},
}
"""By name, what makes a network; ``more`` does a thousandth more, ``more_2`` about two hundredths."""


def main(library: str, out: str) -> None:
    """Print the files of the counts of both networks as a line of JSON."""
    spec = importlib.util.spec_from_file_location("callgrind", COUNTING)
    assert spec is not None  # noqa: S101  # the file is there
    assert spec.loader is not None  # noqa: S101  # it is Python
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.set_num_threads(1)
    counter, inputs, dumps = module.Callgrind(library, out), torch.ones(BATCH, 1, 28, 28), {}
    for name, kind in NETWORKS.items():
        torch.manual_seed(0)
        network = kind().eval()
        with torch.no_grad():
            dumps[name] = counter.counted(lambda network=network: network(inputs), lambda: None)
    sys.stdout.write(json.dumps(dumps) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
