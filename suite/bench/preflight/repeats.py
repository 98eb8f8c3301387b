"""Checks that a workload repeats: a seed or a checkpoint has to give the same network and batches twice."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from suite.measure.integrity.outputs import bits
from suite.registry import Workload
from suite.training.devices import own_random_numbers, seed_all
from suite.training.loop import built, first_batch
from suite.training.recipe import Recipe
from suite.training.trees import leaves

SHOWN = 3  # names


def remarks(workload: Workload) -> list[str]:
    """One remark for each part that does not repeat; nothing of a workload that cannot be built."""
    with own_random_numbers("cpu"):
        try:
            plain = workload.plain(0)
            found = [_weights(workload, plain)]
            if workload.source == "train":
                found.append(_batches(workload, plain))
        except Exception:  # noqa: BLE001  # told by the checks of the workload
            return []
    return [remark for remark in found if remark]


def _weights(workload: Workload, plain: Recipe) -> str:
    """A checkpoint's weights must depend on no seed, other weights on their seed alone."""
    loaded = workload.source == "checkpoint"
    first, second = (_state(plain, seed) for seed in (0, 1 if loaded else 0))
    apart = [name for name in first if name not in second or not _same(first[name], second[name])]
    if not apart:
        return ""
    names = ", ".join(apart[:SHOWN]) + (f" and {len(apart) - SHOWN} more" if len(apart) > SHOWN else "")
    if loaded:
        return (
            f"workload {workload.name!r}: {len(apart)} of {len(first)} tensors ({names}) differ between two builds, so "
            "they are not from the checkpoint; check for strict=False and for other names "
            f"[{workload.where}]"
        )
    return (
        f"workload {workload.name!r}: two builds with the same seed have different weights ({names}), so this run is "
        "not reproducible: they come from a generator that the suite cannot seed (NumPy's default_rng()?) "
        f"[{workload.where}]"
    )


def _batches(workload: Workload, plain: Recipe) -> str:
    train = plain.data().train
    seen = []
    for _ in range(2):
        seed_all(0)
        batch = first_batch(plain, train, torch.Generator().manual_seed(0))
        seen.append([*leaves(batch.inputs), *leaves(batch.targets)])
    if len(seen[0]) == len(seen[1]) and all(_same(a, b) for a, b in zip(*seen, strict=True)):
        return ""
    return (
        f"workload {workload.name!r}: its batches differ between two runs with the same seed, so this run is not "
        f"reproducible: draw from the generator that `batches` gets [{workload.where}]"
    )


def _state(plain: Recipe, seed: int) -> Mapping[str, Tensor]:
    state = built(plain, seed).state_dict()
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return torch.equal(bits(first), bits(second))
