"""Devices, memory layouts and precisions: what training, serving and measuring do alike."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from suite.training.recipe import Precision, Recipe
from suite.training.trees import Tree, tree_map

IMAGE_RANK = 4  # N, C, H, W


def lay_out(network: nn.Module, recipe: Recipe) -> nn.Module:
    """``network`` with its 4-dimensional weights in the recipe's memory layout; what rebuilds layers forgets it.

    Weight by weight: ``Module.to(memory_format=...)`` refuses a network that has 5-dimensional ones too. Strides are
    written out as in `place`.
    """
    if recipe.layout == "channels_last":
        for tensor in (*network.parameters(), *network.buffers()):
            tensor.data = _placed(tensor.data)
    return network


def place(inputs: Tree, layout: str) -> Tree:
    """``inputs`` [B, ...] with its images in the recipe's memory layout.

    With one channel a layout is ambiguous and both ``is_contiguous`` answers are true, so the strides are written
    out by a copy; kernels choose by them.
    """
    return tree_map(_placed, inputs) if layout == "channels_last" else inputs


def _placed(tensor: Tensor) -> Tensor:
    if tensor.dim() != IMAGE_RANK or not tensor.is_floating_point():
        return tensor
    return torch.empty_like(tensor, memory_format=torch.channels_last).copy_(tensor)


def autocast(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Autocast as the precision says; a context that does nothing where it says nothing."""
    if precision.autocast is None:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=precision.autocast)


def seed_all(seed: int) -> None:
    """Seed what a recipe may draw from: torch's generators, Python's `random` and NumPy's global one."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # users' code draws from the global one


@contextmanager
def own_random_numbers(device: str) -> Iterator[None]:
    """Random numbers that are drawn in the body are not missing after it, of torch, Python and NumPy."""
    kind = torch.device(device).type
    devices = () if kind == "cpu" else (torch.accelerator.current_device_index(),)
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=devices, **({} if kind == "cpu" else {"device_type": kind})):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic algorithms where the device has them; elsewhere torch runs what it has."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(True, warn_only=True)
    # overwriting fresh memory costs time and guards nothing here
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
            warnings.filterwarnings("ignore", message=".*CUBLAS_WORKSPACE_CONFIG.*")
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


def synchronize(device: str) -> None:
    """Wait for all work of an accelerator; nothing to wait for on a CPU."""
    if torch.device(device).type != "cpu":
        torch.accelerator.synchronize(device)


def select_device(device: str) -> None:
    """Make a numbered accelerator the current one: kernels, events and memory counters of libraries follow it."""
    index = torch.device(device).index
    if index is not None:
        torch.accelerator.set_device_index(index)
