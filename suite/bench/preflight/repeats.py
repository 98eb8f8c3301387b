"""Whether a workload's network comes out the same again: what a seed, or a checkpoint, is to decide."""

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
    """What does not repeat, a sentence each; nothing of a workload that cannot be built."""
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
    """A checkpoint's weights depend on no seed, others on theirs alone."""
    loaded = workload.source == "checkpoint"
    first, second = (_state(plain, seed) for seed in (0, 1 if loaded else 0))
    apart = [name for name in first if name not in second or not _same(first[name], second[name])]
    if not apart:
        return ""
    names = ", ".join(apart[:SHOWN]) + (f" and {len(apart) - SHOWN} more" if len(apart) > SHOWN else "")
    if loaded:
        return (
            f"workload {workload.name!r}: {len(apart)} of {len(first)} tensors ({names}) differ between two builds, so "
            "they are not from the checkpoint: were they loaded with strict=False, or under other names? "
            f"[{workload.where}]"
        )
    return (
        f"workload {workload.name!r}: two builds with the same seed have other weights ({names}), so this run does not "
        "repeat: they are drawn from a generator that the suite cannot seed (NumPy's default_rng()?) "
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
        f"workload {workload.name!r}: its batches differ between two runs with the same seed, so this run does not "
        f"repeat: draw from the generator that `batches` is given [{workload.where}]"
    )


def _state(plain: Recipe, seed: int) -> Mapping[str, Tensor]:
    state = built(plain, seed).state_dict()
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return torch.equal(bits(first), bits(second))
