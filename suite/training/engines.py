"""What engines outside of torch have in common: tensors as arrays, answers in the network's own form, batches.

An engine's file is written once from a network and an example; its predictor gets and returns the trees that the
network does. Arrays share memory with the tensors on a CPU.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils._pytree import (  # no public name holds them
    TreeSpec,
    tree_flatten,
    tree_unflatten,
    treespec_dumps,
    treespec_loads,
)

from suite.core.machine.hardware import device_type
from suite.training.trees import Tree, leaves, length, split

Array = NDArray[Any]
CALIBRATION_BATCH = 32


def missing(device: str, packages: Sequence[str], extra: str) -> str | None:
    """Why an engine of these ``packages`` cannot serve: one that is not installed, or a device that is no CPU."""
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        return f"{', '.join(absent)} is not installed: pip install 'tradeoff-suite[{extra}]'"
    return None if device_type(device) == "cpu" else f"this runtime serves on a CPU, not on {device}"


@contextmanager
def quiet() -> Iterator[None]:
    """Exporters, converters and quantizers tell each of their steps through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


FORM = "answer.json"  # beside the engine's file, where an answer is more than one tensor


@dataclass(frozen=True, kw_only=True)
class AnswerForm:
    """The structure of a network's answers."""

    spec: TreeSpec

    @classmethod
    def of(cls, network: nn.Module, example: Tree) -> AnswerForm:
        """Of the answer to ``example``."""
        with torch.no_grad():
            return cls(spec=tree_flatten(network(example))[1])

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> AnswerForm:
        """Of an artefact's files; without one of its own it is one tensor."""
        return cls(spec=treespec_loads(files[FORM].decode()) if FORM in files else tree_flatten(0)[1])

    def files(self) -> dict[str, bytes]:
        """What has to ship beside the engine's file: nothing for one tensor."""
        return {} if self.spec.is_leaf() else {FORM: treespec_dumps(self.spec).encode()}

    def tree(self, arrays: Iterable[Array]) -> Any:
        """An engine's outputs [B, ...], in their order, as the network would answer."""
        return tree_unflatten([torch.from_numpy(np.asarray(array)) for array in arrays], self.spec)


def arrays(inputs: Tree) -> list[Array]:
    """The tensors of ``inputs`` [B, ...] on the host, each contiguous; copied only where it is neither."""
    return [leaf.detach().cpu().contiguous().numpy() for leaf in leaves(inputs)]


def calibration_batches(inputs: Tree) -> Iterator[list[Array]]:
    """Training inputs [N, ...] in batches, as a quantizer looks at them."""
    for part in split(inputs, CALIBRATION_BATCH):
        if length(part):
            yield arrays(part)


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineCall:
    """A predictor's call: ``run`` takes arrays in the order of the inputs and returns those of the outputs."""

    run: Callable[[list[Array]], Iterable[Array]]
    form: AnswerForm

    def __call__(self, inputs: Tree) -> Any:
        return self.form.tree(self.run(arrays(inputs)))
