"""What a call of a network in evaluation mode moves: generators of random numbers, and its own tensors."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from suite.bench.integrity import State
from suite.training.devices import seed_all
from suite.training.trees import Tree

DRAWS = 32  # answers to one item, each after another seed: what happens once in ten calls is missed in 3 % of cases


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Names of the generators that a call drew from, and of the network's tensors that it changed."""

    generators: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()

    def cause(self) -> str:
        """Why two calls differ, and what to write; empty if nothing moved."""
        if self.generators:
            return f", since a call draws from {' and '.join(self.generators)}"
        if self.tensors:
            return f", since a call changes its buffer {named(self.tensors)}"
        return ""

    def advice(self) -> str:
        """What to write."""
        if self.tensors and not self.generators:
            return "change it in training only (if self.training:)"
        return "turn dropout and noise off there (functional.dropout needs training=self.training)"


def watched(network: nn.Module, inputs: Tree, device: str) -> tuple[Any, Moved]:
    """An answer, and what the call moved."""
    generators, tensors = _generators(device), State.of(network).weights
    answer = network(inputs)
    return answer, Moved(
        generators=_differing(generators, _generators(device)), tensors=_differing(tensors, State.of(network).weights)
    )


def answers_by_seed(network: nn.Module, inputs: Tree) -> list[Any]:
    """`DRAWS` answers to the same inputs, with all generators seeded anew before each."""
    answers = []
    for seed in range(DRAWS):
        seed_all(seed)
        answers.append(network(inputs))
    return answers


def named(names: tuple[str, ...]) -> str:
    """The first name, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _generators(device: str) -> Mapping[str, object]:
    """By name the state of each generator that networks usually draw from."""
    kind, numpy = torch.device(device).type, np.random.get_state(legacy=False)  # noqa: NPY002  # the global one
    states = {
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "Python's random": random.getstate(),
        "numpy.random": pickle.dumps(numpy),
    }
    if kind != "cpu":
        states[f"torch's generator of {kind}"] = torch.get_device_module(kind).get_rng_state().cpu().numpy().tobytes()
    return states


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name, value in before.items() if after.get(name, value) != value)
